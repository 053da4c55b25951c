"""Training digits as other pens write them: hairlines, broken lines, blots, coarse pixels."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from digits.bundle import DIGIT_SIDE
from digits.data.mnist import Bytes

ENLARGED = 4  # times, before a digit is written again
SIDE = ENLARGED * DIGIT_SIDE
SHARES = {"hairline": 0.4, "broken": 0.1, "blot": 0.2, "coarse": 0.3}
CHUNK = 500  # digits at a time

Masks = NDArray[np.bool_]


def rewrite(count: int, images: Bytes, labels: Bytes, seed: int) -> tuple[Bytes, Bytes]:
    """Writes training digits again with other pens, in the proportions of `SHARES`.

    Args:
        count: how many.
        images: training digits, uint8 of shape (n, 28, 28).
        labels: their labels, uint8 of shape (n,).
        seed: the same seed gives the same bytes.

    Returns:
        canvases, uint8 of shape (count, 112, 112), ink bright on 0, not yet in MNIST's frame, and
        labels, uint8 of shape (count,).
    """
    rng = np.random.default_rng([seed, 3])
    chosen = rng.integers(len(images), size=count)
    kinds = rng.choice(list(SHARES), size=count, p=list(SHARES.values()))
    pens = {"hairline": _hairlines, "broken": _broken, "blot": _blots, "coarse": _coarse}
    canvases = np.empty((count, SIDE, SIDE), np.uint8)
    for kind, pen in pens.items():
        of_kind = np.flatnonzero(kinds == kind)
        for start in range(0, len(of_kind), CHUNK):
            part = of_kind[start : start + CHUNK]
            canvases[part] = pen(images[chosen[part]], rng)
    return canvases, labels[chosen]


def _enlarged(images: Bytes) -> Masks:
    size = (SIDE, SIDE)
    large = [Image.fromarray(image).resize(size, Image.Resampling.BICUBIC) for image in images]
    return np.array([np.asarray(picture) for picture in large], np.uint8).reshape(-1, *size) > 110


def _hairlines(images: Bytes, rng: np.random.Generator) -> Bytes:
    """The middle of each stroke, 1 to 4 pixels wide, which are a quarter to one of the digit's."""
    lines, widths = skeletons(_enlarged(images)), rng.integers(1, 5, len(images))
    for line, width in zip(lines, widths, strict=True):
        if width > 1:
            line[:] = ndimage.binary_dilation(line, np.ones((width, width)))
    return lines * np.uint8(255)


def _broken(images: Bytes, rng: np.random.Generator) -> Bytes:
    """Thin lines with gaps, where the pen left the paper."""
    lines = _hairlines(images, rng)
    noise = ndimage.gaussian_filter(rng.normal(size=lines.shape), (0, 3, 3))
    limits = np.quantile(noise, 0.15, axis=(1, 2), keepdims=True)
    return np.where(noise < limits, 0, lines).astype(np.uint8)


def _blots(images: Bytes, rng: np.random.Generator) -> Bytes:
    """Strokes 1 to 6 pixels thicker on each side, which are up to 1.5 of the digit's."""
    masks = _enlarged(images)
    for mask, thicker in zip(masks, rng.uniform(1, 6, len(images)), strict=True):
        mask[:] = ndimage.distance_transform_edt(~mask) < thicker
    return masks * np.uint8(255)


def _coarse(images: Bytes, rng: np.random.Generator) -> Bytes:
    """Digits 7 to 16 pixels high, in greys or in black and white alone."""
    canvases = np.zeros((len(images), SIDE, SIDE), np.uint8)
    for canvas, image in zip(canvases, images, strict=True):
        side = int(rng.integers(10, 23))  # of the picture, of which a digit is 20/28
        small = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BOX))
        if rng.random() < 0.5:
            small = (small > rng.uniform(0.3, 0.55) * small.max()) * np.uint8(255)
        canvas[:side, :side] = small
    return canvases


def skeletons(masks: Masks) -> Masks:
    """Thins strokes to lines one pixel wide that keep their ends and crossings.

    Zhang & Suen 1984, all masks at once. `masks` has the shape (n, height, width).
    """
    thin = np.pad(masks, ((0, 0), (1, 1), (1, 1)))
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            gone = _removable(thin, first)
            changed |= bool(gone.any())
            thin[:, 1:-1, 1:-1] &= ~gone
    return np.ascontiguousarray(thin[:, 1:-1, 1:-1])


def _removable(thin: Masks, first: bool) -> Masks:
    """What one half of Zhang and Suen's step takes away; `thin` has a border of a pixel."""
    height, width = thin.shape[1] - 2, thin.shape[2] - 2
    # From the neighbour above, clockwise.
    steps = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
    around = [thin[:, down : down + height, right : right + width] for down, right in steps]
    neighbours = np.sum(around, axis=0, dtype=np.int8)
    turns = sum(
        (~one & other).view(np.int8)
        for one, other in zip(around, around[1:] + around[:1], strict=True)
    )
    up, right, down, left = around[::2]
    if first:
        kept = (up & right & down) | (right & down & left)
    else:
        kept = (up & right & left) | (up & down & left)
    inside = thin[:, 1:-1, 1:-1]
    return inside & (neighbours >= 2) & (neighbours <= 6) & (turns == 1) & ~kept
