"""The command `digits read`: pictures in, digits out."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from digits.errors import DigitsError
from digits.terminal import SHIPPED, note, own_words_only, say, say_json, watched

if TYPE_CHECKING:
    from digits.reading.page import Page
    from digits.reading.pictures import Grey


def command(argv: Sequence[str], prog: str) -> int:
    """Reads pictures and prints what is in them, one after the other, keeping none.

    Returns:
        the exit status: 0, or 1 if a picture could not be read.

    Raises:
        DigitsError: a mistake in the arguments, or a model that cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Read the digits in pictures: photos, scans, screenshots, drawings; dark or "
        "light ink; one digit or many.",
        epilog="Standard output gets the digits and nothing else, after the file's name if there "
        "are several files. What is no digit, or not surely one, is left out, and standard error "
        "says so. Exit status: 0, or 1 if a file could not be read.",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="PNG, JPEG, GIF, BMP, WebP, TIFF, PPM or PGM; '-' is standard input; a pattern in "
        "quotes, like '*.png', is for folders too full for a command line",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a picture, on a line")
    parser.add_argument(
        "--show",
        type=Path,
        metavar="OUT",
        help="draw boxes, digits and confidences on the picture (one only) and write it to OUT",
    )
    parser.add_argument("--model", type=Path, metavar="BUNDLE", help=SHIPPED)
    arguments = parser.parse_args(argv)
    files = list(_expanded(arguments.files))
    if arguments.show is not None:
        _check_show(arguments.show, files)
    with own_words_only():
        from digits.reading.page import as_dict
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
                say_json({"path": file, **as_dict(page), "milliseconds": milliseconds})
            else:
                _tell("standard input" if file == "-" else file, page, named=len(files) > 1)
            if arguments.show is not None:
                from digits.reading import annotation

                annotation.save(annotation.draw(grey, page), arguments.show)
    return 1 if failed else 0


def _load(file: str) -> Grey:
    from digits.reading import pictures

    if file != "-":
        return pictures.load(file)
    if sys.stdin is None or sys.stdin.isatty():
        raise DigitsError("Nothing is sent to standard input; send a picture, or name a file.")
    return pictures.load(sys.stdin.buffer)


def _tell(name: str, page: Page, named: bool) -> None:
    if page.digits:
        say(f"{name}: {' '.join(page.lines)}" if named else "\n".join(page.lines))
    left_out = sum(not reading.accepted for reading in page.readings)
    if not page.digits or left_out:
        found = name if page.digits else f"{name}: no digit found"
        note(found + (f": {left_out} left out as no digit, or not surely one" if left_out else ""))


def _check_show(out: Path, files: Sequence[str]) -> None:
    """What can be said before anything is read."""
    from digits.reading import annotation

    annotation.form_of(out)
    if len(files) != 1:
        raise DigitsError(f"--show draws one picture; give one FILE with it, not {len(files):,}.")
    if out.exists() and os.path.exists(files[0]) and out.samefile(files[0]):
        raise DigitsError(f"--show {out} would overwrite the picture itself; name another file.")


def _expanded(names: Iterable[str]) -> Iterator[str]:
    """Names of files; patterns among them as the files that they match."""
    for name in names:
        matches: list[str] = []
        if any(sign in name for sign in "*?[") and not os.path.exists(name):
            import glob

            matches = sorted(glob.glob(name))
        yield from matches or [name]
