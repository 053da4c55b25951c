"""Lines of writing, drawn for training: numbers with what stands between their digits, and words."""
