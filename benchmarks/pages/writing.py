"""Writes numbers by hand: digits of MNIST's validation part, separators drawn by a pen.

Ink is float32 of shape (h, w), 0 for paper to 1 for ink, with grey edges. A digit of height 1 is as
high as the 20 pixels to which MNIST scaled it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from digits.bundle import DIGIT_SIDE
from digits.data.mnist import Bytes, Mnist, split

Ink = NDArray[np.float32]
Random = np.random.Generator

VALIDATION = 5000
# Of these, what a person would not write down as its label says, found by looking at the forty of
# which the shipped network is least sure; 3871 is underlined.
NOT_AS_LABELLED = (1014, 1397, 1596, 2367, 2564, 2744, 2972, 3022, 3871, 4552, 4915)
MNIST_HEIGHT = 20  # pixels, of a digit in MNIST
A_WRITERS = 200  # neighbouring images of MNIST: its files keep a writer's digits together
PEN = (0.085, 0.15)  # heights, width of a stroke
INKED = 0.38  # grey level, 0 to 1, at which a stroke of MNIST ends
SPECK = 0.14  # of a digit's ink: what is smaller was left over when MNIST was cut from forms
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
    return enlarged(image, size / MNIST_HEIGHT, writer.pen)


def enlarged(image: Bytes, scale: float, pen: float) -> Ink:
    """A digit as a pen writes it: enlarged smoothly, with an edge of about a pixel.

    Args:
        image: uint8 of shape (28, 28).
        scale: pixels for each pixel of the image.
        pen: width of a stroke, in pixels. Strokes become at most a fifth thinner or a third wider
            for it: thinner ones would break, wider ones fill loops.

    Returns:
        its ink, cropped.
    """
    side = round((DIGIT_SIDE + 8) * scale)
    large = Image.fromarray(np.pad(image, 4)).resize((side, side), Image.Resampling.BICUBIC)
    smooth = ndimage.gaussian_filter(np.asarray(large, np.float32) / 255, 0.3 * scale)
    inked = _without_specks(smooth > INKED)
    own = _stroke_width(inked)
    wider = float(np.clip(pen - own, -0.2 * own, 0.33 * own))
    outside = ndimage.distance_transform_edt(~inked)
    inside = ndimage.distance_transform_edt(inked)
    depth = np.where(inked, inside - 0.5, 0.5 - outside)  # from the outline, positive inside
    return cropped(np.clip(ndimage.gaussian_filter(depth, 0.9) + wider / 2 + 0.5, 0, 1))


def cropped(ink: NDArray[np.floating]) -> Ink:
    """Ink, of which there must be some, without the empty rows and columns around it."""
    inked = ink > 0.02
    rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def stroke(points: Sequence[tuple[float, float]], width: float) -> tuple[Ink, int, int]:
    """A stroke of a round pen along a polyline.

    Args:
        points: (x, y), y downwards; one point is a dot.
        width: of the pen, in pixels.

    Returns:
        its ink, and the x and y of the ink's top left corner.
    """
    path = np.array(points, np.float64)
    reach = width / 2 + 1
    left, top = (int(np.floor(low - reach)) for low in path.min(axis=0))
    right, bottom = (int(np.ceil(high + reach)) + 1 for high in path.max(axis=0))
    y, x = np.mgrid[top:bottom, left:right].astype(np.float64)
    nearest = np.full(x.shape, np.inf)
    ends = path[1:] if len(path) > 1 else path
    for (x0, y0), (x1, y1) in zip(path[: len(ends)], ends, strict=True):
        dx, dy = x1 - x0, y1 - y0
        along = ((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-9)
        along = np.clip(along, 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return np.clip(width / 2 - nearest + 0.5, 0, 1).astype(np.float32), left, top


def separator(sign: str, writer: Hand, rng: Random) -> tuple[Ink, int, int]:
    """A point, comma, minus sign, slash, colon as people write them between digits.

    Returns:
        its ink, how far its left edge is from the end of the digit before, and how far its top is
        below the baseline.
    """
    high, pen = writer.height, writer.pen

    def shaky() -> float:
        return float(rng.normal()) * 0.02 * high

    if sign == ".":
        length = pen * rng.uniform(0, 0.5)  # a pen that is set down moves a little
        points = [(0.0, 0.0), (length, rng.uniform(-0.3, 0.3) * length)]
        ink, _, top = stroke(points, pen * rng.uniform(1.1, 1.5))
        return ink, _space(0.06, 0.18, high, rng), round(top - 0.6 * pen + shaky())
    if sign == ",":
        down, back = rng.uniform(0.14, 0.24) * high, rng.uniform(0.04, 0.12) * high
        points = [(0.0, 0.0), (0.02 * high, 0.45 * down), (-back, down)]
        ink, _, top = stroke(points, pen * rng.uniform(0.95, 1.15))
        return ink, _space(0.04, 0.14, high, rng), round(top - rng.uniform(0, 0.06) * high)
    if sign == "-":
        length, level = rng.uniform(0.3, 0.55) * high, rng.uniform(0.42, 0.55) * high
        points = [(0.0, 0.0), (0.5 * length, shaky()), (length, rng.normal() * 0.03 * high)]
        ink, _, top = stroke(points, pen)
        return ink, _space(0.12, 0.26, high, rng), round(top - level)
    if sign == "/":
        rise, across = rng.uniform(1.05, 1.4) * high, rng.uniform(0.3, 0.55) * high
        below = rng.uniform(0.02, 0.2) * high
        points = [(across, below - rise), (0.5 * across + shaky(), below - rise / 2), (0.0, below)]
        ink, _, top = stroke(points, pen)
        return ink, _space(0.04, 0.16, high, rng), top
    raise ValueError(f"no way to write {sign!r}")


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
        space = _space(*spacing, writer.height, rng)
        if character == " ":
            end += round(writer.height * rng.uniform(0.6, 0.9))
            continue
        level = 0.7 * level + BASELINE_VARIES * writer.height * float(rng.normal())
        if not character.isdigit():
            ink, space, top = separator(character, writer, rng)
            placed.append(Placed(ink, end + space if end else 0, round(top + level)))
            end = placed[-1].right + (round(0.04 * writer.height) if character == "-" else 0)
            continue
        ink = digit(int(character), writer, rng)
        top = round(level) - len(ink)
        left = end + space if end else 0
        if place in touching and last is not None:
            if rng.random() < 0.6:
                left = _overlapping(last, ink, top, rng.uniform(0, 0.06) * writer.height)
            else:
                left = last.right + round(rng.uniform(0.02, 0.12) * writer.height)
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
        paste(page, one.ink, one.left - left, one.top - top)
    return page


def paste(page: Ink, ink: Ink, left: int, top: int) -> None:
    """Adds ink to a page, all of which must lie on it."""
    height, width = ink.shape
    where = page[top : top + height, left : left + width]
    np.maximum(where, ink, out=where)


def _without_specks(inked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A digit without the specks beside it, which would be points and commas to whoever reads."""
    labels, count = ndimage.label(inked, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    kept = sizes >= SPECK * inked.sum()
    kept[0] = False
    return kept[labels]


def _space(least: float, most: float, height: float, rng: Random) -> int:
    return max(1, round(rng.uniform(least, most) * height))


def _overlapping(last: Placed, ink: Ink, top: int, overlap: float) -> int:
    """The left edge of a digit whose strokes overlap those of the last one by so many pixels, in
    the row where they are closest."""
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
    for _ in range(6):
        begin, end = _inked(last, rng, -1, 0.6), _inked(now, rng, 0, 0.5)
        strokes.append((float(np.hypot(end[0] - begin[0], end[1] - begin[1])), begin, end))
    _, begin, end = min(strokes)
    ink, left, top = stroke([begin, end], writer.pen * rng.uniform(0.6, 1))
    return Placed(ink, left, top)


def _inked(one: Placed, rng: Random, side: int, upper: float) -> tuple[float, float]:
    """The first (0) or last (-1) inked point, as (x, y), of a random row in the upper part."""
    rows = np.flatnonzero((one.ink > 0.5).any(axis=1))
    row = int(rows[rng.integers(max(1, int(upper * len(rows))))])
    columns = np.flatnonzero(one.ink[row] > 0.5)
    return one.left + float(columns[side]), one.top + float(row)


def _stroke_width(inked: NDArray[np.bool_]) -> float:
    """Of long strokes, in pixels: the area divided by half the length of the outline."""
    padded = np.pad(inked, 1)
    steps = sum(int((padded != np.roll(padded, 1, axis)).sum()) for axis in (0, 1))
    # An outline of pixel edges is longer than the smooth one, by 4 / π over all directions.
    return float(2 * inked.sum() / max(steps * np.pi / 4, 1))
