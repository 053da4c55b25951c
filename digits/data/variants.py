"""Digits in handwriting styles that are rare in MNIST, drawn for training.

MNIST's writers are American. Elsewhere, people start a 1 with an upstroke, which may be as long as
the stem, or put it on a foot; leave a 4 open, with a low stem; end a 9 in a hook; cross a 7 and
slash a 0.
"""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from digits.data.mnist import Bytes
from digits.data.strokes import CANVAS, Points, stroke, write

SHARES = {1: 0.45, 4: 0.15, 9: 0.15, 7: 0.15, 0: 0.1}


def draw_variants(count: int, images: Bytes, labels: Bytes, seed: int) -> tuple[Bytes, Bytes]:
    """Draws digits in the proportions of `SHARES`: canvases, uint8 of shape (count, 64, 64), ink
    255 on 0, not yet in MNIST's frame, and labels, uint8 of shape (count,).

    Some are made from sevens and zeros among the training digits: `images`, uint8 of shape
    (n, 28, 28), and `labels`, uint8 of shape (n,). The same seed gives the same bytes.
    """
    rng = np.random.default_rng([seed, 2])
    drawn = rng.choice(list(SHARES), size=count, p=list(SHARES.values())).astype(np.uint8)
    of_digit = {digit: images[labels == digit] for digit in (0, 7)}
    drawn_by = {1: _one, 4: _four, 9: _nine}
    canvases = np.zeros((count, CANVAS, CANVAS), np.uint8)
    for canvas, digit in zip(canvases, drawn.tolist(), strict=True):
        if digit in drawn_by:
            canvas[:] = write(drawn_by[digit](rng), rng)
        else:
            canvas[:] = _crossed(digit, of_digit[digit], rng)
    return canvases, drawn


def _one(rng: np.random.Generator) -> list[Points]:
    """An upstroke from the left, a stem, and sometimes a foot."""
    length = rng.uniform(0.15, 0.95)
    # Away from the stem; if the upstroke were any flatter, a slanted 1 could be read as a 7.
    angle = math.radians(rng.uniform(25 - 10 * length, 54 - 12 * length))
    start = length * np.array([-math.sin(angle), math.cos(angle)])
    middle = start / 2 + rng.normal(0, 0.05, 2)
    waist = [rng.normal(0, 0.03), 0.5]
    strokes = [np.array([start, middle, [0, 0], waist, [0, 1]])]
    if rng.random() < 0.25:
        left, right = rng.uniform(0.05, 0.4, 2)
        strokes.append(np.array([[-left, 1 + rng.normal(0, 0.03)], [right, 1]]))
    return strokes


def _four(rng: np.random.Generator) -> list[Points]:
    """A slope and a bar in one stroke, then a stem that need not reach the top."""
    bar = rng.uniform(0.5, 0.75)
    stem = rng.uniform(0.3, 0.65)
    slope = [[rng.uniform(0.2, 0.55), 0], [0, bar + rng.normal(0, 0.04)]]
    head = rng.uniform(0.0, bar - 0.1)
    return [
        np.array([*slope, [rng.uniform(stem + 0.05, 0.9), bar]]),
        np.array([[stem + rng.uniform(0, 0.12), head], [stem, 1]]),
    ]


def _nine(rng: np.random.Generator) -> list[Points]:
    """A loop, and a tail that ends in a hook to the left."""
    wide, high = rng.uniform(0.2, 0.35), rng.uniform(0.2, 0.32)
    begin = rng.uniform(-0.9, 0.0)
    around = begin - np.linspace(0, 2 * math.pi - abs(begin) * rng.uniform(0.6, 1.2), 20)
    loop = np.stack([wide * np.cos(around), high * (1 + np.sin(around))], axis=1)
    hook = rng.uniform(0.0, 1.0)
    bends = (
        [wide, high],
        [wide * rng.uniform(0.7, 1.1), 0.75],
        [wide * (0.6 - hook), 1.0],
        [wide * (0.6 - 2.6 * hook), 1 - 0.22 * hook * rng.random()],
    )
    t = np.linspace(0, 1, 12)[:, None]  # of a Bézier curve
    powers = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
    tail = sum(power * np.array(bend) for power, bend in zip(powers, bends, strict=True))
    return [np.concatenate([loop, tail])]


def _crossed(digit: int, images: Bytes, rng: np.random.Generator) -> Bytes:
    """A seven with a bar through its stem, or a zero with a slash through its hole."""
    image = Image.fromarray(images[rng.integers(len(images))])
    picture = image.resize((56, 56), Image.Resampling.BILINEAR)
    canvas = ImageOps.expand(picture, (CANVAS - 56) // 2)
    left, top, right, bottom = canvas.getbbox() or (0, 0, CANVAS, CANVAS)
    wide, high = right - left, bottom - top
    if digit == 7:
        row = top + high * rng.uniform(0.42, 0.62)
        inked = np.flatnonzero(np.asarray(canvas)[int(row)] > 100)
        stem = inked.mean() if len(inked) else (left + right) / 2
        reach = wide * rng.uniform(0.2, 0.45, 2)
        rise = rng.normal(1.5, 1.5)
        ends = [[stem - reach[0], row + rise], [stem + reach[1], row - rise]]
    else:
        beyond = rng.uniform(-0.15, 0.12, 2) * high
        inset = rng.uniform(0.0, 0.35, 2) * wide
        ends = [[left + inset[0], bottom + beyond[0]], [right - inset[1], top - beyond[1]]]
    stroke(ImageDraw.Draw(canvas), np.array(ends), int(rng.integers(3, 6)))
    return np.asarray(canvas)
