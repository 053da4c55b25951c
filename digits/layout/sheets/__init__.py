"""A sheet of paper on a table."""
