"""Strokes -> drawings for training, as people write: pens and slants differ, hands are unsteady."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digits.data.mnist import Bytes

CANVAS = 64  # pixels, the side of a drawing before it is framed as MNIST's digits are

Points = NDArray[np.float64]  # of a stroke, shape (n, 2), x to the right and y down


def write(strokes: list[Points], rng: np.random.Generator, widest: int = 8) -> Bytes:
    """Draws strokes of about height 1 in a random width and slant, with a pen of 2 to `widest`
    pixels: uint8 of shape (64, 64), ink 255 on 0."""
    wide = rng.uniform(0.6, 1.5)
    lean = rng.normal(0.1, 0.15) if rng.random() < 0.6 else rng.uniform(0.2, 0.9)
    hand = np.array([[wide, 0], [-lean, 1]])
    strokes = [(points + rng.normal(0, 0.012, points.shape)) @ hand for points in strokes]
    every = np.concatenate(strokes)
    low, extent = every.min(axis=0), np.ptp(every, axis=0).max()
    picture = Image.new("L", (CANVAS, CANVAS))
    drawing, width = ImageDraw.Draw(picture), int(rng.integers(2, widest + 1))
    for points in strokes:
        stroke(drawing, (points - low) * (46 / extent) + 9, width)
    return np.asarray(picture)


def stroke(drawing: ImageDraw.ImageDraw, points: Points, width: int) -> None:
    """Draws a stroke with round joints and ends, `width` pixels wide."""
    drawing.line([(x, y) for x, y in points], fill=255, width=width, joint="curve")
    for x, y in (points[0], points[-1]):
        drawing.circle((x, y), width / 2 - 0.5, fill=255)


def rounded(points: Points, times: int) -> Points:
    """Cuts all corners off a polygon, several times, which makes it a curve (Chaikin 1974)."""
    for _ in range(times):
        first = 0.75 * points[:-1] + 0.25 * points[1:]
        second = 0.25 * points[:-1] + 0.75 * points[1:]
        between = np.stack([first, second], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], between, points[-1:]])
    return points
