"""The network that reads a line of writing whole, and its training."""
