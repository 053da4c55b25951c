"""Draws lines of writing: seven in ten by a hand, the others in a font."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from digits.bundle import STRIP_HEIGHT, STRIP_WIDTH
from digits.data.lines import hands, in_font, remains
from digits.data.lines.hands import EDGE, Character, Glyphs
from digits.data.lines.texts import CHARACTERS
from digits.data.mnist import Bytes

MOST = 24  # characters of a line
BY_HAND = 0.7  # of the lines


@dataclass(frozen=True)
class Lines:
    """Strips of writing, uint8 of shape (n, 32, 192), ink 255 on 0; the indices in `CHARACTERS` of
    what is written, int32 of shape (n, MOST), filled up with -1; and the column in which the middle
    of each of them is, float32 of the same shape."""

    strips: Bytes
    labels: NDArray[np.int32]
    columns: NDArray[np.float32]

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
    for i in tqdm(range(count), "drawing lines", disable=None, leave=False):
        written: list[Character] = []
        while not written:
            if rng.random() < BY_HAND:
                glyphs = sources[int(rng.integers(len(sources)))]
                strips[i], written = _moved(*hands.write_line(glyphs, rng), rng)
            else:
                strips[i], written = _moved(*in_font.set_line(fonts, rng), rng)
        written = written[:MOST]
        labels[i, : len(written)] = [CHARACTERS.index(character) for character, _ in written]
        columns[i, : len(written)] = [column for _, column in written]
        remains.spoil(strips[i], rng)
    return Lines(strips, labels, columns)


def _moved(
    strip: Bytes, written: list[Character], rng: np.random.Generator
) -> tuple[Bytes, list[Character]]:
    """The line at a random place: in the middle of the strip, at one of its ends, or anywhere."""
    inked = np.flatnonzero(strip.any(axis=0))
    if not len(inked):
        return strip, []
    least, most = EDGE - int(inked[0]), STRIP_WIDTH - EDGE - 1 - int(inked[-1])
    if least >= most:
        return strip, written
    by = (0, least, most, int(rng.integers(least, most + 1)))[rng.integers(4)]
    return np.roll(strip, by, axis=1), [(character, column + by) for character, column in written]
