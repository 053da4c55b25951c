"""What stands between and beside digits: points, commas, minus signs and others, drawn by a pen."""

import numpy as np

from benchmarks.pages.pen import Ink, paste, stroke

Random = np.random.Generator
Points = list[tuple[float, float]]

WIDE = "-+="  # signs after which people leave room


def draw(sign: str, high: float, pen: float, rng: Random) -> tuple[Ink, int, int]:
    """A sign as people write it between digits, never twice the same.

    Args:
        sign: one of . , - / : ( ) + =
        high: the height of a digit, in pixels.
        pen: the width of a stroke, in pixels.

    Returns:
        its ink, how far its left edge is from the end of what stands before, and how far its top
        is below the baseline.
    """
    strokes = _strokes(sign, high, pen, rng)
    wide = pen * (rng.uniform(1.1, 1.5) if sign in ".:" else rng.uniform(0.9, 1.1))
    drawn = [stroke(points, wide) for points in strokes]
    left, top = min(x for _, x, _ in drawn), min(y for _, _, y in drawn)
    right = max(x + ink.shape[1] for ink, x, _ in drawn)
    bottom = max(y + len(ink) for ink, _, y in drawn)
    whole = np.zeros((bottom - top, right - left), np.float32)
    for ink, x, y in drawn:
        paste(whole, ink, x - left, y - top)
    least, most = (0.12, 0.26) if sign in WIDE else (0.04, 0.16)
    return whole, space(least, most, high, rng), top


def space(least: float, most: float, high: float, rng: Random) -> int:
    """Whole pixels, at least one, from a range in heights."""
    return max(1, round(rng.uniform(least, most) * high))


def _strokes(sign: str, high: float, pen: float, rng: Random) -> list[Points]:
    """The strokes of a sign, y from the baseline downwards."""

    def shaky() -> float:
        return float(rng.normal()) * 0.02 * high

    def point(level: float) -> Points:
        length = pen * rng.uniform(0, 0.5)  # a pen that is set down moves a little
        return [(0.0, level), (length, level + rng.uniform(-0.3, 0.3) * length)]

    def bar(level: float, length: float) -> Points:
        return [(0.0, level), (0.5 * length, level + shaky()), (length, level + 1.5 * shaky())]

    if sign == ".":
        return [point(-0.6 * pen + shaky())]
    if sign == ":":
        level = -rng.uniform(0.45, 0.6) * high
        return [point(-0.6 * pen + shaky()), point(level + shaky())]
    if sign == ",":
        begin, down = -rng.uniform(0, 0.06) * high, rng.uniform(0.14, 0.24) * high
        back = rng.uniform(0.04, 0.12) * high
        return [[(0.0, begin), (0.02 * high, begin + 0.45 * down), (-back, begin + down)]]
    if sign == "-":
        return [bar(-rng.uniform(0.42, 0.55) * high, rng.uniform(0.3, 0.55) * high)]
    if sign == "=":
        level, apart = rng.uniform(0.34, 0.44) * high, rng.uniform(0.2, 0.28) * high
        length = rng.uniform(0.4, 0.6) * high
        return [bar(-level, length), bar(-level - apart, length)]
    if sign == "+":
        level, reach = -rng.uniform(0.42, 0.52) * high, rng.uniform(0.2, 0.3) * high
        upright = [(reach + shaky(), level - reach), (reach + shaky(), level + reach)]
        return [bar(level, 2 * reach), upright]
    if sign == "/":
        rise, across = rng.uniform(1.05, 1.4) * high, rng.uniform(0.3, 0.55) * high
        below = rng.uniform(0.02, 0.2) * high
        middle = (0.5 * across + shaky(), below - rise / 2)
        return [[(across, below - rise), middle, (0.0, below)]]
    if sign in "()":
        bow = rng.uniform(0.14, 0.24) * high * (1 if sign == ")" else -1)
        top, bottom = -rng.uniform(1.05, 1.25) * high, rng.uniform(0.05, 0.2) * high
        shares = np.linspace(0, 1, 13)
        sideways = bow * np.cos(1.4 * (2 * shares - 1))
        return [list(zip(sideways.tolist(), (top + shares * (bottom - top)).tolist(), strict=True))]
    raise ValueError(f"no way to write {sign!r}")
