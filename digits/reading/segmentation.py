"""Ink -> its connected parts, in lines of writing.

Two parts of a broken digit are joined here, if the recogniser agrees; digits that touch are cut in
`cuts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digits.pictures.grey import Grey
from digits.reading.ink import Ink
from digits.reading.masks import Components, Ints, Mask, bounds, components, wider
from digits.reading.page import Box
from digits.reading.recogniser import Recogniser

INKED = 48  # ink of at least this holds a part together
MOST_PARTS = 1000  # of a picture that are considered, the largest
MOST_PAIRS = 200  # of parts that are considered as one broken digit


@dataclass(frozen=True)
class Fragment:
    """Ink that belongs to one digit at most: a connected part, or what lies between two cuts."""

    box: Box  # around it, on the ink map
    ink: Grey  # of the box's shape; other ink in the box is 0
    part: int  # the number of the connected part that it is, or was cut from
    starts_part: bool = True  # nothing was cut off on its left
    ends_part: bool = True  # nothing was cut off on its right

    @property
    def middle(self) -> float:
        """The column halfway between its sides; fragments are sorted by it."""
        return self.box.x + self.box.width / 2


@dataclass(frozen=True)
class Line:
    """Fragments from left to right, and the height of the line's digits, in pixels."""

    fragments: tuple[Fragment, ...]
    height: float


def whole(found: Ink) -> Fragment | None:
    """All ink of a picture as one fragment; None if there is none.

    Where ink and paper were in doubt, specks are left out: parts of less than a fiftieth of it.
    """
    ink = found.map
    if not found.clear:
        parts = components(ink >= INKED)
        kept = np.concatenate([[True], parts.sizes >= 0.02 * parts.sizes.sum()])
        ink = np.where(kept[parts.labels], ink, 0).astype(np.uint8)
    return trimmed(ink, 0, 0, 0) if ink.any() else None


def connected_parts(ink: Grey) -> list[Fragment]:
    """The `MOST_PARTS` largest connected parts of ink, uint8 of shape (h, w), bright on 0, without
    specks, in no particular order."""
    mask = ink >= INKED
    parts = components(mask)
    if len(parts.sizes) > 1 and _hairline(mask):
        parts = components(wider(mask))
    chosen = np.argsort(-parts.sizes, kind="stable")[:MOST_PARTS]
    if len(chosen) > 1:
        heights, extents = parts.boxes[:, 3], parts.boxes[:, 2:].max(axis=1)
        usual = _weighted_median(heights[chosen], parts.sizes[chosen])
        chosen = chosen[extents[chosen] >= max(0.12 * usual, 2 if usual > 8 else 1)]
    return [_fragment(ink, parts, part) for part in chosen.tolist()]


def _hairline(mask: Mask) -> bool:
    """Whether lines are one pixel wide; those break by a pixel or two where they fade."""
    squares = mask[1:, 1:] & mask[1:, :-1] & mask[:-1, 1:] & mask[:-1, :-1]
    return bool(np.count_nonzero(squares) < 0.2 * np.count_nonzero(mask))


def _fragment(ink: Grey, parts: Components, part: int) -> Fragment:
    """A part with its faint edges, one pixel wide."""
    box = Box(*parts.boxes[part].tolist())
    y, x = max(box.y - 1, 0), max(box.x - 1, 0)
    window = slice(y, box.bottom + 1), slice(x, box.right + 1)
    labels = parts.labels[window]
    own = np.where((labels == part + 1) | (labels == 0), ink[window], 0).astype(np.uint8)
    return trimmed(own, x, y, part)


def trimmed(
    ink: Grey, x: int, y: int, part: int, starts_part: bool = True, ends_part: bool = True
) -> Fragment:
    """A fragment whose box fits its ink, of which there is some; x, y is its corner on the map."""
    box = bounds(ink)
    return Fragment(box.moved(x, y), ink[box.window], part, starts_part, ends_part)


def joined(fragments: Sequence[Fragment]) -> Fragment:
    """Several fragments as one."""
    first, last = fragments[0], fragments[-1]
    if len(fragments) == 1:
        return first
    box = Box.around([fragment.box for fragment in fragments])
    ink = np.zeros((box.height, box.width), np.uint8)
    for fragment in fragments:
        part = ink[fragment.box.moved(-box.x, -box.y).window]
        np.maximum(part, fragment.ink, out=part)
    return Fragment(box, ink, first.part, first.starts_part, last.ends_part)


def join_broken(parts: Sequence[Fragment], recogniser: Recogniser) -> list[Fragment]:
    """Joins parts that are one broken digit.

    Two parts are joined if one lies closely above the other and they are likelier to be a digit
    together than either is alone.
    """
    if len(parts) < 2:
        return list(parts)
    now: list[Fragment | None] = list(parts)
    for i, j in _close_pairs(parts):
        one, other = now[i], now[j]
        if one is None or other is None:
            continue
        both = joined([one, other])
        pieces = (one, other, both)
        *alone, together = (recogniser.likelihood(recogniser.ask(piece.ink)) for piece in pieces)
        if together > max(*alone, 0.3):
            now[i], now[j] = both, None
    return [fragment for fragment in now if fragment is not None]


def _close_pairs(parts: Sequence[Fragment]) -> list[list[int]]:
    """Pairs of indices of parts that lie closely above each other, `MOST_PAIRS` at most."""
    x, y, width, height = np.array([part.box for part in parts]).T[:, :, None]
    right, bottom = x + width, y + height
    shared = np.minimum(right, right.T) - np.maximum(x, x.T)
    together = np.maximum(bottom, bottom.T) - np.minimum(y, y.T)
    gap = np.maximum(y, y.T) - np.minimum(bottom, bottom.T)
    near = shared > 0.5 * np.minimum(width, width.T)
    near &= (gap <= 0.12 * together) & (together > 1.15 * np.maximum(height, height.T))
    return np.argwhere(np.triu(near, 1))[:MOST_PAIRS].tolist()


def in_lines(parts: Sequence[Fragment]) -> list[Line]:
    """Puts connected parts into lines of writing, from the top."""
    if len(parts) < 2:  # as in most pictures of one digit
        return [Line((part,), float(part.box.height)) for part in parts]
    boxes = np.array([part.box for part in parts])
    heights, sizes = boxes[:, 3], np.array([np.count_nonzero(part.ink) for part in parts])
    found = []
    for members in _members(boxes, _weighted_median(heights, sizes)):
        height = _weighted_median(heights[members], sizes[members])
        fragments = sorted((parts[i] for i in members), key=lambda one: one.middle)
        found.append(Line(tuple(fragments), height))
    return found


def _members(boxes: Ints, usual: float) -> list[list[int]]:
    """The indices of the boxes, rows of x, y, width and height, in each line from the top.

    Lines may rise and fall: from left to right, each box joins the line whose last boxes were at
    its level. Low boxes, such as dots, do not start a line; they join the nearest.
    """
    x, y, width, height = boxes.T
    rows, columns = y + height / 2, x + width / 2  # of the boxes' centres
    low = height < 0.5 * usual
    lines: list[list[int]] = []
    levels: list[float] = []
    line_of = np.zeros(len(boxes), np.int64)
    tall = np.flatnonzero(~low)
    for box in tall[np.argsort(columns[tall], kind="stable")].tolist():
        apart = np.abs(np.array(levels) - rows[box])
        if len(apart) and apart.min() < 0.65 * usual:
            line = int(apart.argmin())
            lines[line].append(box)
        else:
            line = len(lines)
            lines.append([box])
            levels.append(0.0)
        levels[line] = float(np.mean(rows[lines[line][-3:]]))
        line_of[box] = line
    for box in np.flatnonzero(low).tolist():
        apart = np.abs(rows[tall] - rows[box])
        distance = np.hypot(columns[tall] - columns[box], 2 * apart)
        distance[apart > 0.8 * usual] = np.inf
        if len(tall) and np.isfinite(distance.min()):
            lines[line_of[tall[distance.argmin()]]].append(box)
    return sorted(lines, key=lambda line: float(np.mean(rows[line])))


def _weighted_median(values: Ints, weights: Ints) -> float:
    """The value below which half of the weight lies."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])
