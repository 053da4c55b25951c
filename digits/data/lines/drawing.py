"""Draws lines of writing: seven in ten by a hand, the others in a font."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from tqdm import tqdm

from digits.bundle import LINE_WIDTHS, STRIP_HEIGHT, STRIP_WIDTH
from digits.data.lines import hands, in_font, remains
from digits.data.lines.hands import EDGE, Character, Glyphs
from digits.data.lines.texts import CHARACTERS
from digits.data.mnist import Bytes

MOST = 24  # characters of a line
BY_HAND = 0.7  # of the lines
FREE = 8  # columns at each side of a line that are free in a strip of its width
FINE = 0.6  # of the lines, those that are written with a finer pen
FINEST = 0.9  # of a pixel, what strokes lose at each of their sides
EACH = 4  # columns for a character, and for the blank before one that repeats
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.bool_)
FULL = 95  # percentile of a line's ink, what is full


@dataclass(frozen=True)
class Lines:
    """Strips of writing, uint8 of shape (n, 32, 192), ink 255 on 0; the indices in `CHARACTERS` of
    what is written, int32 of shape (n, MOST), filled up with -1; the column in which the middle of
    each of them is, float32 of the same shape; and one of `LINE_WIDTHS`, int32 of shape (n,): the
    writing is in so many columns in the middle."""

    strips: Bytes
    labels: NDArray[np.int32]
    columns: NDArray[np.float32]
    widths: NDArray[np.int32]

    @property
    def texts(self) -> list[str]:
        """What is written in each strip."""
        return ["".join(CHARACTERS[i] for i in row if i >= 0) for row in self.labels.tolist()]


def draw_lines(
    count: int, sources: Sequence[Glyphs], fonts: list[list[Path]], seed: list[int]
) -> Lines:
    """Draws lines: `BY_HAND` of them by a hand, whose glyphs are all from one of `sources`, the
    others in fonts.

    The same seed gives the same bytes.
    """
    rng = np.random.default_rng(seed)
    strips = np.zeros((count, STRIP_HEIGHT, STRIP_WIDTH), np.uint8)
    labels = np.full((count, MOST), -1, np.int32)
    columns = np.zeros((count, MOST), np.float32)
    widths = np.full(count, STRIP_WIDTH, np.int32)
    for i in tqdm(range(count), "drawing lines", disable=None, leave=False):
        written: list[Character] = []
        while not written:
            if rng.random() < BY_HAND:
                glyphs = sources[int(rng.integers(len(sources)))]
                strips[i], written = hands.write_line(glyphs, rng)
            else:
                strips[i], written = in_font.set_line(fonts, rng)
            inked = np.flatnonzero(strips[i].any(axis=0))
            written = written if len(inked) else []
        widths[i] = _width(inked, len(written))
        by = _moved_by(inked, int(widths[i]), rng)
        strips[i], written = np.roll(strips[i], by, axis=1), [(of, x + by) for of, x in written]
        written = written[:MOST]
        labels[i, : len(written)] = [CHARACTERS.index(character) for character, _ in written]
        columns[i, : len(written)] = [column for _, column in written]
        if rng.random() < FINE:
            strips[i] = _finer(strips[i], rng.uniform(0, FINEST))
        remains.spoil(strips[i], rng)
    return Lines(strips, labels, columns, widths)


def _width(inked: NDArray[np.int64], characters: int) -> int:
    """The narrowest strip for a line of so many characters, with ink in these columns."""
    needed = max(int(np.ptp(inked)) + 1 + 2 * FREE, EACH * characters)
    return min((width for width in LINE_WIDTHS.values() if width >= needed), default=STRIP_WIDTH)


def _moved_by(inked: NDArray[np.int64], width: int, rng: np.random.Generator) -> int:
    """How far a line is moved to the right: to a random place in the strip's middle columns, so
    many, which is their middle, one of their ends, or anywhere between."""
    left = (STRIP_WIDTH - width) // 2
    least, most = left + EDGE - int(inked[0]), left + width - EDGE - 1 - int(inked[-1])
    if least >= most:
        return 0
    return ((least + most) // 2, least, most, int(rng.integers(least, most + 1)))[rng.integers(4)]


def _finer(strip: Bytes, by: float) -> Bytes:
    """The strip as with a finer pen: strokes are narrower by so much of a pixel on each side, less
    than 1, and most are as bright as before. MNIST's pens are thicker than most people's."""
    core = ndimage.minimum_filter(strip, footprint=CROSS)
    thin = strip - by * (strip.astype(np.float32) - core)
    full = float(np.percentile(thin[thin > 0], FULL))
    return np.minimum(np.rint(thin * (255 / full)), 255).astype(np.uint8)
