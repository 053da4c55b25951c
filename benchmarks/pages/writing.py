"""Writes numbers by hand: digits of MNIST's validation part, separators drawn by a pen.

Ink is float32 of shape (h, w), 0 for paper to 1 for ink, with grey edges. A digit of height 1 is as
high as the 20 pixels to which MNIST scaled it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.pages import pen, signs
from benchmarks.pages.pen import Ink
from digits.data.mnist import Bytes, Mnist, split

Random = np.random.Generator

VALIDATION = 5000
# Of these, what a person would not write down as its label says, found by looking at the forty of
# which the shipped network is least sure; 1286 is a blot, and 3871 is underlined.
NOT_AS_LABELLED = (1014, 1286, 1397, 1596, 2367, 2564, 2744, 2972, 3022, 3871, 4552, 4915)
MNIST_HEIGHT = 20  # pixels, of a digit in MNIST
A_WRITERS = 200  # neighbouring images of MNIST: its files keep a writer's digits together
PEN = (0.085, 0.15)  # heights, width of a stroke
SIZE_VARIES = 0.05  # standard deviation of a digit's size, of the line's
BASELINE_VARIES = 0.03  # standard deviation, in heights
SPACING = (0.08, 0.26)  # heights, between the ink of digits that do not touch


@dataclass(frozen=True)
class Hand:
    """Who writes, and with which pen.

    Attributes:
        images: uint8 of shape (n, 28, 28), this writer's digits.
        labels: uint8 of shape (n,).
        height: of a digit, in pixels.
        pen: width of a stroke, in pixels. The writer's digits in MNIST are of several pens; they
            are brought nearer to this one.
    """

    images: Bytes
    labels: Bytes
    height: float
    pen: float


@dataclass(frozen=True)
class Placed:
    """Ink whose top left corner is `left` pixels to the right and `top` pixels below the line's
    begin on its baseline."""

    ink: Ink
    left: int
    top: int

    @property
    def right(self) -> int:
        return self.left + self.ink.shape[1]


def validation_digits(mnist: Mnist) -> tuple[Bytes, Bytes]:
    """The images and labels that no recipe trains on and that are not MNIST's test digits, without
    `NOT_AS_LABELLED`."""
    _, (images, labels) = split(mnist.train_images, mnist.train_labels, VALIDATION)
    kept = np.setdiff1d(np.arange(VALIDATION), NOT_AS_LABELLED)
    return images[kept], labels[kept]


def hand(digits: tuple[Bytes, Bytes], height: tuple[float, float], rng: Random) -> Hand:
    """A writer and a pen.

    Args:
        digits: images and labels, from `validation_digits`.
        height: of the digits, pixels, from and to.
    """
    images, labels = digits
    first = int(rng.integers(len(images) - A_WRITERS + 1))
    own = slice(first, first + A_WRITERS)
    high = rng.uniform(*height)
    return Hand(images[own], labels[own], high, max(2.0, rng.uniform(*PEN) * high))


def digit(of: int, writer: Hand, rng: Random) -> Ink:
    """One of the writer's digits of this value, in a size that varies a little."""
    where = np.flatnonzero(writer.labels == of)
    image = writer.images[where[rng.integers(len(where))]]
    size = writer.height * (1 + SIZE_VARIES * float(np.clip(rng.normal(), -2, 2)))
    return pen.enlarged(image, size / MNIST_HEIGHT, writer.pen)


def line(
    text: str,
    writer: Hand,
    rng: Random,
    spacing: tuple[float, float] = SPACING,
    touching: Collection[int] = (),
) -> list[Placed]:
    """Writes a line.

    Args:
        text: digits, separators, and a space for a gap one digit wide.
        spacing: between the ink of neighbours, heights, from and to.
        touching: the places of the characters that touch the one before them.

    Returns:
        the ink of each character, and of strokes that join them.
    """
    level, placed, end, last = 0.0, [], 0, None
    for place, character in enumerate(text):
        space = signs.space(*spacing, writer.height, rng)
        if character == " ":
            end += round(writer.height * rng.uniform(0.6, 0.9))
            continue
        level = 0.7 * level + BASELINE_VARIES * writer.height * float(rng.normal())
        if not character.isdigit():
            ink, space, top = signs.draw(character, writer.height, writer.pen, rng)
            placed.append(Placed(ink, end + space if end else 0, round(top + level)))
            room = 0.04 * writer.height if character in signs.WIDE else 0.0
            end = placed[-1].right + round(room)
            continue
        ink = digit(int(character), writer, rng)
        top = round(level) - len(ink)
        left = end + space if end else 0
        if place in touching and last is not None:
            overlaps = rng.random() < 0.6
            overlap = rng.uniform(0, 0.06) if overlaps else -rng.uniform(0.02, 0.1)
            left = _overlapping(last, ink, top, overlap * writer.height)
            if not overlaps:
                placed.append(_joined(last, Placed(ink, left, top), writer, rng))
        last = Placed(ink, left, top)
        placed.append(last)
        end = last.right
    return placed


def pasted(placed: Sequence[Placed]) -> Ink:
    """The ink of a line, cropped."""
    left, top = min(one.left for one in placed), min(one.top for one in placed)
    right = max(one.right for one in placed)
    bottom = max(one.top + len(one.ink) for one in placed)
    page = np.zeros((bottom - top, right - left), np.float32)
    for one in placed:
        pen.paste(page, one.ink, one.left - left, one.top - top)
    return page


def _overlapping(last: Placed, ink: Ink, top: int, overlap: float) -> int:
    """The left edge of a digit whose strokes overlap those of the last one by so many pixels, in
    the row where they are closest; negative pixels keep them apart."""
    reach = []
    for row in range(max(last.top, top), min(last.top + len(last.ink), top + len(ink))):
        one, other = last.ink[row - last.top] > 0.5, ink[row - top] > 0.5
        if one.any() and other.any():
            reach.append(np.flatnonzero(one)[-1] + 1 - np.flatnonzero(other)[0])
    return last.left + round(max(reach, default=last.ink.shape[1]) - overlap)


def _joined(last: Placed, now: Placed, writer: Hand, rng: Random) -> Placed:
    """A short stroke from one digit to the next, as of a pen that was not lifted: from the right of
    one to the left of the other, high up, the shortest of some."""
    strokes = []
    for _ in range(12):
        begin, end = _inked(last, rng, -1, 0.6), _inked(now, rng, 0, 0.5)
        strokes.append((float(np.hypot(end[0] - begin[0], end[1] - begin[1])), begin, end))
    _, begin, end = min(strokes)
    ink, left, top = pen.stroke([begin, end], writer.pen * rng.uniform(0.6, 1))
    return Placed(ink, left, top)


def _inked(one: Placed, rng: Random, side: int, upper: float) -> tuple[float, float]:
    """The first (0) or last (-1) inked point, as (x, y), of a random row in the upper part."""
    rows = np.flatnonzero((one.ink > 0.5).any(axis=1))
    row = int(rows[rng.integers(max(1, int(upper * len(rows))))])
    columns = np.flatnonzero(one.ink[row] > 0.5)
    return one.left + float(columns[side]), one.top + float(row)
