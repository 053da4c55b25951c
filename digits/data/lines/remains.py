"""What else is in a strip of writing: rules, remains of other lines and of boxes, specks."""

import numpy as np
from PIL import Image, ImageDraw

from digits.bundle import STRIP_HEIGHT, STRIP_WIDTH
from digits.data.mnist import Bytes

WALL = 8  # columns at most between writing and a wall beside it
LEANING = 8  # columns that a wall's foot is away from its head at most


def spoil(strip: Bytes, rng: np.random.Generator) -> None:
    """Adds remains to a strip, uint8 of shape (32, 192), or gives it hard edges; many stay as they
    are."""
    chances = rng.random(6)
    if chances[0] < 0.15:
        _rule(strip, rng)
    if chances[1] < 0.12:  # feet of the line above, or heads of the line below
        rows = int(rng.integers(1, 5))
        place = slice(0, rows) if rng.random() < 0.5 else slice(STRIP_HEIGHT - rows, STRIP_HEIGHT)
        runs = np.repeat(rng.random(STRIP_WIDTH // 4) < 0.3, 4)
        np.maximum(strip[place], np.where(runs, np.uint8(255), np.uint8(0)), out=strip[place])
    if chances[2] < 0.15:
        _wall(strip, rng)
    if chances[3] < 0.3:  # specks
        for _ in range(rng.integers(1, 12)):
            y, x = rng.integers(0, STRIP_HEIGHT), rng.integers(0, STRIP_WIDTH)
            high, wide = rng.integers(1, 3, 2)
            strip[y : y + high, x : x + wide] = rng.integers(60, 256)
    if chances[4] < 0.3:  # a hard edge instead of a grey one
        strip[:] = np.where(strip > rng.integers(60, 160), np.uint8(255), np.uint8(0))
    if chances[5] < 0.08:  # a rule was taken out, and strokes along it with it
        row = int(rng.integers(STRIP_HEIGHT // 2, STRIP_HEIGHT))
        strip[row : row + int(rng.integers(1, 4))] = 0


def _rule(strip: Bytes, rng: np.random.Generator) -> None:
    """A rule, or what is left of one."""
    row, slope = rng.uniform(0, STRIP_HEIGHT), rng.normal(0, 0.01)
    begin, end = np.sort(rng.integers(0, STRIP_WIDTH, 2)).tolist()
    if rng.random() < 0.5:
        begin, end = 0, STRIP_WIDTH
    _line(strip, (begin, row + slope * begin, end, row + slope * end), rng)


def _wall(strip: Bytes, rng: np.random.Generator) -> None:
    """A straight line beside the writing, higher than it: the wall of a box, or the picture's
    edge."""
    inked = np.flatnonzero(strip.any(axis=0))
    if rng.random() < 0.5:
        x = int(inked[0]) - int(rng.integers(1, WALL + 1))
    else:
        x = int(inked[-1]) + int(rng.integers(1, WALL + 1))
    head, foot = int(rng.integers(-4, 4)), STRIP_HEIGHT + int(rng.integers(-4, 4))
    lean = rng.uniform(-LEANING, LEANING) / 2 * (rng.random() < 0.6)
    _line(strip, (x + lean, head, x - lean, foot), rng)


def _line(strip: Bytes, ends: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    picture, grey = Image.fromarray(strip), int(rng.integers(80, 256))
    ImageDraw.Draw(picture).line(ends, fill=grey, width=int(rng.integers(1, 3)))
    np.maximum(strip, np.asarray(picture), out=strip)
