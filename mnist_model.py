"""Trains a convolutional network on MNIST and reports how good it is: `python mnist_model.py`."""

import sys

from digits.cli import train

if __name__ == "__main__":
    sys.exit(train())
