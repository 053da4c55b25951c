"""Trains a convolutional network on MNIST and reports how good it is: `python mnist_model.py`."""

import sys

from digits import cli

if __name__ == "__main__":
    sys.exit(cli.run("train", sys.argv[1:], prog="mnist_model.py"))
