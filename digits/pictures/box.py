"""Rectangles of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


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

    def scaled(self, factor: int) -> Box:
        """The box on a picture that is so many times as large."""
        return Box(*(side * factor for side in self))

    def within(self, height: int, width: int) -> Box:
        """What of it lies in a picture of that size."""
        left, right = (min(max(x, 0), width) for x in (self.x, self.right))
        top, bottom = (min(max(y, 0), height) for y in (self.y, self.bottom))
        return Box(left, top, right - left, bottom - top)

    @staticmethod
    def around(boxes: Sequence[Box]) -> Box:
        """The smallest box that holds several."""
        x, y = min(box.x for box in boxes), min(box.y for box in boxes)
        right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
        return Box(x, y, right - x, bottom - y)
