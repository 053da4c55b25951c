"""Read the digits in pictures: photos, scans, screenshots, drawings; dark or light ink; one digit
or many.
"""

from __future__ import annotations

import argparse
import csv
import glob
import io
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
        "Standard output gets what is written, line by line, after the file's name if there are "
        "several files or pages: digits, the signs . , - / : ( ) + = and a space for a gap. Ink "
        "that may be a digit, and is not certain to be one, is ?. Words are left out. Exit status: "
        "0, or 1 if a file or page could not be read, or with --strict if there is a ?."
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="PNG, JPEG, GIF, BMP, WebP, TIFF, PPM, PGM, HEIC, AVIF or PDF, with all pages; '-' is "
        "standard input; a pattern in quotes, like '*.png', is for folders with more files than a "
        "command line can take",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--digits", action="store_true", help="print digits alone")
    output.add_argument(
        "--csv",
        action="store_true",
        help="print the cells of a table or of boxes, a line for each row; without any, a line for "
        "each line, with a column for each number",
    )
    output.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object for each picture or page, on one line",
    )
    parser.add_argument("--strict", action="store_true", help="status 1 if anything is not sure")
    parser.add_argument("--guess", action="store_true", help="the likeliest digit instead of ?")
    parser.add_argument(
        "--pattern", metavar="FORM", help="how each line is written, # for a digit: '##.##.####'"
    )
    parser.add_argument("--count", type=int, metavar="N", help="how many digits each line has")
    parser.add_argument(
        "--region",
        action="append",
        default=[],
        metavar="X,Y,W,H",
        help="read this alone, in pixels of the picture; may be repeated",
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
        from digits.reading import forms
        from digits.reading.reader import Reader

        forms.pattern_of(arguments.pattern, arguments.count)
        reader = Reader(arguments.model)
        settings: dict[str, Any] = {
            "pattern": arguments.pattern,
            "count": arguments.count,
            "regions": [forms.region_of(text) for text in arguments.region],
            "guess": arguments.guess,
        }
        parts = _parts(watched(files, "picture", beside_lines=True))
        if arguments.show is not None:
            parts = iter([_only(parts)])
        failed = unsure = 0
        # Workers make the JSON, which is less to send than the page.
        as_json = arguments.json and arguments.show is None
        read: Read[Any] = partial(_read_as_json if as_json else _read_page, reader, settings)
        with closing(_read(read, parts, arguments.workers)) as found:
            for part, (page, seconds) in found:
                if isinstance(page, DigitsError):
                    failed += 1
                    if arguments.json:
                        say_json(part.as_dict | {"error": str(page)})
                    else:
                        note(f"{prog}: {page}")
                    continue
                unsure += "?" in (page["text"] if isinstance(page, dict) else page.text)
                if arguments.json:
                    answer = page if isinstance(page, dict) else page.to_dict()
                    milliseconds = round(seconds * 1e3, 3)
                    say_json({**part.as_dict, **answer, "milliseconds": milliseconds})
                else:
                    named = len(files) > 1 or part.page is not None
                    _print(part.name, page, named, arguments)
                if arguments.show is not None:
                    from digits.reading import annotation

                    grey = cast("Grey", part.source)
                    _, findings = reader.examine(grey, **settings)
                    drawing = annotation.draw(grey, page, findings)
                    annotation.save(drawing, arguments.show)
    return 1 if failed or (arguments.strict and unsure) else 0


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


def _read_page(reader: Reader, settings: dict[str, Any], source: Source) -> Page:
    return reader.examine(source, **settings)[0]  # without the picture, which need not be sent


def _read_as_json(reader: Reader, settings: dict[str, Any], source: Source) -> dict[str, Any]:
    return reader.examine(source, **settings)[0].to_dict()


def _print(name: str, page: Page, named: bool, arguments: argparse.Namespace) -> None:
    if arguments.csv:
        for row in _rows(page):
            fields = io.StringIO()
            csv.writer(fields, lineterminator="").writerow([name, *row] if named else row)
            say(fields.getvalue())
    else:
        for line in page.lines if arguments.digits else page.text.splitlines():
            say(f"{name}: {line}" if named else line)
    if not page.digits:
        note(f"{name}: no digit found")
    elif unsure := page.text.count("?"):
        note(f"{name}: {unsure} of {len(page.digits) + unsure} digits not sure")


def _rows(page: Page) -> list[list[str]]:
    """The cells of a page's table, or the numbers of each of its lines."""
    if not page.cells:
        return [line.split() for line in page.text.splitlines()]
    height = 1 + max(cell.row for cell in page.cells)
    width = 1 + max(cell.column for cell in page.cells)
    rows = [[""] * width for _ in range(height)]
    for cell in page.cells:
        rows[cell.row][cell.column] = cell.text
    return rows


def _check_show(out: Path, files: Sequence[str]) -> None:
    """Finds mistakes in `--show` before anything is read."""
    from digits.reading import annotation

    annotation.format_of(out)
    if len(files) != 1:
        raise DigitsError(f"--show draws one picture; give one FILE with it, not {len(files):,}.")
    if out.exists() and os.path.exists(files[0]) and out.samefile(files[0]):
        raise DigitsError(f"--show {out} would overwrite the picture itself; name another file.")
