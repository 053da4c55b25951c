"""Teach a model your own hand, with pictures of your digits in the folders 0 to 9: each shows one
digit, or is a page of the same digit many times. In the folder none is what is no digit. Nothing is
written unless the model gains by it, on digits that it was not taught with, and reads MNIST as
before.
"""

import argparse
from pathlib import Path

from digits import bundle as bundles
from digits.commands import add_data_flag, add_model_flag
from digits.errors import explained
from digits.terminal import own_words_only, say


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit status: 0, or 1 if nothing was written, since it would not help."
    parser.add_argument("pictures", type=Path, metavar="DIR", help="with the folders 0 to 9")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="BUNDLE", help="where the taught model goes"
    )
    add_model_flag(parser)
    parser.add_argument(
        "--anyway", action="store_true", help="write it even if it gains nothing, or MNIST suffers"
    )
    add_data_flag(parser, only_mnist=True)


def run(arguments: argparse.Namespace, prog: str) -> int:
    """Returns the exit status."""
    out: Path = arguments.out
    with explained(f"{out} cannot be written", "choose another --out"), own_words_only():
        from digits.api import teach

        model = arguments.model or bundles.SHIPPED
        taught = teach(
            arguments.pictures, out, model=model, anyway=arguments.anyway, data=arguments.data
        )
    say(f"{taught}\nIt took {taught.seconds:.0f} s.")
    if taught.bundle is None:
        say("\nNothing was written: teaching would not help. Write the model anyway with --anyway.")
        return 1
    say(f"\nRead pictures with it: digits read --model {taught.bundle} photo.jpg")
    return 0
