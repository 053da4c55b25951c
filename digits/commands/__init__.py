"""The subcommands of `digits`, one file each: `parser(prog)`, and `run(arguments, prog)`.

`run` returns the exit status: 0, or what the command's own docstring says; see `digits.cli.main`.
"""

import argparse
from pathlib import Path


def add_model_flag(parser: argparse.ArgumentParser) -> None:
    """Adds `--model`, the bundle to read with."""
    parser.add_argument(
        "--model",
        type=Path,
        metavar="BUNDLE",
        help="folder of the model (default: the one that comes with this program)",
    )


def add_data_flag(parser: argparse.ArgumentParser) -> None:
    """Adds `--data`, where MNIST is."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="mnist.npz, or a folder of the four IDX files (default: find or download)",
    )
