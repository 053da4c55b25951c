"""Handwritten digits: train a network on MNIST and know how good it is."""
