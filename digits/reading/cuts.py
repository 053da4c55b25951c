"""Cuts connected parts wherever two digits could touch."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from digits.reading.masks import Ints
from digits.reading.page import Floats
from digits.reading.recogniser import Recogniser
from digits.reading.segmentation import Fragment, Line, trimmed

MOST_PARTS_CUT = 200  # of a picture
CERTAIN = 0.97  # likelihood from which a digit is not cut
MOST_CUTS = 12  # of one connected part
FINE = 40  # pixels of a digit's height that are enough to find cuts
DEAREST = 0.8  # digit heights of ink that a cut goes through
ENTERING = 0.15  # digit heights of ink that it costs a cut to enter a stroke
SIDEWAYS = np.float32(0.02)  # pixels of ink that a step aside costs
STEPS = np.array([0, -1, 1])


def cut_touching(lines: Sequence[Line], recogniser: Recogniser) -> list[Line]:
    """Cuts those parts of the lines that may be several digits.

    The cuts are tentative: the search for the best path decides which of them part two digits.
    """
    left = MOST_PARTS_CUT
    found = []
    for line in lines:
        fragments: list[Fragment] = []
        for part in line.fragments:
            pieces = [part]
            width, height = part.box.width, part.box.height
            if left and width > 0.6 * max(line.height, 0.8 * height):
                left -= 1
                likelihood = recogniser.likelihood(recogniser.ask(part.ink))
                if likelihood < CERTAIN or width > 1.1 * line.height:
                    pieces = cut(part, line.height)
            fragments.extend(pieces)
        found.append(Line(tuple(sorted(fragments, key=lambda one: one.middle)), line.height))
    return found


def cut(part: Fragment, height: float) -> list[Fragment]:
    """Cuts a connected part wherever two digits could touch, at most `MOST_CUTS` times.

    A cut is a path from the top to the bottom through as little ink as possible (shortest paths:
    Wang & Jean 1993; here as seams: Avidan & Shamir 2007). At three heights, a cut starts at each
    column that crosses less ink than its neighbours. If two digits touch at one place, as is usual,
    one of the cuts is right.

    `height` is that of the digits around, in pixels. Returns the fragments from left to right; the
    part alone if there is nowhere to cut.
    """
    box = part.box
    factor = max(1, min(box.height, round(height)) // FINE)
    small = np.asarray(Image.fromarray(part.ink).reduce(factor), np.float32) / np.float32(255)
    seams = _seams(small.astype(np.float32), height / factor)
    if not len(seams):
        return [part]
    rows = np.minimum(np.arange(box.height) // factor, len(small) - 1)
    paths = seams[:, rows] * factor
    between = (np.arange(box.width) >= paths[:, :, None]).sum(axis=0)  # which cuts it lies between
    fragments = []
    for i in range(len(seams) + 1):
        ink = np.where(between == i, part.ink, 0).astype(np.uint8)
        if ink.any():
            fragments.append(trimmed(ink, box.x, box.y, part.part, i == 0, i == len(seams)))
    return fragments


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
    order = np.argsort([left.sum() for left in lefts[2:]])
    ordered = np.array(seams, np.int64).reshape(-1, rows)[order]
    return np.maximum.accumulate(ordered, axis=0)


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
