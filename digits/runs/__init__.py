"""Training runs: recipes, the folder of a run, many runs at once. Never TensorFlow."""
