"""Ink around writing that is not writing -> gone: frames of any shape, and rims of the picture."""

from __future__ import annotations

import numpy as np

from digits.layout.segmentation import INKED, usual_height
from digits.pictures.box import Box
from digits.pictures.grey import Grey
from digits.pictures.masks import Components, Ints, Mask, components, wider

HIGHER = 1.25  # times the usual height of parts, a frame, at least
FILLED = 0.55  # of a frame's box, what it encloses
WITHIN = 0.25  # of a frame's height, the height of what is in it
MOST_FRAMES = 12  # that are looked for, the largest
LONG_RIM, NARROW_RIM = 0.8, 0.15  # of the picture's sides
CORNER, MOST_OF_IT = 0.02, 0.95  # of the picture's sides, and of a part, what is a dark corner
DIGIT = 0.3  # of the usual height, what sticks out of a frame into it and is kept


def without(ink: Grey) -> Grey:
    """Ink, uint8 of shape (h, w), bright on 0, without two things around writing.

    A frame is a connected part with others inside: a box whose walls are crooked, or a circle. What
    touches it from within is kept. A rim runs along a side of the picture, like the edge of a
    table beside a sheet, and is much higher than what is written; or it runs round a corner.
    """
    parts = components(ink >= INKED)
    if len(parts.sizes) < 2:
        return ink
    usual = usual_height(parts.boxes[:, 3])
    rims = np.flatnonzero(_are_rims(parts.boxes, ink.shape, usual) | _are_corners(parts))
    frames = _may_be_frames(parts.boxes, usual)
    if not len(rims) and not len(frames):
        return ink
    left = ink.copy()
    for part in rims.tolist():
        _erase(left, parts, part, None)
    for part in frames.tolist():
        inside = _inside(parts, part, usual)
        if inside is not None:
            _erase(left, parts, part, inside)
    return left


def _are_rims(boxes: Ints, shape: tuple[int, ...], usual: float) -> Mask:
    found = np.zeros(len(boxes), np.bool_)
    for begin, across, along, side, length in (
        (boxes[:, 0], boxes[:, 2], boxes[:, 3], shape[1], shape[0]),
        (boxes[:, 1], boxes[:, 3], boxes[:, 2], shape[0], shape[1]),
    ):
        room = NARROW_RIM * side
        beside = (begin + across <= room) | (begin >= side - room)
        found |= beside & (along >= LONG_RIM * length) & (along >= 2 * usual)
    return found


def _are_corners(parts: Components) -> Mask:
    """The parts that run along two sides of the picture from the corner between them, and nowhere
    else: strokes of a digit that is cut off there are not as thin beside the picture."""
    height, width = parts.labels.shape
    found = np.zeros(len(parts.boxes), np.bool_)
    x, y, wide, high = parts.boxes.T
    at_side = (x == 0) | (x + wide == width)
    for part in np.flatnonzero(at_side & ((y == 0) | (y + high == height))).tolist():
        box = Box(*parts.boxes[part].tolist())
        rows, columns = np.nonzero(parts.labels[box.window] == part + 1)
        across = columns if box.x == 0 else box.width - 1 - columns
        down = rows if box.y == 0 else box.height - 1 - rows
        near_side, near_end = across < CORNER * width, down < CORNER * height
        along_both = (near_side & ~near_end).any() and (near_end & ~near_side).any()
        found[part] = along_both and (near_side | near_end).mean() >= MOST_OF_IT
    return found


def _may_be_frames(boxes: Ints, usual: float) -> Ints:
    """The parts in whose boxes others are, the largest first."""
    large = np.flatnonzero((boxes[:, 2:] >= HIGHER * usual).all(axis=1))
    large = large[np.argsort(-boxes[large, 2:].prod(axis=1), kind="stable")][:MOST_FRAMES]
    x, y, width, height = boxes.T
    outer = boxes[large][:, :, None]
    inside = (x > outer[:, 0]) & (y > outer[:, 1]) & (x + width < outer[:, 0] + outer[:, 2])
    inside &= (y + height < outer[:, 1] + outer[:, 3]) & (height >= WITHIN * outer[:, 3])
    return large[inside.any(axis=1)]


def _inside(parts: Components, part: int, usual: float) -> Mask | None:
    """What a frame encloses, in its box, and its ink that sticks out into that; None if the part
    is no frame."""
    box = Box(*parts.boxes[part].tolist())
    labels = parts.labels[box.window]
    own = labels == part + 1
    around = components(np.pad(~own, 1, constant_values=True))
    outside = around.labels[0, 0]
    holes = around.labels[1:-1, 1:-1]
    holes = np.where(holes == outside, 0, holes)
    if np.count_nonzero(holes) < FILLED * own.size:
        return None
    filled = np.unique(holes[(labels > 0) & ~own])
    hole = np.isin(holes, filled[filled > 0])
    if not hole.any():
        return None
    spanned = _spans(hole) | _spans(hole.T).T
    inner = ~wider(wider(~spanned))
    stubs = components(own & inner)
    large = np.append(False, stubs.boxes[:, 2:].max(axis=1, initial=0) >= DIGIT * usual)
    return np.asarray(hole | large[stubs.labels])


def _spans(mask: Mask) -> Mask:
    """Each row from its first to its last pixel."""
    forward = np.logical_or.accumulate(mask, axis=1)
    return np.asarray(forward & np.logical_or.accumulate(mask[:, ::-1], axis=1)[:, ::-1])


def _erase(ink: Grey, parts: Components, part: int, kept: Mask | None) -> None:
    """Takes out a part, with its faint edges, but for a mask of its box."""
    box = Box(*parts.boxes[part].tolist())
    own = parts.labels[box.window] == part + 1
    if kept is not None:
        own &= ~kept
    top, left = max(box.y - 2, 0), max(box.x - 2, 0)
    window = slice(top, box.bottom + 2), slice(left, box.right + 2)
    grown = np.zeros(ink[window].shape, np.bool_)
    grown[box.y - top :, box.x - left :][: box.height, : box.width] = own
    grown = wider(wider(grown)) & (parts.labels[window] == 0) | grown
    ink[window][grown] = 0
