"""Numbers of recorded pen strokes, as one person would write them: digits of one writer, side by
side, of about one height, on a line that is not quite straight.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.handwriting.pen_strokes import Strokes

WRITERS = 30  # of the file, one after another, with about as many digits each
LENGTHS = (2, 6)  # digits
HEIGHT = (0.18, 0.4)  # of a digit, between the centre lines of its strokes; 1 is the area's
# The mean and the standard deviation, in heights of a digit.
GAP = (0.22, 0.08)  # between neighbours, besides the pen's width
NARROWEST_GAP = 0.05
UNEVEN, UNSTEADY = 0.06, 0.04  # the standard deviations of a digit's height and of its level
WIDEST = 1.2  # of the height, a digit
MARGIN = 20.0  # pixels around the number


@dataclass(frozen=True)
class Number:
    """A number's digits, and its strokes, each of shape (n, 2), in pixels of a drawing area."""

    text: str
    strokes: list[NDArray[np.floating]]


def numbers(
    characters: Sequence[Strokes],
    labels: Sequence[int],
    count: int,
    area: tuple[float, float],
    pen: float,
    rng: np.random.Generator,
) -> list[Number]:
    """Numbers of random digits, by one writer after another.

    Args:
        characters: of a file, in its order.
        labels: of the characters.
        area: width and height of the drawing area, in pixels.
        pen: its width, in pixels.
    """
    made = []
    for index in range(count):
        writer = index % WRITERS
        first, end = (len(labels) * k // WRITERS for k in (writer, writer + 1))
        chosen = rng.integers(first, end, int(rng.integers(LENGTHS[0], LENGTHS[1] + 1)))
        strokes = _written([characters[i] for i in chosen], area, pen, rng)
        made.append(Number("".join(str(labels[i]) for i in chosen), strokes))
    return made


def _written(
    digits: Sequence[Strokes], area: tuple[float, float], pen: float, rng: np.random.Generator
) -> list[NDArray[np.floating]]:
    width, height = area
    tall = min(rng.uniform(*HEIGHT) * height, (width - 2 * MARGIN) / (0.95 * len(digits)))
    strokes, left = [], 0.0
    for digit in digits:
        points = np.concatenate(digit)
        corner, size = points.min(axis=0), np.ptp(points, axis=0)
        own = tall * rng.normal(1, UNEVEN)
        scale = min(own / max(size[1], 1e-9), WIDEST * tall / max(size[0], 1e-9))
        start = np.array([left, rng.normal(0, UNSTEADY) * tall + (tall - size[1] * scale) / 2])
        for stroke in digit:
            moved = (stroke - corner) * scale + start
            # A recorder repeats the same point while the pen rests.
            steps = [moved[0], *(b for a, b in itertools.pairwise(moved) if (a != b).any())]
            strokes.append(np.array(steps))
        left += size[0] * scale + max(rng.normal(*GAP), NARROWEST_GAP) * tall + pen
    every = np.concatenate(strokes)
    low, extent = every.min(axis=0), np.ptp(every, axis=0)
    room = np.maximum(np.array(area) - 2 * MARGIN - extent, 1)
    start = MARGIN + room * rng.uniform(0, 1, 2)
    return [stroke - low + start for stroke in strokes]
