"""Draws recorded pen strokes on a canvas, as a finger or a mouse would: a round pen of any width.

A pendigits file holds `points` (m, 2), x to the right and y down, `stroke_offsets` into them, and
`char_offsets` into the strokes.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

CANVAS = 256  # pixels, the side of a canvas
HEIGHT = (60.0, 220.0)  # pixels, of a drawn digit, from middle to middle of the pen
PEN = (3.0, 20.0)  # pixels
THICKEST = 0.16  # of the height: a pen of 20 on a digit of 60 would draw a blot
FINER = 4  # times as many pixels while drawing, for smooth edges

Strokes = Sequence[NDArray[np.floating]]


def characters(file: Mapping[str, Any]) -> Iterator[Strokes]:
    """The characters of a pendigits file, each a list of strokes of shape (n, 2)."""
    points, strokes, chars = (file[name] for name in ("points", "stroke_offsets", "char_offsets"))
    for first, end in itertools.pairwise(chars):
        yield [points[strokes[k] : strokes[k + 1]].astype(float) for k in range(first, end)]


def draw(strokes: Strokes, width: float) -> NDArray[np.uint8]:
    """The canvas with these strokes on it, uint8 of shape (256, 256), ink 255 on 0, smooth edges.

    Args:
        strokes: points in pixels of the canvas, each of shape (n, 2); a single point is a dot.
        width: of the pen, pixels. Ends and corners are round.
    """
    finer = Image.new("L", (CANVAS * FINER, CANVAS * FINER))
    pen = ImageDraw.Draw(finer)
    radius = width * FINER / 2
    for stroke in strokes:
        points = stroke * FINER
        pen.line([*points.ravel()], fill=255, width=round(2 * radius))
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(finer.reduce(FINER))


def place(strokes: Strokes, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draws a character at a random size and place, with a random pen, all of it inside.

    Its height is uniform over `HEIGHT`, less if it would be wider than the tallest is high, its pen
    uniform over `PEN` up to `THICKEST`.

    Args:
        strokes: as `characters` gives them, in any unit.

    Returns:
        uint8 of shape (256, 256), ink 255 on 0.
    """
    points = np.concatenate(strokes)
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    height = rng.uniform(*HEIGHT)
    width = rng.uniform(PEN[0], min(PEN[1], THICKEST * height))
    scale = min(height / max(size[1], 1e-9), HEIGHT[1] / max(size[0], 1e-9))
    margin = width / 2 + 1
    room = CANVAS - 2 * margin - size * scale
    start = margin + rng.uniform(0, 1, 2) * room
    return draw([(stroke - corner) * scale + start for stroke in strokes], width)
