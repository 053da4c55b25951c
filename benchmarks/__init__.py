"""One script for each claim; each writes its results as JSON lines into results/."""
