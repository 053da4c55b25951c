"""The subcommands of `digits`, one file each; its docstring is the description in `--help`.

`add_flags(parser)` declares the arguments. `run(arguments, prog)` does the work, calls the program
`prog` in messages, and raises a DigitsError for what the user can correct: a mistake in the
arguments, or a file, folder or model that cannot be used. It returns the exit status if that can be
other than 0; see `cli.main`.
"""

import argparse
from pathlib import Path
from typing import Any

from digits.terminal import say, say_json

MODEL = "folder of the model, or of its run (default: the model that comes with this program)"


def add_model_flag(parser: argparse.ArgumentParser) -> None:
    """Adds `--model`, the bundle to read with."""
    parser.add_argument("--model", type=Path, metavar="BUNDLE", help=MODEL)


def add_data_flag(parser: argparse.ArgumentParser, only_mnist: bool = False) -> None:
    """Adds `--data`, where MNIST is, or any data in its form."""
    forms = "an .npz, IDX files or their folder"
    others = "" if only_mnist else ", or folders 0 to 9 of pictures"
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help=f"{forms}{others} (default: find or download MNIST)",
    )


def add_not_digits_flag(parser: argparse._ActionsContainer) -> None:
    """Adds `--not-digits`, which goes with `--data`."""
    parser.add_argument(
        "--not-digits",
        action="store_true",
        help="the data show something else: draw no digits, refuse nothing, read no pages",
    )


def say_result(arguments: argparse.Namespace, content: Any, text: str) -> None:
    """Prints the content as indented JSON if `--json` is given, otherwise the text."""
    if arguments.json:
        say_json(content, indent=2)
    else:
        say(text)
