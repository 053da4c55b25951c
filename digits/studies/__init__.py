"""Comparisons and measurements of trained models, ensembles, and label errors."""
