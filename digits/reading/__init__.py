"""Ink -> what is written: characters, numbers, lines and cells. Never TensorFlow."""
