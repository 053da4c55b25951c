"""The figures in README.md and docs/: from the result files into the pages."""
