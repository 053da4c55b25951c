"""The strokes of points, commas, minus signs and the other signs, as hands write them."""

from collections.abc import Callable

import numpy as np

Strokes = list[
    list[tuple[float, float]]
]  # x to the right; y from 0, a digit's head, to 1, its foot


def _point(rng: np.random.Generator) -> Strokes:
    y = rng.uniform(0.86, 1.0) if rng.random() < 0.9 else rng.uniform(0.45, 0.6)
    return [[(0, y), (rng.normal(0, 0.03), y + rng.normal(0, 0.03))]]


def _comma(rng: np.random.Generator) -> Strokes:
    y, long = rng.uniform(0.85, 1.0), rng.uniform(0.18, 0.4)
    return [[(0, y), (0.02, y + long / 2), (-rng.uniform(0.02, 0.2), y + long)]]


def _minus(rng: np.random.Generator) -> Strokes:
    y, long = rng.uniform(0.35, 0.75), rng.uniform(0.25, 1.0)
    if rng.random() < 0.2:
        y = rng.uniform(0.75, 1.0)
    tilt = rng.normal(0, 0.05) if rng.random() < 0.8 else -rng.uniform(0.1, 0.5) * long
    hook = []
    if rng.random() < 0.15:  # the pen comes from above or below
        hook = [(rng.uniform(-0.12, 0.05), y + rng.choice((-1, 1)) * rng.uniform(0.08, 0.2))]
    return [[*hook, (0, y), (long / 2, y + tilt / 2 + rng.normal(0, 0.03)), (long, y + tilt)]]


def _slash(rng: np.random.Generator) -> Strokes:
    lean = rng.uniform(0.2, 0.75)
    return [[(lean, rng.uniform(-0.25, 0.05)), (0, rng.uniform(0.95, 1.25))]]


def _colon(rng: np.random.Generator) -> Strokes:
    upper, lower = rng.uniform(0.2, 0.5), rng.uniform(0.75, 1.0)
    return [[(0, upper), (0.01, upper)], [(rng.normal(0, 0.04), lower), (0.01, lower)]]


def _bracket(rng: np.random.Generator, side: int) -> Strokes:
    deep, top, foot = rng.uniform(0.1, 0.35), rng.uniform(-0.25, 0.0), rng.uniform(1.0, 1.25)
    t = np.linspace(0, 1, 9)
    bow = side * deep * 4 * t * (1 - t)
    return [[(float(x), float(top + (foot - top) * y)) for x, y in zip(bow, t, strict=True)]]


def _plus(rng: np.random.Generator) -> Strokes:
    y, half = rng.uniform(0.45, 0.65), rng.uniform(0.2, 0.38)
    lean = rng.normal(0, 0.05)
    return [[(-half, y + lean), (half, y - lean)], [(lean, y - half), (-lean, y + half)]]


def _equals(rng: np.random.Generator) -> Strokes:
    y, apart, long = rng.uniform(0.2, 0.5), rng.uniform(0.15, 0.35), rng.uniform(0.3, 0.9)
    tilt = rng.normal(0, 0.06)
    second = [(rng.normal(0, 0.05), y + apart), (long * rng.uniform(0.8, 1.1), y + apart + tilt)]
    return [[(0, y), (long, y + tilt)], second]


STROKES: dict[str, Callable[[np.random.Generator], Strokes]] = {
    ".": _point,
    ",": _comma,
    "-": _minus,
    "/": _slash,
    ":": _colon,
    "(": lambda rng: _bracket(rng, -1),
    ")": lambda rng: _bracket(rng, 1),
    "+": _plus,
    "=": _equals,
}
