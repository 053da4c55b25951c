"""Recorded pen strokes, drawn on a canvas as with a finger or a mouse: a round pen of any width.

A file of pen strokes holds `points` of shape (m, 2), x to the right and y down, `stroke_offsets`
into the points, and `char_offsets` into the strokes.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digits.bundle import CANVAS_SIDE

HEIGHT = (60.0, 220.0)  # pixels, of a drawn digit, between the centre lines of its strokes
PEN = (10.0, 26.0)  # pixels
WIDEST_PEN = 0.16  # of the height: a pen of 26 pixels on a digit of 60 would draw a blot
SUPERSAMPLING = 4  # for smooth edges

Strokes = Sequence[NDArray[np.floating]]


def characters(file: Mapping[str, Any]) -> Iterator[Strokes]:
    """The characters of a file of pen strokes, each a list of strokes of shape (n, 2)."""
    points, strokes, chars = (file[name] for name in ("points", "stroke_offsets", "char_offsets"))
    for first, end in itertools.pairwise(chars):
        yield [points[strokes[k] : strokes[k + 1]].astype(float) for k in range(first, end)]


def draw(
    strokes: Strokes, width: float, size: tuple[int, int] = (CANVAS_SIDE, CANVAS_SIDE)
) -> NDArray[np.uint8]:
    """Draws strokes on a canvas, or on a picture of another size.

    Args:
        strokes: points in pixels of the canvas, each of shape (n, 2); a single point is a dot.
        width: of the pen, in pixels. Ends and corners are round.
        size: width and height, in pixels.

    Returns:
        uint8 of shape (height, width), ink 255 on 0, with smooth edges.
    """
    enlarged = Image.new("L", (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING))
    pen = ImageDraw.Draw(enlarged)
    radius = width * SUPERSAMPLING / 2
    for stroke in strokes:
        points = stroke * SUPERSAMPLING
        pen.line([*points.ravel()], fill=255, width=round(2 * radius))
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(enlarged.reduce(SUPERSAMPLING))


def place(strokes: Strokes, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draws a character with a random size, position and pen width, all of it on the canvas.

    The height is uniform over `HEIGHT`, or less for a character wider than the upper limit. The pen
    is uniform over `PEN`, but no wider than `WIDEST_PEN` of the height allows.

    Args:
        strokes: as `characters` gives them, in any unit.

    Returns:
        uint8 of shape (256, 256), ink 255 on 0.
    """
    height = rng.uniform(*HEIGHT)
    width = rng.uniform(PEN[0], max(PEN[0], min(PEN[1], WIDEST_PEN * height)))
    area = (CANVAS_SIDE, CANVAS_SIDE)
    return draw(scatter(strokes, height, HEIGHT[1], area, width / 2 + 1, rng), width)


def scatter(
    strokes: Strokes,
    height: float,
    widest: float,
    area: tuple[float, float],
    margin: float,
    rng: np.random.Generator,
) -> list[NDArray[np.floating]]:
    """Scales a character and moves it to a random position within an area.

    Args:
        strokes: as `characters` gives them, in any unit.
        height: of the result, less if it would be wider than `widest`.
        area: width and height.
        margin: that stays free inside the area's edges.
    """
    points = np.concatenate(strokes)
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    scale = min(height / max(size[1], 1e-9), widest / max(size[0], 1e-9))
    room = np.array(area) - 2 * margin - size * scale
    start = margin + rng.uniform(0, 1, 2) * room
    return [(stroke - corner) * scale + start for stroke in strokes]
