"""Read the digits in pictures: photos, scans, screenshots, drawings; dark or light ink; one digit
or many.
"""

from __future__ import annotations

import argparse
import glob
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from digits.commands import add_model_flag
from digits.errors import DigitsError
from digits.terminal import note, own_words_only, say, say_json, watched

if TYPE_CHECKING:
    from digits.pictures.grey import Grey
    from digits.reading.page import Page


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Standard output gets the digits and nothing else, after the file's name if there "
        "are several files. Ink that is not a digit, or not certain to be one, is left out, and "
        "standard error says how many such pieces there are. Points, commas and minus signs are "
        "too small to be considered: they are neither read nor counted. Exit status: 0, or 1 if a "
        "file could not be read."
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="PNG, JPEG, GIF, BMP, WebP, TIFF, PPM or PGM; '-' is standard input; a pattern in "
        "quotes, like '*.png', is for folders with more files than a command line can take",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object for each picture, on one line"
    )
    parser.add_argument(
        "--show",
        type=Path,
        metavar="OUT",
        help="draw boxes, digits and confidences on the picture (only one) and write it to OUT",
    )
    add_model_flag(parser)


def run(arguments: argparse.Namespace, prog: str) -> int:
    """Returns the exit status: 0, or 1 if a picture could not be read."""
    files: list[str] = []
    for name in arguments.files:
        files += [name] if os.path.exists(name) else sorted(glob.glob(name)) or [name]
    if arguments.show is not None:
        _check_show(arguments.show, files)
    with own_words_only():
        from digits.reading.reader import Reader

        reader = Reader(arguments.model)
        failed = 0
        for file in watched(files, "picture", beside_lines=True):
            started = time.perf_counter()
            try:
                grey = _load(file)
                page = reader.read(grey)
            except DigitsError as error:
                failed += 1
                if arguments.json:
                    say_json({"path": file, "error": str(error)})
                else:
                    note(f"{prog}: {error}")
                continue
            milliseconds = round((time.perf_counter() - started) * 1e3, 3)
            if arguments.json:
                from digits.reading.answers import as_dict

                say_json({"path": file, **as_dict(page), "milliseconds": milliseconds})
            else:
                _print("standard input" if file == "-" else file, page, named=len(files) > 1)
            if arguments.show is not None:
                from digits.reading import annotation

                annotation.save(annotation.draw(grey, page), arguments.show)
    return 1 if failed else 0


def _load(file: str) -> Grey:
    from digits import pictures

    if file != "-":
        return pictures.load(file)
    if sys.stdin is None or sys.stdin.isatty():
        raise DigitsError("Standard input is a terminal; pipe a picture into it, or name a file.")
    return pictures.load(sys.stdin.buffer)


def _print(name: str, page: Page, named: bool) -> None:
    if page.digits:
        say(f"{name}: {' '.join(page.lines)}" if named else "\n".join(page.lines))
    left_out = sum(not reading.accepted for reading in page.readings)
    if not page.digits or left_out:
        found = name if page.digits else f"{name}: no digit found"
        reason = "left out, as not a digit or not certain to be one"
        note(f"{found}: {left_out} {reason}" if left_out else found)


def _check_show(out: Path, files: Sequence[str]) -> None:
    """Finds mistakes in `--show` before anything is read."""
    from digits.reading import annotation

    annotation.format_of(out)
    if len(files) != 1:
        raise DigitsError(f"--show draws one picture; give one FILE with it, not {len(files):,}.")
    if out.exists() and os.path.exists(files[0]) and out.samefile(files[0]):
        raise DigitsError(f"--show {out} would overwrite the picture itself; name another file.")
