"""Digits in handwriting styles that are rare in MNIST, drawn for training.

MNIST's writers are American, and most of them young. Others start a 1 with an upstroke, which may
be as long as the stem and close to it, or put it on a foot; slash a 0; leave a 4, an 8 or a 9 open;
begin a 9 inside its loop, and end it in a hook; cross a 7, round its head and hang a hook from it;
lift the pen before the flag of a 5; put loops into a 2; write a 6 like a b, and end an 8 in a tail.
"""

import math
from collections.abc import Sequence

import numpy as np

from digits.data.mnist import Bytes
from digits.data.strokes import CANVAS, Points, rounded, write

SHARES = {
    **{0: 0.09, 1: 0.14, 2: 0.11, 3: 0.07, 4: 0.12},
    **{5: 0.12, 6: 0.08, 7: 0.10, 8: 0.07, 9: 0.10},
}
WIDEST = {0: 11, 1: 18}  # pixels, of a thick pen; the loops of other digits would be filled
ARC = 24  # points of an arc
UNSTEADY = 0.03  # standard deviation of a corner's place; a digit is 1 high


def draw_variants(count: int, seed: int) -> tuple[Bytes, Bytes]:
    """Draws digits in the proportions of `SHARES`: canvases, uint8 of shape (count, 64, 64), ink
    255 on 0, not yet in MNIST's frame, and labels, uint8 of shape (count,).

    The same seed gives the same bytes.
    """
    rng = np.random.default_rng([seed, 2])
    labels = rng.choice(list(SHARES), size=count, p=list(SHARES.values())).astype(np.uint8)
    drawn_by = (_zero, _one, _two, _three, _four, _five, _six, _seven, _eight, _nine)
    canvases = np.zeros((count, CANVAS, CANVAS), np.uint8)
    for canvas, digit in zip(canvases, labels.tolist(), strict=True):
        strokes = drawn_by[digit](rng)
        thick = rng.random() < 0.3
        canvas[:] = write(strokes, rng, WIDEST[digit] if thick and digit in WIDEST else 8)
    return canvases, labels


def _curve(
    corners: Sequence[Sequence[float]] | Points, rng: np.random.Generator, times: int = 3
) -> Points:
    """A smooth stroke along corners, each a little off its place."""
    places = np.array(corners, float)
    return rounded(places + rng.normal(0, UNSTEADY, places.shape), times)


def _arc(wide: float, high: float, begin: float, turn: float, level: float = 0.0) -> Points:
    """Part of an ellipse about (0, level), from an angle on: 0 is right, positive is clockwise."""
    angles = begin + np.linspace(0, turn, ARC)
    return np.stack([wide * np.cos(angles), level + high * np.sin(angles)], axis=1)


def _zero(rng: np.random.Generator) -> list[Points]:
    """A ring, round or with corners, open or with crossed ends, and in many a slash or a bar."""
    wide, begin = rng.uniform(0.22, 0.6), rng.normal(-1.4, 0.5)
    turn = -2 * math.pi * (1 + rng.normal(0, 0.05))
    if rng.random() < 0.15:
        turn *= rng.uniform(0.75, 0.95)
    ring, along = _arc(wide, 0.5, begin, turn), np.linspace(0, 1, ARC)
    corners = rng.uniform(0, 0.15) * np.cos(rng.integers(2, 5) * 2 * math.pi * along + begin)
    ring *= (1 + corners + rng.normal(0, 0.12) * along)[:, None]
    if rng.random() < 0.5:
        return [ring]
    across, beyond = rng.uniform(-0.2, 1, 2) * wide, rng.uniform(0.25, 0.75, 2)
    slash = _curve([[-across[0], beyond[0]], [0, 0], [across[1], -beyond[1]]], rng, 1)
    return [ring, slash]


def _one(rng: np.random.Generator) -> list[Points]:
    """A stem, most often after an upstroke from the left, and sometimes on a foot or in a hook."""
    waist = [rng.normal(0, 0.03), 0.5]
    if rng.random() < 0.2:  # the upstroke begins low and stays beside the stem
        low, wide = rng.uniform(0.55, 0.95), rng.uniform(0.06, 0.25)
        up = [[-wide - rng.normal(0.05, 0.06), low], [-wide * rng.uniform(0.4, 1.1), low / 2]]
        return [_curve([*up, [0, 0], [0, 0], waist, [rng.normal(0, 0.04), 1]], rng, 2)]
    if rng.random() < 0.2:
        hook = [[rng.uniform(0.05, 0.3), 0.97]] if rng.random() < 0.3 else []
        return [np.array([[rng.normal(0, 0.05), 0], waist, [0, 1], *hook])]
    length = rng.uniform(0.15, 0.95)
    # Away from the stem; if the upstroke were any flatter, a slanted 1 could be read as a 7.
    angle = math.radians(rng.uniform(25 - 10 * length, 54 - 12 * length))
    start = length * np.array([-math.sin(angle), math.cos(angle)])
    middle = start / 2 + rng.normal(0, 0.05, 2)
    strokes = [np.array([start, middle, [0, 0], waist, [0, 1]])]
    if rng.random() < 0.25:
        left, right = rng.uniform(0.05, 0.4, 2)
        strokes.append(np.array([[-left, 1 + rng.normal(0, 0.03)], [right, 1]]))
    return strokes


def _two(rng: np.random.Generator) -> list[Points]:
    """A hook, or a curl, then a slope with a loop at its foot, or a corner, and a wave that may
    rise."""
    curl = [[0.25, 0.3], [0, 0.38]] if rng.random() < 0.4 else []
    loop = rng.uniform(0.0, 0.25)
    top = [[-0.02, 0.2], [0.05, 0], [0.5, -0.02], [0.58, 0.3], [0.25, 0.7]]
    foot = [[0, 1.0], [-0.12, 0.95 - loop], [0.15, 0.9 - loop], [0.4, 1.02]]
    if rng.random() < 0.35:
        foot = [[-0.02, 1.0], [-0.02, 1.0], [0.18, 0.85], [0.42, 1.0]]
    slim, end = rng.uniform(0.7, 1.1), [rng.uniform(0.55, 0.95), rng.uniform(0.72, 0.95)]
    return [_curve(np.array([*curl, *top, *foot, end]) * [slim, 1], rng)]


def _three(rng: np.random.Generator) -> list[Points]:
    """A flat top and an angle, or two bows, and a lower bow that may end in a curl."""
    top = [[0, 0.03], [0.5, 0], [0.52, 0.02], [0.22, 0.4], [0.22, 0.4]]
    if rng.random() < 0.5:
        top = [[0.02, 0.15], [0.1, 0], [0.5, 0], [0.5, 0.35], [0.2, 0.44], [0.2, 0.44]]
    curl = [[-0.05, 0.78], [0.1, 0.75]] if rng.random() < 0.4 else []
    bow = [[0.6, 0.42], [0.64, 0.95], [0.2, 1.04], [0, 0.92], *curl]
    slim = rng.uniform(0.65, 1.1)
    return [_curve(np.array([*top, *bow]) * [slim, 1], rng, 2)]


def _four(rng: np.random.Generator) -> list[Points]:
    """A slope and a bar in one stroke or two, then a stem that need not reach the top, or the foot.

    Slope and stem may be parallel, as in an H.
    """
    bar = rng.uniform(0.5, 0.88)
    stem = rng.uniform(0.3, 0.65)
    top, foot = [rng.uniform(0.05, 0.55), 0.0], [0.0, bar + rng.normal(0, 0.04)]
    right = [rng.uniform(stem + 0.05, 0.95), bar + rng.normal(0, 0.04)]
    head = rng.uniform(0.0, bar - 0.1)
    upright = np.array([[stem + rng.uniform(0, 0.2), head], [stem, rng.uniform(bar + 0.1, 1.1)]])
    if rng.random() < 0.7:
        return [np.array([top, foot, right]), upright]
    low = bar + rng.uniform(0, 0.15)
    return [np.array([top, [0, low]]), np.array([[-rng.uniform(0, 0.2), bar], right]), upright]


def _five(rng: np.random.Generator) -> list[Points]:
    """A body, narrow or wide, with a corner or without, and a flag that may be off it, straight or
    in a wave, and that rises or droops."""
    wide = rng.uniform(0.3, 1.0)
    corner = [[0.08, 0.42], [0.08, 0.42]] if rng.random() < 0.6 else [[0, 0.3]]
    bow = [
        [0.35 * wide, 0.34],
        [0.62 * wide, 0.5],
        [0.58 * wide, 0.95],
        [0.2 * wide, 1.03],
        [rng.uniform(-0.15, 0.0), rng.uniform(0.8, 1.0)],
    ]
    gap, end, wave = rng.uniform(-0.05, 0.3), rng.uniform(0.4, 1.0), rng.uniform(0, 0.15)
    droop = rng.normal(0, 0.08)
    flag = [[0.12 + gap, 0.02], [0.3 + gap / 2, -wave], [0.45, wave / 2], [end, droop]]
    return [_curve([[0.12, 0.02], *corner, *bow], rng, 2), _curve(flag, rng, 2)]


def _six(rng: np.random.Generator) -> list[Points]:
    """A long stem, straight or with a hook, and a low loop that may stay open, or end in a tail to
    the right, as that of a b does."""
    hook = [[0.6, 0.1]] if rng.random() < 0.3 else []
    high, bent = rng.uniform(0.45, 0.75), rng.uniform(0.0, 0.12)
    end = [[0.12, high + 0.02], [0.02, 0.85]][: rng.integers(1, 3)]
    if rng.random() < 0.3:
        end = [[0.3, high - 0.03], [0.25, high + 0.08], [rng.uniform(0.5, 0.9), high]]
    stem = [[0.5, 0], [0.25 - bent, 0.35], [0, 0.8], [0.12, 1.03], [0.5, 0.98], [0.5, high]]
    return [_curve([*hook, *stem, *end], rng)]


def _seven(rng: np.random.Generator) -> list[Points]:
    """A bar at the top, from which a hook may hang, a stem, and most often a bar through it."""
    hook = (
        [[rng.normal(0, 0.03), rng.uniform(0.05, 0.18)], [0.0, 0.0]] if rng.random() < 0.5 else []
    )
    wave = rng.uniform(0, 0.1)
    foot = rng.uniform(0.0, 0.4)
    top = [[0, wave], [0.2, -wave], [0.4, wave], [0.6, 0], [0.6, 0]]
    if rng.random() < 0.3:  # as round as the head of a 2
        top = [[0, rng.uniform(0.08, 0.25)], [0.15, -0.02], [0.5, -0.03], [0.62, 0.18]]
        foot -= 0.1
    strokes = [_curve([*hook, *top, [0.35 + foot / 3, 0.5], [foot, 1]], rng, 1)]
    if rng.random() < 0.75:
        row = rng.uniform(0.4, 0.85)
        stem = 0.6 + (foot - 0.6) * row
        left, right = rng.uniform(0.05, 0.4, 2)
        tilt = rng.normal(0.03, 0.05)
        strokes.append(np.array([[stem - left, row + tilt], [stem + right, row - tilt]]))
    return strokes


def _eight(rng: np.random.Generator) -> list[Points]:
    """One stroke whose ends need not meet, or run out in a tail, or one ring on another."""
    wide, high = rng.uniform(0.15, 0.3, 2)
    if rng.random() < 0.3:
        rings = (wide, high, -high), (rng.uniform(0.15, 0.35), 0.5 - high, 0.5 - high)
        begin = rng.uniform(0, 6.3)
        return [_arc(w, h, begin, 2 * math.pi, place) for w, h, place in rings]
    start, end = rng.normal([0.5, 0.05], 0.07, (2, 2))
    if rng.random() < 0.15:  # the last stroke does not go up beyond the waist
        end = rng.normal([0.38, 0.42], 0.05)
    tail = [[rng.uniform(0.7, 1.1), rng.uniform(-0.1, 0.15)]] if rng.random() < 0.4 else []
    slim = rng.uniform(0.45, 1.0)
    down = [[0.25, -0.04], [0, 0.05], [0.05, 0.35], [0.5, 0.6], [0.52, 0.98]]
    up = [[0.2, 1.05], [-0.05, 0.95], [0.05, 0.65], [0.4, 0.4]]
    whole = np.array([start, *down, *up, end, *tail])
    return [_curve(whole * [slim, 1], rng)]


def _nine(rng: np.random.Generator) -> list[Points]:
    """A loop, which may be narrow or stay open, and a tail that may end in a hook to the left."""
    if rng.random() < 0.3:
        return [_nine_from_inside(rng)]
    wide, high = rng.uniform(0.1, 0.35), rng.uniform(0.07, 0.3)
    begin = rng.uniform(-1.7, 0.0)
    turn = 2 * math.pi - abs(begin) * rng.uniform(0.6, 1.2)
    loop = _arc(wide, high, begin, -turn, high)
    hook = rng.uniform(0.0, 1.0) * (rng.random() < 0.7)
    bends = (
        [wide, high],
        [wide * rng.uniform(0.7, 1.7), 0.75],
        [0.18 - 0.28 * hook, 1.0],
        [0.18 - 0.7 * hook, 1 - 0.22 * hook * rng.random()],
    )
    t = np.linspace(0, 1, 12)[:, None]  # of a Bézier curve
    powers = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
    tail = sum(power * np.array(bend) for power, bend in zip(powers, bends, strict=True))
    return [np.concatenate([loop, tail])]


def _nine_from_inside(rng: np.random.Generator) -> Points:
    """A stroke that begins inside the loop, goes round clockwise, crosses itself and falls, in a
    bow that may end in a hook to the left."""
    wide, deep = rng.uniform(0.25, 0.7), rng.uniform(0.3, 0.55)
    start = [rng.uniform(0.4, 1.0) * wide, deep * rng.uniform(0.6, 1.1)]
    loop = [[0.1 * wide, 0.9 * deep], [-0.05, 0.4 * deep], [0.3 * wide, -0.05], [wide, 0.0]]
    bow, foot = wide * rng.uniform(0.6, 1.4), rng.uniform(-0.4, 0.6) * wide
    down = [[1.05 * wide, 0.6 * deep], [0.8 * bow, deep + 0.05], [bow, 0.75], [foot, 1.0]]
    hook = [[foot - rng.uniform(0.1, 0.35), rng.uniform(0.85, 1.0)]] if rng.random() < 0.4 else []
    return _curve([start, *loop, *down, *hook], rng)
