"""Read the digits in pictures: photos, scans, screenshots, drawings; dark or light ink; one digit
or many.
"""

from __future__ import annotations

import argparse
import glob
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from digits.commands import add_model_flag
from digits.errors import DigitsError
from digits.terminal import note, own_words_only, say, say_json, watched

if TYPE_CHECKING:
    from digits.pictures.documents import Source
    from digits.pictures.grey import Grey
    from digits.reading.many import Answer, Outcome, Read
    from digits.reading.page import Page
    from digits.reading.reader import Reader


class _Part(NamedTuple):
    """What is read of a file: all of it, or a page, counted from 1, of a document. Its source is
    the DigitsError instead if it cannot be read."""

    file: str
    page: int | None
    source: Source | DigitsError

    @property
    def name(self) -> str:
        """What lines call it."""
        name = "standard input" if self.file == "-" else self.file
        return name if self.page is None else f"{name}, page {self.page}"

    @property
    def as_dict(self) -> dict[str, str | int]:
        """The keys that name it in JSON."""
        return {"path": self.file} | ({} if self.page is None else {"page": self.page})


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Standard output gets the digits and nothing else, after the file's name if there "
        "are several files or pages. Ink that is not a digit, or not certain to be one, is left "
        "out, and standard error says how many such pieces there are. Points, commas and minus "
        "signs are too small to be considered: they are neither read nor counted. Exit status: 0, "
        "or 1 if a file or page could not be read."
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="PNG, JPEG, GIF, BMP, WebP, TIFF, PPM, PGM, HEIC, AVIF or PDF, with all pages; '-' is "
        "standard input; a pattern in quotes, like '*.png', is for folders with more files than a "
        "command line can take",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object for each picture or page, on one line",
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that read (1)"
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
    if arguments.workers < 1:
        raise DigitsError(f"--workers must be 1 or more, not {arguments.workers}.")
    if arguments.show is not None:
        _check_show(arguments.show, files)
    with own_words_only():
        from digits.reading.reader import Reader

        reader = Reader(arguments.model)
        parts = _parts(watched(files, "picture", beside_lines=True))
        if arguments.show is not None:
            parts = iter([_only(parts)])
        failed = 0
        read: Read[Any] = reader.read
        if arguments.json and arguments.show is None:
            read = partial(_read_as_json, reader)
        with closing(_read(read, parts, arguments.workers)) as found:
            for part, (page, seconds) in found:
                if isinstance(page, DigitsError):
                    failed += 1
                    if arguments.json:
                        say_json(part.as_dict | {"error": str(page)})
                    else:
                        note(f"{prog}: {page}")
                    continue
                if arguments.json:
                    from digits.reading.answers import as_dict

                    answer = page if isinstance(page, dict) else as_dict(page)
                    milliseconds = round(seconds * 1e3, 3)
                    say_json({**part.as_dict, **answer, "milliseconds": milliseconds})
                else:
                    _print(part.name, page, named=len(files) > 1 or part.page is not None)
                if arguments.show is not None:
                    from digits.reading import annotation

                    drawing = annotation.draw(cast("Grey", part.source), page)
                    annotation.save(drawing, arguments.show)
    return 1 if failed else 0


def _parts(files: Iterable[str]) -> Iterator[_Part]:
    """What is to be read of the files, which are looked into one at a time."""
    from digits.pictures.documents import PageOf, count_pages

    for file in files:
        if file == "-":
            yield from _standard_input()
        elif (count := count_pages(file)) == 1:
            yield _Part(file, None, file)
        else:
            yield from (_Part(file, page, PageOf(file, page)) for page in range(1, count + 1))


def _standard_input() -> Iterator[_Part]:
    """It can be read once only, and in this process: its pages come decoded."""
    from digits.pictures.documents import Document

    if sys.stdin is None or sys.stdin.isatty():
        sentence = "Standard input is a terminal; pipe a picture into it, or name a file."
        yield _Part("-", None, DigitsError(sentence))
        return
    try:
        with Document(sys.stdin.buffer) as document:
            count = len(document)
            for page in range(1, count + 1):
                pixels = _decoded(partial(document.page, page))
                yield _Part("-", None if count == 1 else page, pixels)
    except DigitsError as error:
        yield _Part("-", None, error)


def _only(parts: Iterator[_Part]) -> _Part:
    """The part of the only file, decoded to be drawn on. Raises DigitsError if it has pages."""
    from digits import pictures

    part = next(parts)
    if part.page is not None:
        raise DigitsError(
            f"--show draws one picture, and {part.file} has several pages; save one as a picture."
        )
    if isinstance(part.source, DigitsError):
        return part
    return part._replace(source=_decoded(partial(pictures.load, part.source)))


def _decoded(load: Callable[[], Grey]) -> Grey | DigitsError:
    try:
        return load()
    except DigitsError as error:
        return error


def _read(
    read: Read[Answer], parts: Iterator[_Part], workers: int
) -> Generator[tuple[_Part, Outcome[Answer]], None, None]:
    """Each part with what became of it, in order."""
    from digits.reading.many import outcomes

    parts, given = tee(parts)
    with closing(outcomes(read, (part.source for part in given), workers)) as found:
        for outcome in found:
            yield next(parts), outcome


def _read_as_json(reader: Reader, source: Source) -> dict[str, Any]:
    """What a worker sends for JSON: less than the page, and its part of the work is done."""
    from digits.reading.answers import as_dict

    return as_dict(reader.read(source))


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
