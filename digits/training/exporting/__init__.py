"""A finished network -> the files of a bundle, and files for other runtimes."""
