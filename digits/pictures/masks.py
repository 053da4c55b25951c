"""Masks of ink: their connected parts, their bounds, and the extremes of windows of them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digits.pictures.box import Box

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Components(NamedTuple):
    """The connected parts of a mask, in no particular order."""

    labels: NDArray[np.uint32]  # of the mask's shape: i + 1 in part i, 0 outside of all parts
    boxes: Ints  # shape (n, 4), around each part: x, y, width and height in pixels
    sizes: Ints  # shape (n,), the number of pixels of each part


def bounds(image: NDArray[Any]) -> Box:
    """The box around all pixels that are not 0; an empty one if there are none."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    if not len(rows):
        return Box(0, 0, 0, 0)
    x, y = int(columns[0]), int(rows[0])
    return Box(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)


def components(mask: Mask) -> Components:
    """Finds the connected parts of a mask, 8-connected."""
    if not mask.size:  # as of a page one pixel wide in half its size
        return Components(np.zeros(mask.shape, np.uint32), np.zeros((0, 4), int), np.zeros(0, int))
    import cc3d  # not needed for a canvas, and slow to import

    labelled: Any = cc3d.connected_components(
        mask, connectivity=8, out_dtype=np.uint32, return_N=True
    )
    labels, count = labelled[0].reshape(mask.shape), labelled[1]
    labels *= mask  # for odd sides, cc3d 4.1 labels some pixels that are 0
    if count == 1:  # as in most pictures of one digit, where cc3d's statistics take longer
        return Components(labels, np.array([bounds(mask)]), np.array([np.count_nonzero(mask)]))
    found: Any = cc3d.statistics(labels, no_slice_conversion=True)
    top, bottom, left, right = found["bounding_boxes"].astype(np.int64)[1:].T  # ends included
    boxes = np.stack([left, top, right + 1 - left, bottom + 1 - top], axis=1)
    return Components(labels, boxes, found["voxel_counts"].astype(np.int64)[1:])


def wider(mask: Mask) -> Mask:
    """The mask and the eight neighbours of each of its pixels."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    wide = rows.copy()
    wide[:, 1:] |= rows[:, :-1]
    wide[:, :-1] |= rows[:, 1:]
    return wide


def extremes(
    values: NDArray[Any], length: int, axis: int, operation: Callable[..., NDArray[Any]]
) -> NDArray[Any]:
    """The extreme of each window of `length` along an axis; the result is shorter by length - 1.

    `operation` gives the extreme of two arrays: `np.maximum`, `np.logical_or`.
    """
    values, span = np.moveaxis(values, axis, 0), 1
    while span < length:
        step = min(span, length - span)
        values = operation(values[:-step], values[step:])
        span += step
    return np.moveaxis(values, 0, axis)
