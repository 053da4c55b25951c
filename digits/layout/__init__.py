"""Grey pixels -> the paper, the ink on it, and where writing stands: cells and lines."""
