"""Which ink of a line belongs to which of its characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digits.bundle import STRIP_HEIGHT
from digits.pictures.grey import Grey
from digits.pictures.masks import Ints
from digits.reading.page import Floats

SIDEWAYS = np.float32(0.03)  # of full ink, what a step aside costs
BESIDE = np.float32(0.25)  # of full ink, what a step costs at the middle of a character
FAR = np.float32(1e9)


def seams(strip: Grey, columns: Sequence[float]) -> Floats:
    """The cheapest ways from the top of a strip to its foot between neighbouring characters.

    Each goes through as little ink as possible (shortest paths: Wang & Jean 1993).

    Args:
        strip: uint8 of shape (32, w).
        columns: the middle of each of n characters, from left to right.

    Returns:
        float32 of shape (n - 1, 32): the first column on the right of each way, in each row.
    """
    left = np.floor(np.array(columns[:-1], np.float64)).astype(np.int64)
    right = np.ceil(np.array(columns[1:], np.float64)).astype(np.int64)
    left, right = np.clip(left, 0, strip.shape[1] - 2), np.clip(right, 1, strip.shape[1] - 1)
    wide = int((right - left).max()) + 1
    at = left[:, None] + np.arange(wide)  # the columns of each corridor
    ink = strip[:, np.minimum(at, strip.shape[1] - 1)].astype(np.float32) / 255
    ink = np.where(at > right[:, None], FAR, ink * ink)
    # Not near the middles of the characters, beyond which there may be no ink at all.
    half = np.maximum((right - left) / 2, 1)[:, None]
    aside = np.abs(at - (left + right)[:, None] / 2) / half
    cost = ink + BESIDE * aside.astype(np.float32) ** 4
    came = np.zeros(cost.shape, np.int64)
    above = np.full((len(left), wide + 2), FAR, np.float32)  # with a column more on both sides
    for row in range(1, STRIP_HEIGHT):
        above[:, 1:-1] = cost[row - 1]
        straight, from_left, from_right = above[:, 1:-1], above[:, :-2], above[:, 2:]
        aside = np.minimum(from_left, from_right) + SIDEWAYS
        turned = np.where(from_left <= from_right, -1, 1)
        came[row] = np.where(aside < straight, turned, 0)
        cost[row] += np.minimum(straight, aside)
    paths = np.empty((len(left), STRIP_HEIGHT), np.int64)
    paths[:, -1] = cost[-1].argmin(axis=1)
    every = np.arange(len(left))
    for row in range(STRIP_HEIGHT - 1, 0, -1):
        paths[:, row - 1] = paths[:, row] + came[row, every, paths[:, row]]
    return (left[:, None] + paths + 0.5).astype(np.float32)


def between(
    seams: Floats, rows: Ints, shape: tuple[int, int], offset: Floats, scale: float
) -> Ints:
    """The number of seams on the left of each pixel of a line's ink, int64 of `shape`.

    `rows` is the strip's row of each row of the ink, and `offset` the strip's column 0 in each of
    them, in pixels of the ink.
    """
    height, width = shape
    places = np.round(offset[:, None] + seams[:, rows].T / scale)  # shape (h, n - 1)
    places = np.clip(places, 0, width).astype(np.int64)
    counts = np.zeros((height, width + 1), np.int64)
    np.add.at(counts, (np.arange(height)[:, None], places), 1)
    return np.cumsum(counts, axis=1)[:, :width]
