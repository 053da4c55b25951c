"""Lines of writing, drawn for training: numbers with what stands between digits, and words."""
