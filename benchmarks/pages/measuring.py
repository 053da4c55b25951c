"""Reads made pages and scores what was read."""

import statistics
import time
from collections.abc import Iterable, Iterator

from benchmarks.handwriting import evaluation_sets
from benchmarks.harness.json_lines import Line, Lines
from benchmarks.pages import made, scoring
from benchmarks.pages.kinds import KINDS, Kind
from benchmarks.pages.made import MadePage, Sources
from benchmarks.pages.scoring import REFUSED, Score
from digits.data.mnist import Bytes
from digits.pictures.grey import Grey
from digits.reading.page import Page
from digits.reading.reader import Reader

ONE_DIGIT = "one_digit"
ONE_DIGITS = 1000
ONE_MUST = 0.995


def pages(name: str, sources: Sources, limit: int | None) -> Iterator[MadePage]:
    """The first `limit` pages of a kind; None is all."""
    kind = KINDS[name]
    count = kind.count if limit is None else min(limit, kind.count)
    return (kind.maker(sources, rng) for rng in made.generators(name, count))


def measured(reader: Reader, name: str, sources: Sources, limit: int | None) -> Line:
    """The result line of a kind of pages, or of `ONE_DIGIT`."""
    if name == ONE_DIGIT:
        images = sources.digits[0][: ONE_DIGITS if limit is None else limit]
        return agreement(reader, evaluation_sets.scattered(images))
    return read(reader, name, KINDS[name], pages(name, sources, limit))


def read(reader: Reader, name: str, kind: Kind, of: Iterable[MadePage]) -> Line:
    """Reads pages of a kind.

    Returns:
        the line of `scoring.line_of`, with `pages`, how many were read.
    """
    scores: list[Score] = []
    times = []
    for page in of:
        answer, seconds = timed(reader, page.picture)
        times.append(seconds)
        scores += kind.scorer(scoring.answer_of(answer), page)
    line = scoring.line_of(name, scores, 1000 * statistics.median(times))
    return line | {"pages": len(times)}


def agreement(reader: Reader, pictures: Iterable[Grey]) -> Line:
    """Whether `Reader.read` says of pictures of one digit what `Reader.classify` says."""
    scores, times = [], []
    for picture in pictures:
        page, seconds = timed(reader, picture)
        times.append(seconds)
        answer, one = scoring.answer_of(page), reader.classify(picture)
        text = str(one.digit) if one.accepted else REFUSED
        lines = (text,) if one.accepted else ()
        scores.append(Score(answer.text == text, answer.lines == lines, REFUSED in answer.text))
    line = scoring.line_of(ONE_DIGIT, scores, 1000 * statistics.median(times))
    return line | {"pages": len(times)}


def timed(reader: Reader, picture: Bytes) -> tuple[Page, float]:
    """A page and the seconds that reading it took."""
    started = time.perf_counter()
    page = reader.read(picture)
    return page, time.perf_counter() - started


def meaning(name: str) -> str:
    """What the documentation calls a kind."""
    return "one digit: `read` agrees with `classify`" if name == ONE_DIGIT else KINDS[name].meaning


def summary(lines: Lines) -> str:
    """The table: every kind, what it must reach, and whether it does."""
    columns = ("right", "digits", "wrong", "with ?", "ms", "must", "goal")
    text = [f"{'kind':18s}{'n':>6s}" + "".join(f"{column:>9s}" for column in columns)]
    for line in lines:
        name = line["kind"]
        one = name == ONE_DIGIT
        must, goal = (ONE_MUST, 1.0) if one else (KINDS[name].must, KINDS[name].goal)
        right = line["right"]
        reached = "goal" if right >= goal else "must" if right >= must else "NO"
        shares = "".join(
            f"{line[share]:9.1%}" for share in ("right", "digits_right", "wrong", "refused")
        )
        text.append(
            f"{name:18s}{line['n']:6d}{shares}{line['milliseconds']:9.1f}{must:9.1%}{goal:9.1%}"
            f"  {reached}"
        )
    return "\n".join(text)
