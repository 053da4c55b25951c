"""Ink -> fragments in reading order, and fragments -> canvases.

A fragment is ink that surely belongs to one digit: a connected part of the ink, or what lies
between two places where such a part could be cut. Which neighbours make a digit together is not
decided here; the recogniser is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.bundle import CANVAS_SIDE
from digits.reading.masks import Labels, components
from digits.reading.pictures import Grey

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

LONGEST = 200  # pixels, of what is put on a canvas
INKED = 48  # ink of at least this holds digits together
MOST = 1000  # connected parts of a picture that are looked at, the largest
MOST_MENDED = 200  # pairs of parts that are looked at
FINE = 40  # pixels of a digit's height that are enough to find cuts
DEAREST = 0.8  # digit heights of ink that a cut goes through
SIDEWAYS = np.float32(0.02)  # pixels of ink that a step aside costs
ENTERING = 0.15  # digit heights of ink that it costs a cut to enter a stroke
STEPS = np.array([0, -1, 1])
MOST_CUTS = 12  # of one connected part


@dataclass(frozen=True)
class Fragment:
    """A part of the ink.

    Attributes:
        box: y0, x0, y1, x1 on the ink map, ends excluded.
        ink: uint8 of the box's shape; what else lies in the box is 0.
        part: which connected part it is, or was cut from.
        first: whether nothing was cut off on the left.
        last: whether nothing was cut off on the right.
    """

    box: tuple[int, int, int, int]
    ink: Grey
    part: int
    first: bool = True
    last: bool = True

    @property
    def height(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def width(self) -> int:
        return self.box[3] - self.box[1]


@dataclass(frozen=True)
class Line:
    """Fragments from left to right, and how high the digits of this line are, in pixels."""

    fragments: tuple[Fragment, ...]
    height: float


def lines(ink: Grey, belong: Callable[[Fragment, Fragment], bool]) -> list[Line]:
    """Finds the lines of writing, from the top, and in each the connected parts, from the left.

    Specks are dropped, and of what is left all but the `MOST` largest parts.

    Args:
        ink: uint8 of shape (h, w), bright on 0.
        belong: whether two parts, one closely above the other, are one digit that was broken.
    """
    labels, boxes, sizes = components(ink >= INKED)
    chosen = np.argsort(-sizes, kind="stable")[:MOST]
    if not len(chosen):
        return []
    if len(chosen) == 1:  # as of most who send one digit, and there is nothing to find out
        fragment = _fragment(ink, labels, boxes[0], 0)
        return [Line((fragment,), float(fragment.height))]
    heights = boxes[:, 2] - boxes[:, 0]
    extents = np.maximum(heights, boxes[:, 3] - boxes[:, 1])
    usual = weighted_median(heights[chosen], sizes[chosen])
    chosen = chosen[extents[chosen] >= max(0.12 * usual, 2 if usual > 8 else 1)]
    fragments = [_fragment(ink, labels, boxes[part], int(part)) for part in chosen]
    fragments = _mended(fragments, belong)
    boxes = np.array([fragment.box for fragment in fragments])
    sizes = np.array([np.count_nonzero(fragment.ink) for fragment in fragments])
    heights = boxes[:, 2] - boxes[:, 0]
    usual = weighted_median(heights, sizes)
    found = []
    for members in _in_lines(boxes, usual):
        height = weighted_median(heights[members], sizes[members])
        members.sort(key=lambda i: fragments[i].box[1] + fragments[i].box[3])
        found.append(Line(tuple(fragments[i] for i in members), height))
    return found


def _mended(
    fragments: list[Fragment], belong: Callable[[Fragment, Fragment], bool]
) -> list[Fragment]:
    """The fragments with those joined that lie closely above each other and belong together."""
    boxes = np.array([fragment.box for fragment in fragments])
    y0, x0, y1, x1 = boxes.T[:, :, None]
    shared = np.minimum(x1, x1.T) - np.maximum(x0, x0.T)
    narrower = np.minimum(x1 - x0, (x1 - x0).T)
    together = np.maximum(y1, y1.T) - np.minimum(y0, y0.T)
    larger = np.maximum(y1 - y0, (y1 - y0).T)
    gap = np.maximum(y0, y0.T) - np.minimum(y1, y1.T)
    near = (shared > 0.5 * narrower) & (gap <= 0.12 * together) & (together > 1.15 * larger)
    pairs = np.argwhere(np.triu(near, 1))[:MOST_MENDED].tolist()
    now: list[Fragment | None] = list(fragments)
    for a, b in pairs:
        one, other = now[a], now[b]
        if one is not None and other is not None and belong(one, other):
            now[a], now[b] = joined([one, other]), None
    return [fragment for fragment in now if fragment is not None]


def whole(ink: Grey) -> Fragment | None:
    """All ink as one fragment; None if there is none."""
    return trimmed(ink, 0, 0, 0) if ink.any() else None


def without_specks(ink: Grey) -> Fragment | None:
    """All ink but specks, which are less than a fiftieth of it, as one fragment."""
    labels, _, sizes = components(ink >= INKED)
    kept = np.concatenate([[True], sizes >= 0.02 * sizes.sum()])
    return whole(np.where(kept[labels], ink, 0).astype(np.uint8))


def weighted_median(values: Ints, weights: Ints) -> float:
    """The value below which half of the weight lies."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])


def _fragment(ink: Grey, labels: Labels, box: Ints, part: int) -> Fragment:
    """The part with its faint edges, one pixel wide."""
    y0, x0 = np.maximum(box[:2] - 1, 0).tolist()
    y1, x1 = np.minimum(box[2:] + 1, ink.shape).tolist()
    around = labels[y0:y1, x0:x1]
    crop = np.where((around == part + 1) | (around == 0), ink[y0:y1, x0:x1], 0).astype(np.uint8)
    return trimmed(crop, y0, x0, part)


def trimmed(
    ink: Grey, y0: int, x0: int, part: int, first: bool = True, last: bool = True
) -> Fragment:
    """A fragment whose box fits its ink, of which there is some; (y0, x0) is its corner."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    box = (y0 + int(top), x0 + int(left), y0 + int(bottom), x0 + int(right))
    return Fragment(box, ink[top:bottom, left:right], part, first, last)


def _in_lines(boxes: Ints, usual: float) -> list[list[int]]:
    """Indices of the boxes of each line, lines from the top.

    Lines may rise and fall: from left to right, each box joins the line whose last boxes were at
    its height. Low boxes, such as dots, found no line but join the nearest.
    """
    middles = boxes[:, [0, 2]].sum(axis=1) / 2
    places = boxes[:, [1, 3]].sum(axis=1) / 2
    low = boxes[:, 2] - boxes[:, 0] < 0.5 * usual
    lines: list[list[int]] = []
    levels: list[float] = []
    line_of = np.zeros(len(boxes), np.int64)
    tall = np.flatnonzero(~low)
    for box in tall[np.argsort(places[tall], kind="stable")].tolist():
        apart = np.abs(np.array(levels) - middles[box])
        if len(apart) and apart.min() < 0.65 * usual:
            line = int(apart.argmin())
            lines[line].append(box)
        else:
            line = len(lines)
            lines.append([box])
            levels.append(0.0)
        levels[line] = float(np.mean(middles[lines[line][-3:]]))
        line_of[box] = line
    for box in np.flatnonzero(low).tolist():
        apart = np.abs(middles[tall] - middles[box])
        distance = np.hypot(places[tall] - places[box], 2 * apart)
        distance[apart > 0.8 * usual] = np.inf
        if len(tall) and np.isfinite(distance.min()):
            lines[line_of[tall[distance.argmin()]]].append(box)
    return sorted(lines, key=lambda line: float(np.mean(middles[line])))


def cut(fragment: Fragment, height: float) -> list[Fragment]:
    """Cuts a fragment wherever two digits could touch, at most `MOST_CUTS` times.

    A cut is a path from the top to the bottom through as little ink as possible, one for each
    place on three levels that lets less ink be crossed than the places beside it (shortest paths:
    Wang & Jean 1993; here as seams: Avidan & Shamir 2007). For digits that touch at one place, as
    they mostly do, one of them is right.

    Args:
        fragment: a connected part of the ink.
        height: of the digits around, in pixels.

    Returns:
        its parts from left to right; the fragment alone if there is nowhere to cut.
    """
    factor = max(1, min(fragment.height, round(height)) // FINE)
    small = np.asarray(Image.fromarray(fragment.ink).reduce(factor), np.float32) / np.float32(255)
    seams = _seams(small.astype(np.float32), height / factor)
    if not len(seams):
        return [fragment]
    rows = np.minimum(np.arange(fragment.height) // factor, len(small) - 1)
    paths = seams[:, rows] * factor
    side = (np.arange(fragment.width) >= paths[:, :, None]).sum(axis=0)  # which part a pixel is in
    parts = []
    for i in range(len(seams) + 1):
        piece = np.where(side == i, fragment.ink, 0).astype(np.uint8)
        if piece.any():
            y0, x0 = fragment.box[:2]
            parts.append(trimmed(piece, y0, x0, fragment.part, i == 0, i == len(seams)))
    return parts


def _seams(ink: Floats, height: float) -> Ints:
    """The cuts of `cut`, shape (n, rows): the first column on the right of it, in each row."""
    squared = ink * ink  # so that what is grey between two strokes counts little
    above, steps_up = _cheapest(squared, ENTERING * height)
    below, steps_down = _cheapest(squared[::-1], ENTERING * height)
    through = above + below[::-1] - squared * (1 + ENTERING * height)
    rows = len(ink)
    starts: list[tuple[float, int, int]] = []
    for row in {rows // 3, rows // 2, 2 * rows // 3}:
        cost = np.pad(through[row], 1, constant_values=np.inf)
        least = (cost[1:-1] <= cost[:-2]) & (cost[1:-1] < cost[2:])
        least &= cost[1:-1] < DEAREST * height
        starts.extend((float(through[row, x]), row, int(x)) for x in np.flatnonzero(least))
    starts.sort()
    starts = starts[: 4 * MOST_CUTS]
    mass = np.pad(np.cumsum(ink, axis=1), ((0, 0), (1, 0)))
    total = float(mass[:, -1].sum())
    apart = 0.06 * min(total, 0.4 * height * height)  # ink that two cuts must not share
    seams: list[Ints] = []
    lefts: list[Floats] = [mass[:, 0], mass[:, -1]]  # ink on the left of each cut, by row
    for _, row, x in starts:
        seam = np.empty(rows, np.int64)
        seam[row] = x
        for y in range(row, 0, -1):
            seam[y - 1] = seam[y] + steps_up[y, seam[y]]
        for y in range(row, rows - 1):
            seam[y + 1] = seam[y] + steps_down[rows - 1 - y, seam[y]]
        left = mass[np.arange(rows), seam]
        ahead = np.maximum(lefts - left, 0).sum(axis=1)
        behind = np.maximum(left - lefts, 0).sum(axis=1)
        if (ahead + behind > apart).all() and (np.minimum(ahead, behind) < apart / 3).all():
            seams.append(seam)
            lefts.append(left)
        if len(seams) == MOST_CUTS:
            break
    order = np.argsort([float(left.sum()) for left in lefts[2:]])
    ordered = np.array(seams, np.int64).reshape(-1, rows)[order]
    return np.maximum.accumulate(ordered, axis=0) if len(seams) else ordered


def _cheapest(ink: Floats, entering: float) -> tuple[Floats, Ints]:
    """The cost of the cheapest way down from the top to each pixel, and the step it came by.

    A way goes down by one row and sideways by at most one column. It pays for ink, for going
    sideways, and for entering ink: one long crossing parts digits rather than two short ones.
    """
    rows, columns = ink.shape
    cost = ink + entering * ink
    steps = np.zeros(ink.shape, np.int64)
    wide = np.full(columns + 2, np.inf, np.float32)
    before = np.zeros(columns + 2, np.float32)
    ways = np.empty((3, columns), np.float32)
    at = np.arange(columns)
    for y in range(1, rows):
        wide[1:-1], before[1:-1] = cost[y - 1], ink[y - 1]
        for i, step in enumerate(STEPS.tolist()):
            came = slice(1 + step, 1 + step + columns)
            ways[i] = wide[came] + entering * np.maximum(ink[y] - before[came], 0)
        ways[1:] += SIDEWAYS
        way = ways.argmin(axis=0)
        cost[y] = ink[y] + ways[way, at]
        steps[y] = STEPS[way]
    return cost, steps


def joined(fragments: Sequence[Fragment]) -> Fragment:
    """Several fragments as one."""
    if len(fragments) == 1:
        return fragments[0]
    boxes = np.array([fragment.box for fragment in fragments])
    y0, x0 = boxes[:, :2].min(axis=0).tolist()
    y1, x1 = boxes[:, 2:].max(axis=0).tolist()
    ink = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for fragment in fragments:
        top, left, bottom, right = fragment.box
        part = ink[top - y0 : bottom - y0, left - x0 : right - x0]
        np.maximum(part, fragment.ink, out=part)
    first, last = fragments[0], fragments[-1]
    return Fragment((y0, x0, y1, x1), ink, first.part, first.first, last.last)


def place(ink: Grey) -> Grey:
    """Puts ink in the middle of a canvas, whole.

    Args:
        ink: uint8 of shape (h, w), bright on 0.

    Returns:
        uint8 of shape (256, 256); ink of more than 200 pixels is averaged down to that.
    """
    longest = max(ink.shape)
    if longest > LONGEST:
        height, width = (max(1, round(side * LONGEST / longest)) for side in ink.shape)
        ink = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BOX))
    canvas = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    top, left = (CANVAS_SIDE - ink.shape[0]) // 2, (CANVAS_SIDE - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas
