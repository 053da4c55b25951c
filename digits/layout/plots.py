"""Plots: a frame with ticks along its foot and its left side, and the scales beside it."""

from collections.abc import Sequence

import numpy as np

from digits.pictures.box import Box
from digits.pictures.masks import Ints, Mask

THICKEST = 8  # pixels, of a frame
LONGEST = 0.06  # of a frame's side, a tick
WIDEST = 0.025  # of a frame's side, a tick
FEWEST, MOST = 2, 60  # ticks along a side
UNEVEN = 0.15  # of the distance between two ticks, by which it may differ from the others


def plots_among(frames: Sequence[Box], inked: Mask) -> list[Box]:
    """Which of the frames, the boxes that they enclose, are those of plots, in a mask of ink."""
    return [
        box
        for box in frames
        if _has_ticks(inked[box.bottom :, box.x : box.right])
        and _has_ticks(inked[box.y : box.bottom, : box.x].T[::-1])
    ]


def outside(frames: Sequence[Box], shape: tuple[int, ...]) -> Mask:
    """Where no frame is: the scales and titles of plots."""
    mask = np.ones(shape, np.bool_)
    for box in frames:
        mask[box.window] = False
    return mask


def _has_ticks(beyond: Mask) -> bool:
    """Whether ticks leave a frame's side at even distances, and paper follows them.

    The side is among the first rows of the mask, whose columns are those between the corners.
    """
    side = beyond.shape[1]
    if not side:
        return False
    wall = np.flatnonzero(beyond[:THICKEST].mean(axis=1) >= 0.5)
    if not len(wall):
        return False
    rows = beyond[wall[-1] + 1 :]
    reach = max(int(LONGEST * side), 4)
    blank = np.flatnonzero(~rows[: reach + 4].any(axis=1))
    if not len(blank) or not 2 <= blank[0] <= reach:
        return False
    begins, ends = _runs(rows[blank[0] // 2])
    if not FEWEST <= len(begins) <= MOST or (ends - begins).max() > max(WIDEST * side, 3):
        return False
    distances = np.diff((begins + ends) / 2)
    usual = float(np.median(distances))
    return bool((np.abs(distances - usual) <= max(UNEVEN * usual, 1.5)).all())


def _runs(row: Mask) -> tuple[Ints, Ints]:
    """Where ink begins and ends in a row."""
    edges = np.diff(np.pad(row.astype(np.int8), 1))
    return np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
