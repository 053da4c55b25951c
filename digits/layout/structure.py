"""Ink -> the ink that is writing, and the cells it stands in.

Ruled and squared paper, margin lines, axes, underlines, boxes, tables and grids are taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digits.layout import plots, surroundings
from digits.layout.cells import Cell, Holes, Numbers, holes, in_order
from digits.layout.combs import closed
from digits.layout.erasing import INKED, erased
from digits.layout.runs import has_straight_runs
from digits.layout.straight import Line, distinct, lines
from digits.layout.walls import walls_among
from digits.pictures.box import Box
from digits.pictures.grey import Grey
from digits.pictures.masks import Mask, components

SHORTEST_SIDE = 64  # pixels: in a smaller picture there is one digit, and no line
FINE = 800_000  # pixels that are enough to find lines
THICKEST_RULE = 8  # pixels
COVERED = 0.6  # fraction of the picture's width that a rule covers which runs through it
UNEVEN = 0.15  # of the distance between two rules, by which it may differ from the others
FEWEST_PARTS = 3  # that tell squared paper from a table
SHARED = 0.15  # of a part's ink, what is in a cell if it is in several
CORNER = 4  # pixels, between the ends of two sides of a frame
MUCH_LONGER = 3.5  # digit heights, of a line that stands alone


@dataclass(frozen=True)
class Layout:
    """What a page is made of.

    Attributes:
        ink: uint8 of shape (h, w), the ink without rules, walls, frames and axes.
        cells: of tables and rows of boxes, row by row; empty if there are none. A box that stands
            alone is no cell.
        cell_map: uint16 of shape (h, w), i + 1 in cell i, 0 elsewhere and on the walls. Boxes of
            cells overlap where a table is turned; this tells which ink is in which.
        lines: what was taken out, or would have been if it were not too faint for ink, and what
            closes combs; in pixels.
    """

    ink: Grey
    cells: tuple[Cell, ...]
    cell_map: Numbers
    lines: tuple[Line, ...]


def find(ink: Grey, faint: Mask | None = None) -> Layout:
    """Finds rules, boxes and tables in ink, uint8 of shape (h, w), full ink 255 on exactly 0.

    `faint`, of the same shape, is whatever stands out from the paper: lines too faint for ink are
    found in it. Leave it out where there was no doubt what is ink.

    Lines may be 1 to 8 pixels thick, turned by up to 10°, in slight perspective, gently bent, and
    broken in places. A wall meets other walls at both ends; a line that stands alone is taken out
    only if it is much longer than the digits are high, or runs through the picture. So the strokes
    of digits stay, also where they touch or cross a line.
    """
    if max(ink.shape) < SHORTEST_SIDE:
        return Layout(ink, (), _nowhere(ink), ())
    factor = 1 if ink.size <= FINE else 2
    mask = _reduced(ink >= INKED, factor)
    across, down = lines(mask, down=False), lines(mask, down=True)
    faint = None if faint is None else _reduced(faint, factor)
    if faint is not None and has_straight_runs(faint & ~mask):  # seen sooner than lines are found
        faint |= mask
        across = distinct([*across, *lines(faint, down=False)], len(across))
        down = distinct([*down, *lines(faint, down=True)], len(down))
    combs = closed(across, down, mask)
    walls = walls_among(
        [*across, *(line for line in combs if not line.down)],
        [*down, *(line for line in combs if line.down)],
    )
    found = holes(walls, mask.shape)
    filled = _with_content(walls, found, mask)
    if len(filled) < len(walls):
        found = holes(filled, mask.shape)
    chosen = [*filled, *_running_through(across, down, mask.shape)]
    chosen = list(dict.fromkeys([*chosen, *_between_corners([*across, *down], chosen)]))
    chosen += _standing_alone([*across, *down], chosen, mask)
    taken_out = tuple(line.scaled(factor) for line in chosen)
    cells, cell_map = in_order(found)
    writing = surroundings.without(erased(ink, taken_out))
    frames = [Box(*sides).scaled(factor) for sides in found.boxes.tolist()]
    if plots.plots_among(frames, ink >= INKED):
        writing[plots.outside(frames, ink.shape)] = 0
    if not cells or _is_squared(_reduced(writing >= INKED, factor), cell_map):
        return Layout(writing, (), _nowhere(ink), taken_out)
    if factor > 1:
        cells = tuple(replace(cell, box=cell.box.scaled(factor)) for cell in cells)
        larger = cell_map.repeat(factor, axis=0).repeat(factor, axis=1)
        odd = ((0, a - b) for a, b in zip(ink.shape, larger.shape, strict=True))
        cell_map = np.pad(larger, tuple(odd))
    return Layout(writing, cells, cell_map, taken_out)


def _nowhere(ink: Grey) -> Numbers:
    """A map without cells, which takes no memory."""
    return np.broadcast_to(np.uint16(0), ink.shape)


def _reduced(mask: Mask, factor: int) -> Mask:
    """A mask of blocks of factor × factor pixels: those that have any."""
    if factor == 1:
        return mask
    height, width = (side - side % factor for side in mask.shape)
    blocks = mask[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return np.asarray(blocks.any(axis=(1, 3)))


def _is_squared(written: Mask, cell_map: Numbers) -> bool:
    """Whether cells are the squares of paper: what is written goes from one into the next."""
    parts = components(written)
    large = (parts.sizes >= 12) & (parts.boxes[:, 3] >= 6)
    if large.sum() < FEWEST_PARTS:
        return False
    in_cells = (parts.labels > 0) & (cell_map > 0)
    count = int(cell_map.max()) + 1
    pairs = parts.labels[in_cells].astype(np.int64) * count + cell_map[in_cells]
    pairs, pixels = np.unique(pairs, return_counts=True)
    own = pairs // count - 1
    several = np.bincount(own[pixels >= SHARED * parts.sizes[own]], minlength=len(large)) > 1
    return bool(several[large].mean() >= 0.5)


def _with_content(walls: list[Line], found: Holes, mask: Mask) -> list[Line]:
    """Without what may be a digit of straight strokes: a box or two, and nothing in it."""
    if not walls:
        return walls
    inked = np.bincount(found.labels[mask], minlength=len(found.boxes) + 1)[1:]
    kept = np.zeros(int(found.walls.max()) + 1, np.bool_)
    kept[found.groups[inked > 0.02 * found.sides.prod(axis=1)]] = True
    kept |= np.bincount(found.groups, minlength=len(kept)) > 2
    return [line for line in walls if kept[_part_of(line, found.walls)]]


def _part_of(line: Line, labels: NDArray[np.uint32]) -> int:
    """The number of the labelled part that a line lies in."""
    view = labels.T if line.down else labels
    middle = (line.start + line.end) // 2
    row = int(np.round(line.at(np.array([middle])))[0])
    return int(view[min(max(row, 0), len(view) - 1), int(middle)])


def _running_through(
    across: Sequence[Line], down: Sequence[Line], shape: tuple[int, ...]
) -> list[Line]:
    """Ruled lines, squared paper and margin lines: those that run through the picture."""
    found = []
    for own, (height, width) in ((across, shape), (down, shape[::-1])):
        if width < SHORTEST_SIDE:
            continue
        # Longer than a stroke of a digit that fills the height, or the feet of 2s would be a rule.
        shortest = max(width // 8, min(4 * height // 5, width // 2))
        through = [
            line
            for line in own
            if line.longest >= shortest
            and line.length >= COVERED * width
            and line.inked.mean() >= COVERED
            and line.alone.mean() >= 0.5
            and line.thickness <= min(THICKEST_RULE, max(line.longest / 25, 2))
        ]
        # Where the picture is much higher than wide, as a line of writing is when it is transposed,
        # a single stroke may run from side to side, as a 1 does; four strokes do not.
        if width >= 0.6 * height or len(through) >= 4:
            found += through + _in_step(own, through, width)
    return found


def _between_corners(every: Sequence[Line], chosen: Sequence[Line]) -> list[Line]:
    """Sides of a frame that the picture cuts off: lines from the end of one rule to the same end of
    another."""
    found = []
    for line in every:
        rules = [one for one in chosen if one.down != line.down]
        ends = np.array([line.start, line.end]), line.level[[0, -1]]
        corners = [
            (abs(rule.start - level) <= CORNER, abs(rule.end - level) <= CORNER)
            for along, level in zip(*ends, strict=True)
            for rule in rules
            if abs(float(rule.at(np.array([level]))[0]) - along) <= CORNER + rule.thickness
        ]
        begins, closes = np.sum(corners, axis=0) if corners else (0, 0)
        thickest = max((rule.thickness for rule in rules), default=0.0)
        if max(begins, closes) >= 2 and line.thickness <= thickest + 1 and line.inked.mean() >= 0.9:
            found.append(line)
    return found


def _in_step(own: Sequence[Line], through: Sequence[Line], width: int) -> list[Line]:
    """Further rules, where others are at even distances: many strokes may cross one."""
    middle = np.array([width / 2])
    levels = np.sort([float(line.at(middle)[0]) for line in through])
    steps = np.diff(levels)
    if len(steps) < 2:
        return []
    step, thickness = np.median(steps), np.median([line.thickness for line in through])
    if step < 1:  # one rule, found several times
        return []
    if (np.abs(steps / step - np.round(steps / step)) > UNEVEN).mean() > 0.5:
        return []
    found = []
    for line in own:
        off = (float(line.at(middle)[0]) - levels[0]) / step
        if (
            line not in through
            and line.length >= COVERED * width
            and line.inked.mean() >= COVERED
            and line.thickness <= 1.5 * thickness + 1
            and abs(off - round(off)) <= UNEVEN
        ):
            found.append(line)
    return found


def _standing_alone(every: Sequence[Line], chosen: Sequence[Line], mask: Mask) -> list[Line]:
    """Axes, underlines, fraction bars, bits of tables: lines much longer than digits are high."""
    chosen_lines = set(chosen)
    may_be = [
        line
        for line in every
        if line not in chosen_lines
        and line.inked.mean() >= 0.9
        and line.alone.mean() >= 0.75
        and line.length >= max(SHORTEST_SIDE / 2, 25 * line.thickness)
    ]
    if not may_be:
        return []
    rest = mask.copy()
    for line in (*chosen, *may_be):
        view = rest.T if line.down else rest
        whole = np.arange(int(line.start), min(int(line.end) + 1, view.shape[1]))
        rows = np.round(line.at(whole.astype(np.float64))).astype(np.intp)
        half = int(line.thickness / 2) + 2
        for offset in range(-half, half + 1):
            view[np.clip(rows + offset, 0, len(view) - 1), whole] = False
    parts = components(rest)
    heights = parts.boxes[:, 3][(parts.sizes >= 12) & (parts.boxes[:, 3] >= 6)]
    if not len(heights):
        return []
    usual = float(np.median(heights))
    return [
        line
        for line in may_be
        if line.length >= MUCH_LONGER * usual and heights.max() >= 0.1 * line.length
    ]
