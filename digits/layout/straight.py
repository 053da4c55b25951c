"""Long straight thin parts of a mask: rules, walls of boxes, and straight strokes of digits.

Lines may slope by up to 17° against the picture's sides, bend gently, and be broken or crossed.
They are found as short straight pieces, which are then linked, so that a line is a polyline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from digits.layout.runs import SHORTEST_RUN, THICKEST, runs_across
from digits.pictures.masks import Mask, components

Floats = NDArray[np.float64]

NARROWEST_PIECE = 5  # pixels
LONGEST_PIECE = 64  # pixels: a bent line is straight over this length
WIDEST_GAP = 100  # pixels that are crossed by strokes, or where a line is broken
MOST_PIECES = 3000  # that are considered, the longest
MOST_LINES = 400  # the longest, in each direction
STEEPEST = 0.36
NOTHING = np.zeros(0, np.bool_)


@dataclass(frozen=True, eq=False)  # each is itself; arrays have no order
class Line:
    """A line that runs across or down, as a polyline.

    Attributes:
        down: whether it runs from the top to the bottom, rather than from left to right.
        along: increasing positions, columns of a line across, rows of one down; shape (n,).
        level: the middle of the line there, rows of a line across, columns of one down; shape (n,).
        thickness: its usual thickness, in pixels.
        inked: which of its pixels from end to end, at whole positions, have ink.
        alone: at which of them it is a line alone, and nothing crosses it.
    """

    down: bool
    along: Floats
    level: Floats
    thickness: float
    inked: Mask
    alone: Mask

    @property
    def start(self) -> float:
        """Where it begins."""
        return float(self.along[0])

    @property
    def end(self) -> float:
        """Where it ends."""
        return float(self.along[-1])

    @property
    def length(self) -> float:
        """From end to end, in pixels."""
        return self.end - self.start

    @cached_property
    def slope(self) -> float:
        """Of the straight line between its ends."""
        return float(self.level[-1] - self.level[0]) / max(self.length, 1.0)

    @property
    def longest(self) -> int:
        """The length of its longest part without a gap, in pixels."""
        edges = np.flatnonzero(np.diff(np.pad(self.inked, 1).astype(np.int8)))
        return int((edges[1::2] - edges[::2]).max(initial=0))

    def part(self, start: int, end: int) -> "Line":
        """Its part between two whole positions on it, both included."""
        inside = (self.along > start) & (self.along < end)
        along = np.concatenate([[float(start)], self.along[inside], [float(end)]])
        span = slice(start - int(self.start), end - int(self.start) + 1)
        return replace(
            self,
            along=along,
            level=self.at(along),
            inked=self.inked[span],
            alone=self.alone[span],
        )

    def at(self, along: Floats) -> Floats:
        """Its level at positions, continued beyond its ends."""
        before = np.minimum(along - self.along[0], 0) * self.slope
        after = np.maximum(along - self.along[-1], 0) * self.slope
        return np.asarray(np.interp(along, self.along, self.level) + before + after)

    def scaled(self, factor: int) -> "Line":
        """The line on a picture that is so many times as large."""
        if factor == 1:
            return self
        along, level = (values * factor + (factor - 1) / 2 for values in (self.along, self.level))
        inked, alone = (np.repeat(mask, factor) for mask in (self.inked, self.alone))
        return Line(self.down, along, level, self.thickness * factor, inked, alone)


def lines(mask: Mask, down: bool) -> list[Line]:
    """The straight thin lines in a mask of shape (h, w) that run across, or down, longest first."""
    mask = np.ascontiguousarray(mask.T if down else mask)
    runs = runs_across(mask)
    if runs is None:
        return []
    seeds = runs.straight.copy()
    seeds[:, ::LONGEST_PIECE] = False
    chains = _linked(_pieces(seeds, runs.thin), runs.dilated)
    longest = sorted(chains, key=lambda one: one[0, LEFT] - one[:, RIGHT].max())
    found = [_line(chain, runs.dilated, down) for chain in longest[: 2 * MOST_LINES]]
    return distinct([line for line in found if line is not None])[:MOST_LINES]


def distinct(found: Sequence[Line], preferred: int = 0) -> list[Line]:
    """Without lines that lie on a longer one; the longest first.

    So many at the beginning are preferred to others that are a little longer.
    """
    clear = set(found[:preferred])
    found = sorted(found, key=lambda line: -line.length * (1.25 if line in clear else 1))
    if not found:
        return []
    starts, ends, firsts, slopes = np.array(
        [(line.start, line.end, line.level[0], line.slope) for line in found]
    ).T
    lengths, middles = ends - starts, (starts + ends) / 2
    levels = np.array(
        [line.at(middle)[0] for line, middle in zip(found, middles[:, None], strict=True)]
    )
    kept: list[int] = []
    for i, line in enumerate(found):
        shared = np.minimum(ends[kept], ends[i]) - np.maximum(starts[kept], starts[i])
        off = np.abs(firsts[kept] + slopes[kept] * (middles[i] - starts[kept]) - levels[i])
        # Bent lines may be further from the straight way between their ends.
        near = (shared > 0.5 * lengths[i]) & (off <= 4 + 0.03 * lengths[kept])
        own = line.along[[0, len(line.along) // 2, -1]]
        for k in np.flatnonzero(near).tolist():
            apart = np.sort(np.abs(found[kept[k]].at(own) - line.at(own)))[1]
            if apart <= max(2.0, line.thickness / 2):
                break
        else:
            kept.append(i)
    return [found[i] for i in kept]


# Columns of an array of pieces, shape (n, 6).
LEFT, RIGHT, FIRST, LAST, THICKNESS, SLOPE = range(6)


def _pieces(seeds: Mask, thin: Mask) -> Floats:
    """Short straight thin pieces that run across, from the left: rows of left, right, the levels
    at both, thickness and slope."""
    parts = components(seeds)
    widths = parts.boxes[:, 2]
    wide = np.flatnonzero(widths >= NARROWEST_PIECE)
    wide = wide[np.argsort(-widths[wide], kind="stable")[: 2 * MOST_PIECES]]
    count = len(wide)
    numbers = np.zeros(len(widths) + 1, np.intp)
    numbers[wide + 1] = np.arange(1, count + 1)
    at = np.flatnonzero(parts.labels * thin)
    labels = numbers[parts.labels.ravel()[at]] - 1
    at, labels = at[labels >= 0], labels[labels >= 0]
    left, top = parts.boxes[wide, :2].astype(np.float64).T
    width = widths[wide].astype(np.float64)
    y, x = np.divmod(at, seeds.shape[1])
    x, y = x - left[labels], y - top[labels]
    # Columns in which a stroke stands on the line are left out.
    columns = labels * LONGEST_PIECE + x.astype(np.intp)
    heights = np.bincount(columns, minlength=count * LONGEST_PIECE).reshape(-1, LONGEST_PIECE)
    ordered = np.sort(np.where(heights > 0, heights, THICKEST * 2), axis=1)
    inked = np.count_nonzero(heights, axis=1)
    usual = ordered[np.arange(count), inked // 4]
    near = heights.ravel()[columns] <= usual[labels] + 1
    labels, x, y = labels[near], x[near], y[near]
    for last_round in (False, True):
        n = np.maximum(np.bincount(labels, minlength=count), 1)
        mx, my, xx, xy, yy = (
            np.bincount(labels, weights=values, minlength=count) / n
            for values in (x, y, x * x, x * y, y * y)
        )
        xx, xy, yy = xx - mx * mx, xy - mx * my, yy - my * my
        slope = xy / np.maximum(xx, 1e-6)
        if not last_round:  # without other strokes above and below
            off = np.abs(y - my[labels] - slope[labels] * (x - mx[labels]))
            near = off <= 0.5 * usual[labels] + 1
            labels, x, y = labels[near], x[near], y[near]
    columns = np.unique(labels * LONGEST_PIECE + x.astype(np.intp)) // LONGEST_PIECE
    used = np.bincount(columns, minlength=count)
    thickness = n / np.maximum(used, 1)
    spread = np.sqrt(np.maximum(yy - slope * xy, 0))
    # Of a bar of even thickness t, the rows are spread by 0.29 t.
    straight = (spread <= 0.4 * thickness + 0.5) & (np.abs(slope) <= STEEPEST)
    straight &= (thickness <= THICKEST) & (used >= NARROWEST_PIECE)
    chosen = np.flatnonzero(straight)[:MOST_PIECES]
    first = top + my - slope * mx
    last = first + slope * (width - 1)
    table = np.stack([left, left + width - 1, first, last, thickness, slope], axis=1)[chosen]
    return np.asarray(table[np.argsort(table[:, LEFT], kind="stable")])


def _linked(pieces: Floats, dilated: Mask) -> list[Floats]:
    """Pieces that continue each other, from the left; each piece is in one chain.

    What is between them is ink, as where strokes cross, or a gap that is short beside them.
    """
    chains: list[list[int]] = []
    # Of each chain: its start, and where it ends, at which level, going which way.
    state = np.zeros((len(pieces), 4))
    for i, (left, right, first, last, _, slope) in enumerate(pieces.tolist()):
        length = right - left
        start, end, level, way = state[: len(chains)].T
        gap = left - end
        # Where it is short, its own slope is noise.
        own = slope if length > 24 else way
        middle = (first + last) / 2 - own * length / 2
        off = np.abs(level + way * gap - middle)
        may = (gap >= -LONGEST_PIECE) & (gap <= WIDEST_GAP) & (off <= 2 + 0.03 * np.maximum(gap, 0))
        if length > 24:
            may &= (np.abs(slope - way) <= 0.1) | (end - start <= 24)
        nearest = np.flatnonzero(may)
        for k in nearest[np.argsort(off[nearest] + 0.05 * np.abs(gap[nearest]))].tolist():
            ends = (end[k], left), (level[k], first)
            enough = max(12.0, 0.5 * min(end[k] - start[k], length))
            if gap[k] <= 12 or _white(dilated, *ends) <= enough:
                chains[k].append(i)
                break
        else:
            k = len(chains)
            chains.append([i])
            state[k, 0] = left
        if right > state[k, 1]:
            members = pieces[chains[k]]
            recent = members[members[:, RIGHT] > right - 1.5 * LONGEST_PIECE]
            way = (last - recent[0, FIRST]) / max(right - recent[0, LEFT], 1)
            state[k, 1:] = right, last, way
    return [pieces[chain] for chain in chains]


def _white(dilated: Mask, along: tuple[float, float], level: tuple[float, float]) -> int:
    """How many pixels between two ends have no ink."""
    between = np.arange(int(along[0]) + 1, int(along[1]))
    rows = np.clip(np.round(np.interp(between, along, level)), 0, len(dilated) - 1)
    return int(np.count_nonzero(~dilated[rows.astype(np.intp), between]))


def _line(chain: Floats, dilated: Mask, down: bool) -> Line | None:
    """The line that linked pieces form; None if it is too short for one."""
    start, end = chain[0, LEFT], chain[:, RIGHT].max()
    if end - start < SHORTEST_RUN:
        return None
    widths = chain[:, RIGHT] - chain[:, LEFT]
    long = chain[widths >= min(SHORTEST_RUN, widths.max())] if len(chain) > 1 else chain
    along = long[:, [LEFT, RIGHT]].ravel()
    level = long[:, [FIRST, LAST]].ravel()
    if len(long) > 1:
        along, places = np.unique(along, return_index=True)
        level = level[places]
    line = Line(down, along, level, _weighted_median(chain[:, THICKNESS], widths), NOTHING, NOTHING)
    # It goes on through strokes that cross its ends.
    first = max(int(start) - WIDEST_GAP, 0)
    whole = np.arange(first, min(int(end) + 1 + WIDEST_GAP, dilated.shape[1]))
    levels = line.at(whole.astype(np.float64))
    rows = np.round(levels).astype(np.intp)
    inside = (rows >= 0) & (rows < len(dilated))
    inked = dilated[np.clip(rows, 0, len(dilated) - 1), whole] & inside
    white = np.flatnonzero(~inked) + first
    before, after = np.searchsorted(white, start), np.searchsorted(white, end, side="right")
    start = int(white[before - 1]) + 1 if before else first
    end = int(white[after]) - 1 if after < len(white) else int(whole[-1])
    alone = np.zeros(len(whole), np.bool_)
    for left, right in chain[:, [LEFT, RIGHT]].astype(np.intp).tolist():
        alone[left - first : right + 1 - first] = True
    span = slice(start - first, end + 1 - first)
    along = np.concatenate([[start], along[(along > start) & (along < end)], [end]])
    return Line(down, along, line.at(along), line.thickness, inked[span], alone[span])


def _weighted_median(values: Floats, weights: Floats) -> float:
    if len(values) == 1:
        return float(values[0])
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])
