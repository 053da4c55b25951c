"""What was read in a picture: a page of readings, each with the box of its ink."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.pictures.box import Box
from digits.pictures.grey import Grey
from digits.reading.answers import CellAnswer, GroupAnswer, PageAnswer, ReadingAnswer

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """What one piece of ink was read as.

    Attributes:
        digit: the most likely digit, 0 to 9, even if the reading is not accepted.
        probabilities: float32 of shape (10,), summing to 1, given that the ink is a digit.
        accepted: False means "not sure, or not a digit".
        box: around the ink, in pixels of the picture.
        canvas: uint8 of shape (256, 256), what the model was shown.
        is_digit: the probability that the ink is a digit at all, 0 to 1.
        line: the number of its line, from 0; None where it was read alone.
        group: the index of its number in `Page.groups`; None if it is in none.
    """

    digit: int
    probabilities: Floats
    accepted: bool
    box: Box
    canvas: Grey
    is_digit: float
    line: int | None = None
    group: int | None = None

    @property
    def confidence(self) -> float:
        """The probability of `digit`, 0 to 1."""
        return float(self.probabilities[self.digit])

    @property
    def answer(self) -> ReadingAnswer:
        """The reading as it stands in the answer about its page."""
        return ReadingAnswer(
            digit=self.digit,
            confidence=round(self.confidence, 6),
            accepted=self.accepted,
            probabilities=[round(one, 6) for one in self.probabilities.tolist()],
            box=list(self.box),
            line=self.line,
            group=self.group,
        )

    def to_dict(self) -> dict[str, Any]:
        """The reading as `Page.to_dict` has it among its `readings`."""
        return asdict(self.answer)

    def __repr__(self) -> str:
        sure = "" if self.accepted else "?"
        return f"Reading({self.digit}{sure}, {self.confidence:.1%}, {self.box})"

    def _repr_png_(self) -> bytes:
        """The canvas, as notebooks show it."""
        from digits.reading.annotation import png_of  # reading needs no fonts

        return png_of(Image.fromarray(self.canvas))


@dataclass(frozen=True)
class Group:
    """A number: digits, and ? for what is not sure, without a gap or a sign between them.

    `box` is around its ink, in pixels of the picture, `line` the number of its line, and
    `confidence` the probability, 0 to 1, that all of its digits are right, the likeliest ones where
    it has a ?.
    """

    text: str
    box: Box
    line: int
    confidence: float


@dataclass(frozen=True)
class Cell:
    """A cell of a table, or one of a row of boxes; `row` and `column` count from 0.

    `text` is what is written in it, lines parted by spaces; `box` is in pixels of the picture.
    """

    row: int
    column: int
    text: str
    box: Box


@dataclass(frozen=True)
class Page:
    """What was read in a picture.

    Attributes:
        text: lines as they are written, parted by line breaks: digits, ? for what is not sure,
            the signs . , - / : ( ) + = and a space for a gap. Words are left out.
        digits: all accepted digits in reading order.
        lines: the same, line by line; lines without any are left out.
        readings: every piece of ink that was considered, in reading order, refused ones too.
        groups: the numbers, in reading order.
        cells: of a table or of boxes, by row and column; none if there are none.
        confidence: the probability, 0 to 1, that the digits of all numbers are right, the likeliest
            ones where there is a ?; 0 if there is no number.
        picture: what was read, uint8 of shape (h, w); None if it was not kept, as of many pictures.
    """

    text: str
    digits: str
    lines: tuple[str, ...]
    readings: tuple[Reading, ...]
    groups: tuple[Group, ...] = ()
    cells: tuple[Cell, ...] = ()
    confidence: float = 0.0
    picture: Grey | None = field(default=None, compare=False)

    @property
    def answer(self) -> PageAnswer:
        """The page as the command line and HTTP answer with it."""
        return PageAnswer(
            self.text,
            self.digits,
            list(self.lines),
            [one.answer for one in self.readings],
            [GroupAnswer(x.text, list(x.box), x.line, round(x.confidence, 6)) for x in self.groups],
            [CellAnswer(x.row, x.column, x.text, list(x.box)) for x in self.cells],
            round(self.confidence, 6),
        )

    def to_dict(self) -> dict[str, Any]:
        """What the command line and HTTP give as JSON: `text`, `digits`, `lines`, `readings`,
        `groups`, `cells` and `confidence`, of numbers, strings, lists and dicts alone."""
        return asdict(self.answer)

    def __repr__(self) -> str:
        count = len(self.readings)
        return f"Page({self.text!r}, confidence {self.confidence:.1%}, {count} readings)"

    def _repr_png_(self) -> bytes | None:
        """The picture with what was read in it, as notebooks show it."""
        from digits.reading.annotation import draw, png_of  # reading needs no fonts

        return None if self.picture is None else png_of(draw(self.picture, self))


def page_of_one(reading: Reading) -> Page:
    """The page that holds one reading alone."""
    digits = str(reading.digit) if reading.accepted else ""
    text = digits or ("?" if reading.box.width else "")
    sure = reading.confidence * reading.is_digit if text else 0.0
    group = (Group(text, reading.box, 0, sure),) if text else ()
    placed = replace(reading, line=0, group=0 if text else None)
    return Page(text, digits, (digits,) if digits else (), (placed,), group, (), sure)
