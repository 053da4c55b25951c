"""What is known of a picture beforehand: the form of its lines, and the regions to read."""

import math
from collections.abc import Sequence
from dataclasses import replace

from digits.errors import DigitsError
from digits.pictures.box import Box
from digits.reading.lines.decoding import DIGIT, SIGNS
from digits.reading.page import Page

MOST = 100  # characters of a pattern


def pattern_of(pattern: str | None, count: int | None) -> str | None:
    """The pattern that lines keep to, from a pattern or a number of digits; None without either.

    Raises:
        DigitsError: both are given, or one that cannot be.
    """
    if pattern is not None and count is not None:
        raise DigitsError("A pattern says how many digits there are; give no count with it.")
    if count is not None:
        if not 1 <= count <= MOST:
            raise DigitsError(f"The count of digits must be from 1 to {MOST}, not {count}.")
        return DIGIT * count
    if pattern is None:
        return None
    wrong = sorted({symbol for symbol in pattern if symbol not in DIGIT + SIGNS + " "})
    if wrong or DIGIT not in pattern or len(pattern) > MOST:
        raise DigitsError(
            f"The pattern {pattern!r:.60} must have at least one # for a digit, at most {MOST} "
            f"characters, and besides # only spaces and {' '.join(SIGNS)}."
        )
    return pattern.strip()


def region_of(text: str) -> tuple[int, int, int, int]:
    """A region from text such as 120,40,300,60. Raises DigitsError if it is none."""
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().lstrip("-").isdecimal() for part in parts):
        raise DigitsError(
            f"The region {text!r:.60} is not x,y,width,height in whole pixels, like 120,40,300,60."
        )
    x, y, width, height = map(int, parts)
    return x, y, width, height


def boxes_of(regions: Sequence[tuple[int, int, int, int]], shape: tuple[int, ...]) -> list[Box]:
    """Regions of a picture of shape (h, w), cut off at its borders. Raises DigitsError if one has
    no pixel of it."""
    height, width = shape
    found = []
    for region in regions:
        x, y, wide, high = region
        left, top = max(x, 0), max(y, 0)
        box = Box(left, top, min(x + wide, width) - left, min(y + high, height) - top)
        if box.width < 1 or box.height < 1:
            raise DigitsError(
                f"The region {x},{y},{wide},{high} is not in the picture, which is "
                f"{width} × {height} pixels; regions are x,y,width,height."
            )
        found.append(box)
    return found


def together(pages: Sequence[Page], boxes: Sequence[Box]) -> Page:
    """The pages of regions as one of the whole picture, in which they lie at these boxes."""
    lines = groups = 0
    found = []
    for page, (x, y, *_) in zip(pages, boxes, strict=True):
        readings = tuple(
            replace(
                one,
                box=one.box.moved(x, y),
                line=None if one.line is None else one.line + lines,
                group=None if one.group is None else one.group + groups,
            )
            for one in page.readings
        )
        own = tuple(
            replace(one, box=one.box.moved(x, y), line=one.line + lines) for one in page.groups
        )
        cells = tuple(replace(one, box=one.box.moved(x, y)) for one in page.cells)
        lines += 1 + max((one.line or 0 for one in page.readings), default=-1)
        groups += len(own)
        found.append(replace(page, readings=readings, groups=own, cells=cells))
    return Page(
        "\n".join(page.text for page in found),
        "".join(page.digits for page in found),
        tuple(line for page in found for line in page.lines),
        tuple(one for page in found for one in page.readings),
        tuple(one for page in found for one in page.groups),
        tuple(one for page in found for one in page.cells),
        math.prod(page.confidence for page in found if page.groups) if groups else 0.0,
    )
