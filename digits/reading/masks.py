"""Masks of ink: their connected parts, and the ruled lines in them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digits.reading.page import Box

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

SHORTEST_RULE = 64  # pixels
THICKEST_RULE = 8  # pixels
COVERED = 0.6  # fraction of the picture's width that a rule must cover
MOST_RULES = 400  # candidates that are considered


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
    rows = extremes(np.pad(mask, 1), 3, 0, np.logical_or)
    return extremes(rows, 3, 1, np.logical_or)


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


def rules(mask: Mask) -> Mask:
    """Finds ruled lines and squared paper: thin, straight, and running through the picture.

    Takes the ink and returns what to remove, both of shape (h, w). Where a stroke crosses a line,
    the crossing is kept.
    """
    across, down = _rules_across(mask), _rules_across(mask.T).T
    found = across | down
    if not found.any():
        return found
    strokes = mask & ~found
    kept = (across & _between(strokes)) | (down & _between(strokes.T).T)
    return found & ~wider(kept)


def _crossed(mask: Mask) -> bool:
    """Whether there is ink near both sides and in most columns between them."""
    width = mask.shape[1]
    margin = max(2, width // 12)
    inked: Mask = np.asarray(mask.any(axis=0))
    return bool(
        width >= SHORTEST_RULE
        and inked[:margin].any()
        and inked[-margin:].any()
        and inked.mean() > COVERED
    )


def _between(strokes: Mask) -> Mask:
    """The pixels that have a stroke closely above and closely below."""
    padded = np.pad(strokes, ((THICKEST_RULE, THICKEST_RULE), (0, 0)))
    near = extremes(padded, THICKEST_RULE, 0, np.logical_or)
    return near[: -THICKEST_RULE - 1] & near[THICKEST_RULE + 1 :]


def _rules_across(mask: Mask) -> Mask:
    height, width = mask.shape
    found = np.zeros(mask.shape, np.bool_)
    if not _crossed(mask):
        return found
    mask = np.ascontiguousarray(mask)
    # Three rows are taken as one, so that a slight slant does not break runs.
    thick = extremes(np.pad(mask, ((1, 1), (0, 0))), 3, 0, np.logical_or)
    # Longer than a stroke of a digit that fills the height, or the feet of 2s would be a rule.
    shortest = max(width // 8, min(4 * height // 5, width // 2))
    runs = components(_long_runs(thick, max(16, width // 8)))
    left, _, widths, _ = runs.boxes.T
    rules: list[list[_Rule]] = []
    order = np.argsort(left, kind="stable")
    for i in order[widths[order] >= shortest][:MOST_RULES].tolist():
        box = Box(*runs.boxes[i].tolist())
        rule = _rule((runs.labels[box.window] == i + 1) & mask[box.window], box)
        if rule is None:
            continue
        for others in rules:  # a rule may be broken: continue one that ends at this level
            gap = rule.box.x - others[-1].box.right
            if gap >= -8 and abs(rule.first - others[-1].last) <= 2 + 0.03 * max(gap, 0):
                others.append(rule)
                break
        else:
            rules.append([rule])
    long = [parts for parts in rules if _runs_through(parts, width)]
    # Where the mask is much higher than wide, as a line of writing is when it is transposed, a
    # single stroke may run from side to side, as a 1 does; four strokes do not.
    if width < 0.6 * height and len(long) < 4:
        return found
    for rule in (rule for parts in long for rule in parts):
        found[rule.box.window] |= rule.mask
    return found


@dataclass(frozen=True)
class _Rule:
    """A straight thin part: its box, the rows that its ends are at, and its pixels in the box."""

    box: Box
    first: float
    last: float
    mask: Mask


def _runs_through(parts: list[_Rule], width: int) -> bool:
    covered = sum(rule.box.width for rule in parts)
    span = parts[-1].box.right - parts[0].box.x
    return span >= COVERED * width and covered >= 0.6 * span


def _rule(part: Mask, box: Box) -> _Rule | None:
    """The rule in a part that runs across; None if it is too thick or drawn by hand.

    Paper may bend, so a gentle arc counts as straight.
    """
    rows, columns = part.shape
    thickness = part.sum(axis=0)
    places = np.flatnonzero(thickness)
    if len(places) < 8:
        return None
    usual = float(np.median(thickness[places]))
    if usual > min(THICKEST_RULE, max(columns / 25, 2)):
        return None
    middle = (part * np.arange(rows)[:, None]).sum(axis=0)[places] / thickness[places]
    arc = _arc(places, middle)
    off = np.abs(middle - arc(places))
    on = off <= max(np.median(off) * 3, 0.5)  # strokes on the line pull its middle away
    arc = _arc(places[on], middle[on])
    off = np.abs(middle - arc(places))
    if np.median(off) > 1 or np.mean(off < 2) < 0.7:
        return None
    level = arc(np.arange(columns))
    near: Mask = np.abs(np.arange(rows)[:, None] - level) <= usual / 2 + 1.5
    ends = box.y + float(level[0]), box.y + float(level[-1])
    return _Rule(box, *ends, np.asarray(part & near))


def _arc(places: NDArray[Any], middle: NDArray[Any]) -> np.polynomial.Polynomial:
    degree = 2 if np.ptp(places) > 256 else 1
    return np.polynomial.Polynomial.fit(places, middle, degree)


def _long_runs(mask: Mask, shortest: int) -> Mask:
    """Pixels in horizontal runs of at least `shortest`."""
    starts = extremes(mask, shortest, 1, np.logical_and)
    beside = shortest - 1, shortest - 1
    return extremes(np.pad(starts, ((0, 0), beside)), shortest, 1, np.logical_or)
