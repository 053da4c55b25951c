"""The characters of a line -> its text, as it is written: separators, gaps, and ? for what is not
sure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from digits.layout.cells import Cell as CellBox
from digits.pictures.box import Box
from digits.reading.lines.judging import confidence
from digits.reading.page import Cell, Group, Page, Reading

GAP = 0.55  # of a line's height, the narrowest gap between words
ALONE = 0.6  # of a line's height, what is taken for the usual gap where there is only one
InPicture = Callable[[Box], Box]  # from the ink map to the picture

HARDLY, UNSURE, SURELY = -2.5, -1.0, 3.0  # mean logarithms of the odds of being digits
BETWEEN = 0.5  # of the widest gap of a line of words, the narrowest beside a number
USUAL = 2.2  # times the usual gap of its line, the narrowest gap between words


@dataclass(frozen=True)
class Symbol:
    """A character as it is shown.

    Attributes:
        shown: a digit, a sign, or ? for what is not sure, or no digit.
        box: around its ink, in pixels of the ink map.
        reading: of a digit, or of ink that is not sure; None for a sign.
        letter: whether it is rather a letter, or another character, than a digit.
        agreement: of both networks, as in `Judged`; 0 for a sign.
    """

    shown: str
    box: Box
    reading: Reading | None
    letter: bool
    agreement: float = 0.0

    @property
    def guessed(self) -> Symbol:
        """With its likeliest digit, sure or not."""
        return replace(self, shown=str(self.reading.digit)) if self.reading else self


def parted(boxes: Sequence[Box], height: float) -> list[slice]:
    """The parts of a line, from left to right, that gaps make: wider than most, and than half a
    digit. `height` is that of the line's digits, in pixels as those of the boxes."""
    if not boxes:
        return []
    gaps = np.array([b.x - a.right for a, b in itertools.pairwise(boxes)], float)
    # The gap at a third of them in order of width: gaps between words are fewer than others.
    usual = max(np.sort(gaps)[(len(gaps) - 1) // 3], 0.0) if len(gaps) > 1 else ALONE * height
    ends = np.flatnonzero(gaps > max(GAP * height, USUAL * usual)) + 1
    return [slice(a, b) for a, b in itertools.pairwise([0, *ends.tolist(), len(boxes)])]


def numbers(parts: Sequence[list[Symbol]]) -> list[list[Symbol]]:
    """The parts of a line without those that are words; none at all in a line without a digit.

    In a line that is mostly letters, a single character must surely be a digit, and those of a part
    be digits about as likely as not; half of a part may not be letters, and it must be as far from
    the others as words are: `room` has two zeros.
    """
    wordy = _is_word([one for part in parts for one in part])
    gaps = [_apart(one[-1].box, other[0].box) for one, other in itertools.pairwise(parts)]
    least = BETWEEN * max(gaps, default=0)

    def belongs_to_words(index: int, part: Sequence[Symbol]) -> bool:
        unlikely = _odds(part) < (SURELY if len(part) == 1 else UNSURE)
        near = any(gap < least for gap in gaps[max(index - 1, 0) : index + 1])
        return _has_letters(part) or unlikely or near

    kept = [
        part
        for index, part in enumerate(parts)
        if not _is_word(part) and not (wordy and belongs_to_words(index, part))
    ]
    return kept if any(_is_number(part) for part in kept) else []


def _apart(one: Box, other: Box) -> int:
    """The pixels between two boxes; lines of a page that was turned may run in any direction."""
    across = max(other.x - one.right, one.x - other.right)
    return max(across, other.y - one.bottom, one.y - other.bottom)


def _is_number(part: Sequence[Symbol]) -> bool:
    """Whether a part has a digit, or what is likely to be one."""
    return any(one.shown.isdigit() or (one.reading and not one.letter) for one in part)


def _is_word(part: Sequence[Symbol]) -> bool:
    """Whether a part has several letters, and its characters together are hardly digits."""
    return _has_letters(part) and _odds(part) < HARDLY


def _has_letters(part: Sequence[Symbol]) -> bool:
    """Whether a part has several letters, and no fewer than digits."""
    letters = sum(one.letter for one in part)
    return letters >= max(2, sum(one.shown.isdigit() for one in part))


def _odds(part: Sequence[Symbol]) -> float:
    """The mean logarithm of the odds that the characters of a part are digits."""
    chances = [min(max(one.reading.is_digit, 1e-4), 1 - 1e-4) for one in part if one.reading]
    odds = [math.log(chance / (1 - chance)) for chance in chances]
    return sum(odds) / max(len(odds), 1)


def parts_in_form(symbols: Sequence[Symbol], pattern: str) -> list[list[Symbol]]:
    """The symbols of a line that keeps to a pattern, one for each of its characters, parted where
    the pattern has spaces."""
    coming = iter(symbols)
    return [list(itertools.islice(coming, len(part))) for part in pattern.split()]


@dataclass(frozen=True)
class Row:
    """A line of writing: the parts of it that are numbers, all its symbols, and its cell."""

    parts: list[list[Symbol]]
    symbols: list[Symbol]
    cell: CellBox | None


def page_of(
    rows: Sequence[Row], cells: Sequence[CellBox] = (), in_picture: InPicture = lambda box: box
) -> Page:
    """The page of lines from the top.

    Lines in cells of one row of a table are one line of text; in a single row of boxes, they are
    one number, which an empty box parts.
    """
    of_cell: dict[CellBox, list[str]] = {}
    lines: list[list[Row]] = []
    for row in rows:
        if row.cell:
            of_cell.setdefault(row.cell, []).extend(_written(row.parts))
        before = lines[-1][-1].cell if lines else None
        if row.cell and before and row.cell.row == before.row:
            lines[-1].append(row)
        else:
            lines.append([row])
    boxes = len({cell.row for cell in cells}) == 1
    groups: list[Group] = []
    agreements: list[float] = []
    readings: list[Reading] = []
    texts: list[str] = []
    for number, line in enumerate(lines):
        parts = _in_boxes(line) if boxes else [part for row in line for part in row.parts]
        group_of: dict[int, int] = {}
        for run in _runs(parts):
            group_of |= {id(one): len(groups) for one in run}
            box = Box.around([one.box for one in run])
            own = [one.agreement for one in run]
            agreements += own
            shown = "".join(one.shown for one in run)
            groups.append(Group(shown, box, number, confidence(own)))
        readings += [
            replace(one.reading, line=number, group=group_of.get(id(one)))
            for row in line
            for one in row.symbols
            if one.reading
        ]
        texts.append(" ".join(_written(parts)))
    digits = ["".join(filter(str.isdigit, text)) for text in texts]
    filled = tuple(
        Cell(cell.row, cell.column, " ".join(of_cell.get(cell, [])), in_picture(cell.box))
        for cell in cells
    )
    return Page(
        "\n".join(filter(None, texts)),
        "".join(digits),
        tuple(filter(None, digits)),
        tuple(readings),
        tuple(groups),
        filled,
        confidence(agreements) if agreements else 0.0,
    )


def _written(parts: Sequence[Sequence[Symbol]]) -> list[str]:
    return ["".join(one.shown for one in part) for part in parts]


def _in_boxes(line: Sequence[Row]) -> list[list[Symbol]]:
    """The parts of a line in boxes: what is in neighbouring boxes is one part."""
    found: list[list[Symbol]] = []
    before: int | None = None
    for row in line:
        column = row.cell.column if row.cell else None
        if column is not None and before is not None and column <= before + 1 and found:
            found[-1] += [one for part in row.parts for one in part]
        else:
            found += [list(part) for part in row.parts]
        before = column
    return found


def _runs(parts: Sequence[Sequence[Symbol]]) -> list[list[Symbol]]:
    """The runs of digits, and of what is not sure, that gaps and signs part."""
    found: list[list[Symbol]] = []
    for part in parts:
        before = False
        for one in part:
            belongs = one.reading is not None
            if belongs and before:
                found[-1].append(one)
            elif belongs:
                found.append([one])
            before = belongs
    return found
