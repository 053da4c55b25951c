"""Cut a page whose digits are known into pictures of one digit each, in the folders 0 to 9, from
which `digits teach` learns.
"""

import argparse
from pathlib import Path

from digits.commands import add_model_flag
from digits.errors import explained
from digits.terminal import say


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("page", type=Path, metavar="PAGE", help="picture of the page")
    parser.add_argument(
        "--text",
        required=True,
        help="the digits on it in reading order; lines parted by spaces or line breaks",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the folders 0 to 9 are made"
    )
    add_model_flag(parser)


def run(arguments: argparse.Namespace, prog: str) -> None:
    from digits.reading.reader import Reader
    from digits.studies.teaching.own_digits import label

    out: Path = arguments.out
    with explained(f"{out} cannot be written", "choose another --out"):
        files = label(arguments.page, arguments.text, out, Reader(arguments.model))
    say(
        f"{len(files)} pictures are in {out}; teach a model with: digits teach {out} --out my-model"
    )
