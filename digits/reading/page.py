"""What was read in a picture: a page of readings, each with the box of its ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]


class Box(NamedTuple):
    """A rectangle of whole pixels; x grows to the right, y downwards."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column to the right of it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.y + self.height

    @property
    def window(self) -> tuple[slice, slice]:
        """Its pixels, as an index into an array of shape (height, width) or more."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def moved(self, x: int, y: int) -> Box:
        """The box, so many pixels further to the right and further down."""
        return Box(self.x + x, self.y + y, self.width, self.height)

    @staticmethod
    def around(boxes: Sequence[Box]) -> Box:
        """The smallest box that holds several."""
        x, y = min(box.x for box in boxes), min(box.y for box in boxes)
        right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
        return Box(x, y, right - x, bottom - y)


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
    """

    digit: int
    probabilities: Floats
    accepted: bool
    box: Box
    canvas: Grey
    is_digit: float

    @property
    def confidence(self) -> float:
        """The probability of `digit`, 0 to 1."""
        return float(self.probabilities[self.digit])


@dataclass(frozen=True)
class Page:
    """What was read in a picture.

    Attributes:
        digits: all accepted digits in reading order.
        lines: the same, line by line; lines without any are left out.
        readings: every piece of ink that was considered, in reading order, refused ones too.
    """

    digits: str
    lines: tuple[str, ...]
    readings: tuple[Reading, ...]


def page_of(lines: Sequence[Sequence[Reading]]) -> Page:
    """The page of these readings: lines from the top, and each line from the left."""
    texts = ["".join(str(one.digit) for one in line if one.accepted) for line in lines]
    readings = tuple(reading for line in lines for reading in line)
    return Page("".join(texts), tuple(filter(None, texts)), readings)
