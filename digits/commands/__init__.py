"""The subcommands of `digits`, one file each: `parser(prog)`, and `run(arguments, prog)`.

`run` returns the exit status: 0, or what the command's own docstring says; see `digits.cli.main`.
"""

import argparse
from pathlib import Path
from typing import Any

from digits.terminal import say, say_json

MODEL = "folder of the model (default: the one that comes with this program)"


def add_model_flag(parser: argparse.ArgumentParser) -> None:
    """Adds `--model`, the bundle to read with."""
    parser.add_argument("--model", type=Path, metavar="BUNDLE", help=MODEL)


def add_data_flag(parser: argparse.ArgumentParser) -> None:
    """Adds `--data`, where MNIST is."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="mnist.npz, or a folder of the four IDX files (default: find or download)",
    )


def say_result(arguments: argparse.Namespace, content: Any, text: str) -> None:
    """Prints the content as indented JSON if `--json` is given, otherwise the text."""
    if arguments.json:
        say_json(content, indent=2)
    else:
        say(text)
