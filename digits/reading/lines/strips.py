"""A line of ink -> a strip, as the network for lines takes it: upright, of one height."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from digits.bundle import LINE_WIDTHS, STRIP_HEIGHT, STRIP_WIDTH
from digits.pictures.grey import Grey
from digits.pictures.masks import Ints
from digits.reading.page import Floats

TALL = 18  # pixels of a strip, a digit's height
MARGIN = 6  # columns of a strip that stay free on both sides of the ink
OVERLAP = 64  # columns that neighbouring windows of a long strip share
SHEARS = np.linspace(-0.3, 0.9, 17)  # pixels sideways per pixel up
UPRIGHT, RARE = 0.15, 0.4  # the mean of slants, and their standard deviation, widely taken
SAMPLED = 24  # rows, of the copy that the slant is measured on


@dataclass(frozen=True)
class Strip:
    """A line's ink upright, with its digits 18 pixels high.

    `image` is uint8 of shape (32, width); its width is one of `LINE_WIDTHS`, or even and larger.
    The strip's column `c` in its row `r` is the line's column
    `left + c / scale + shear * (16 - r) / scale`, and its row 16 is the line's row `level`.
    """

    image: Grey
    left: float
    level: float
    scale: float
    shear: float

    @property
    def windows(self) -> list[int]:
        """The even columns at which the windows begin, at most 192 wide, that the network is
        shown."""
        last = max(self.image.shape[1] - STRIP_WIDTH, 0)
        count = -(-last // (STRIP_WIDTH - OVERLAP)) + 1
        return [last * i // max(count - 1, 1) // 2 * 2 for i in range(count)]

    def widened(self, width: int) -> Strip:
        """The strip with as much paper on its left as on its right, so many columns in all."""
        beside = (width - self.image.shape[1]) // 2
        image = np.pad(self.image, ((0, 0), (beside, beside)))
        return replace(self, image=image, left=self.left - beside / self.scale)

    def rows(self, height: int) -> Ints:
        """The strip's row of each of the ink's rows, int64 of shape (height,)."""
        rows = (np.arange(height) + 0.5 - self.level) * self.scale + STRIP_HEIGHT / 2
        return np.clip(np.floor(rows), 0, STRIP_HEIGHT - 1).astype(np.int64)

    def offsets(self, height: int) -> Floats:
        """The ink's column at the strip's column 0, in each of the ink's rows."""
        above = self.level - (np.arange(height) + 0.5)
        return (self.left + self.shear * above).astype(np.float32)


def strip_of(ink: Grey, level: float, height: float, shear: float) -> Strip:
    """Brings a line's ink into a strip.

    Args:
        ink: of one line, uint8 of shape (h, w), bright on 0, cropped to the ink.
        level: the row in the middle of its digits.
        height: of its digits, in pixels.
        shear: of its writing, from `slant`.
    """
    scale = TALL / height
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    small = Image.fromarray(ink).resize(size, Image.Resampling.BOX)
    middle = level * scale
    above, below = shear * middle, shear * (middle - size[1])  # by which its ends are displaced
    begin = min(0.0, -above, -below) - MARGIN
    end = size[0] + max(0.0, -above, -below) + MARGIN
    needed = end - begin
    widths = (width for width in LINE_WIDTHS.values() if width >= needed)
    width = next(widths, 2 * int(np.ceil(needed / 2)))
    begin -= (width - needed) / 2
    # From a pixel of the strip to the one of the small line.
    matrix = (1, -shear, begin + shear * STRIP_HEIGHT / 2, 0, 1, middle - STRIP_HEIGHT / 2)
    image = small.transform(
        (width, STRIP_HEIGHT), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return Strip(_brightened(np.asarray(image)), begin / scale, level, scale, shear)


def heavier(strip: Strip) -> Strip:
    """The strip as if it were written with a thicker pen, by half a pixel on each side."""
    wide = Image.fromarray(strip.image).filter(ImageFilter.MaxFilter(3))
    return replace(strip, image=np.asarray(Image.blend(Image.fromarray(strip.image), wide, 0.5)))


def lighter(strip: Strip) -> Strip:
    """The strip as if it were written with a thinner pen."""
    narrow = Image.fromarray(strip.image).filter(ImageFilter.MinFilter(3))
    blend = Image.blend(Image.fromarray(strip.image), narrow, 0.4)
    return replace(strip, image=_brightened(np.asarray(blend)))


def _brightened(pixels: Grey) -> Grey:
    """With its brightest pixel at 255: thin strokes are paled by averaging."""
    return np.rint(pixels * np.float32(255 / max(int(pixels.max()), 1))).astype(np.uint8)


def slant(ink: Grey) -> float:
    """How far writing leans to the right, in pixels sideways per pixel up.

    Upright strokes fill few columns, so the columns' sums of ink are the most uneven where a line
    was sheared upright (Vinciarelli & Luettin 2001).
    """
    factor = max(1, ink.shape[0] // SAMPLED)
    small = np.asarray(Image.fromarray(ink).reduce(factor), np.float32)
    rows, columns = small.shape
    room = int(np.ceil(rows * 0.5)) + 1
    padded = np.pad(small, ((0, 0), (room, room))).ravel()
    wide = columns + 2 * room
    above = rows / 2 - np.arange(rows) - 0.5
    shifts = np.round(SHEARS[:, None] * above).astype(np.int64)  # of each row, to the right
    place = np.arange(columns + room) + room // 2
    at = np.clip(place[None, None] + shifts[:, :, None], 0, wide - 1)
    sums = padded[at + (np.arange(rows) * wide)[None, :, None]].sum(axis=1)
    # A few digits say little, so a slant that is rare needs more evidence.
    usual = np.exp(-(((SHEARS - UPRIGHT) / RARE) ** 2) / 2)
    return float(SHEARS[((sums * sums).sum(axis=1) * usual).argmax()])
