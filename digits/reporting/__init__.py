"""Evaluation and history -> figures, the text on the terminal, and report.html."""
