"""Digits in shapes that only other digits beside them tell from letters and signs.

Many South Americans begin a 9 inside its loop and let the stem fall from the loop's left, like a P
or a question mark; a 5 may be no more than a tick with a flag, a 7 a cross, a 1 a long loop, or a
leaf, whose upstroke begins at the foot. In a line of digits they are digits. Alone they are not, so
the network for one digit never sees them.
"""

import numpy as np

from digits.data.mnist import Bytes
from digits.data.strokes import CANVAS, rounded, write

UNSTEADY = 0.02  # standard deviation of a corner's place; a digit is 1 high

Corners = list[list[float]]  # of a stroke, x to the right and y down


def draw_in_context(count: int, rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Draws as many digits: canvases, uint8 of shape (count, 64, 64), ink 255 on 0, and labels,
    uint8 of shape (count,). Each digit's are of one shape after the other."""
    shapes = sorted(_SHAPES * -(-count // len(_SHAPES)), key=_SHAPES.index)[:count]
    canvases = np.zeros((len(shapes), CANVAS, CANVAS), np.uint8)
    for canvas, (_, strokes_of) in zip(canvases, shapes, strict=True):
        strokes = [
            rounded(np.array(stroke) + rng.normal(0, UNSTEADY, (len(stroke), 2)), 3)
            for stroke in strokes_of(rng)
        ]
        canvas[:] = write(strokes, rng)
    return canvases, np.array([digit for digit, _ in shapes], np.uint8)


def _one_looped(rng: np.random.Generator) -> list[Corners]:
    """An upstroke and a stem that make a long, narrow loop, or touch, like an l."""
    wide, low, foot = rng.uniform(0.0, 0.3), rng.uniform(0.45, 0.9), rng.normal(0, 0.04)
    start = [-wide - rng.uniform(0, 0.25), low + rng.uniform(0, 0.1)]
    hook = [[foot - rng.uniform(0.1, 0.3), rng.uniform(0.92, 1.02)]] if rng.random() < 0.5 else []
    up = [start, [-wide / 2, low - 0.15], [-0.3 * wide, 0.2]]
    return [[*up, [0, -0.03], [0.06, 0.1], [0.03, 0.5], [foot, 1], *hook]]


def _one_like_a_leaf(rng: np.random.Generator) -> list[Corners]:
    """Its upstroke begins at the foot, or a little before it, and comes back to the stem at the
    head: closed, or nearly."""
    wide, low = rng.uniform(0.05, 0.2), rng.uniform(0.85, 1.05)
    foot = rng.normal(-0.02, 0.05)
    before = [[foot - rng.uniform(0.05, 0.3), low - rng.uniform(-0.05, 0.15)]]
    up = [[-wide, rng.uniform(0.5, 0.75)], [-wide * rng.uniform(0.5, 1.0), 0.25]]
    head = [[0, -0.03], [0, 0.0]] if rng.random() < 0.5 else [[-0.05, -0.04], [0.06, 0.08]]
    stem = [[rng.uniform(0.0, 0.12), 0.5], [rng.normal(0, 0.05), 1.0]]
    return [[*before[: rng.integers(2)], [foot, low], *up, *head, *stem]]


def _one_like_a_tent(rng: np.random.Generator) -> list[Corners]:
    """Two straight strokes of nearly the same length that meet at the head."""
    wide, low = rng.uniform(0.15, 0.45), rng.uniform(0.7, 1.05)
    up = [[-wide, low], [-wide * rng.uniform(0.4, 0.6), low / 2], [0.0, 0.0], [0.0, 0.0]]
    return [[*up, [rng.normal(0, 0.03), 0.5], [rng.normal(0, 0.05), 1.0]]]


def _two_looped(rng: np.random.Generator) -> list[Corners]:
    """Its head curls in as far as a loop, and its foot is another."""
    curl = [[rng.uniform(0.15, 0.4), rng.uniform(0.3, 0.5)], [0.0, rng.uniform(0.25, 0.4)]]
    loop, right = rng.uniform(0.05, 0.3), rng.uniform(0.5, 0.9)
    head = [[0.05, 0.0], [0.5, -0.05], [0.58, 0.25], [0.3, 0.65]]
    foot = [[0.0, 1.02], [-0.15, 0.98 - loop], [0.1, 0.9 - loop], [0.4, 1.02], [right, 0.92]]
    return [[*curl, *head, *foot]]


def _five_ticked(rng: np.random.Generator) -> list[Corners]:
    """A tick or an r: a short stroke down, one up, and a flag at its top."""
    left, top = rng.uniform(0.15, 0.5), rng.uniform(0.3, 0.6)
    corner = rng.uniform(-0.05, 0.1)
    tick = [[-left, top], [-left / 2, top + 0.1], [0.0, 1.0]]
    if rng.random() < 0.5:  # an r, down and up again
        tick = [[rng.normal(0, 0.05), rng.uniform(0.0, 0.4)], [0.0, 1.0]]
    bow = [[0.0, 1.0], [0.04, 0.6], [corner + 0.15, 0.15]]
    flag = [[corner + 0.15, 0.15], [0.35, 0.05], [rng.uniform(0.5, 0.9), rng.normal(0.03, 0.06)]]
    return [[*tick, *bow[1:], *flag[1:]]]


def _five_flagged(rng: np.random.Generator) -> list[Corners]:
    """Narrow as an s whose top is a long flag to the right."""
    bow = [[0.25, 0.1], [0.05, 0.35], [0.3, 0.5], [0.35, 0.85], [0.1, 1.03], [-0.1, 0.9]]
    end = rng.uniform(0.5, 1.0)
    return [[[end, rng.normal(0, 0.06)], [0.55 * end, 0.06], *bow]]


def _seven_crossed(rng: np.random.Generator) -> list[Corners]:
    """A stem with a bar through it, like a t or a plus: of the head a short hook is left."""
    head, foot = rng.uniform(0.0, 0.3), rng.uniform(-0.35, 0.0)
    row = rng.uniform(0.35, 0.65)
    at = foot * row
    stem = [[-head, rng.uniform(0.0, 0.12)], [-head / 2, 0.0], [0.0, 0.0], [at, row], [foot, 1.0]]
    left, right, tilt = rng.uniform(0.15, 0.45), rng.uniform(0.2, 0.5), rng.normal(0.02, 0.05)
    return [stem, [[at - left, row + tilt], [at + right, row - tilt]]]


def _eight_open(rng: np.random.Generator) -> list[Corners]:
    """Two strokes that cross, over one loop, like a gamma."""
    wide, row = rng.uniform(0.25, 0.4), rng.uniform(0.4, 0.55)
    loop = [[wide * 1.6, 0.7], [wide * 1.3, 1.02], [wide * 0.7, 1.02], [wide * 0.4, 0.7]]
    start, end = [rng.normal(0, 0.05), rng.normal(0.02, 0.05)], [2 * wide, rng.normal(0, 0.05)]
    return [[start, [0.1 * wide, 0.25], [wide, row], *loop, [wide, row], [1.8 * wide, 0.25], end]]


def _nine_like_p(rng: np.random.Generator) -> list[Corners]:
    """Its stem is on the left of its loop."""
    wide, deep, closed = rng.uniform(0.25, 0.55), rng.uniform(0.35, 0.6), rng.uniform(-0.05, 0.2)
    loop = [
        [rng.uniform(-0.1, 0.15), rng.uniform(0.05, 0.35)],
        [0.4 * wide, -0.03],
        [wide, 0.05],
        [wide, 0.8 * deep],
        [closed, deep],
    ]
    stem = [[rng.uniform(-0.05, 0.12), rng.uniform(0.0, 0.25)], [0.02, 0.5]]
    return [loop, [*stem, [rng.normal(0, 0.08), 1]]]


def _nine_curled(rng: np.random.Generator) -> list[Corners]:
    """A question mark whose head closes: it begins inside, goes round clockwise, crosses itself,
    and falls."""
    wide, deep = rng.uniform(0.4, 0.75), rng.uniform(0.4, 0.6)
    start = [rng.uniform(0.3, 0.9) * wide, deep * rng.uniform(0.75, 1.15)]
    loop = [[0.15 * wide, 0.85 * deep], [-0.05, 0.4 * deep], [0.3 * wide, -0.05], [wide, 0.0]]
    down = [[1.05 * wide, 0.6 * deep], [rng.uniform(0.3, 0.6) * wide, 1.05 * deep]]
    foot = rng.uniform(-0.15, 0.5) * wide
    return [[start, *loop, *down, [foot + 0.05, 0.8], [foot, 1.0]]]


def _nine_open(rng: np.random.Generator) -> list[Corners]:
    """A g whose loop stays open: a hook at the top, up again on its right, and down."""
    wide, waist = rng.uniform(0.35, 0.6), rng.uniform(0.35, 0.55)
    top = [[0.9 * wide, rng.uniform(0.05, 0.15)], [0.4 * wide, -0.04], [-0.05, 0.25]]
    up = [[0.35 * wide, waist], [wide, rng.uniform(0.1, 0.3)], [wide * rng.uniform(0.9, 1.1), 0.6]]
    return [[*top, *up, [rng.uniform(0.4, 0.9) * wide, 1.0], [rng.uniform(-0.2, 0.4), 0.95]]]


_SHAPES = (
    (1, _one_looped),
    (1, _one_like_a_leaf),
    (1, _one_like_a_tent),
    (2, _two_looped),
    (5, _five_ticked),
    (5, _five_flagged),
    (7, _seven_crossed),
    (8, _eight_open),
    (9, _nine_like_p),
    (9, _nine_curled),
    (9, _nine_open),
)
