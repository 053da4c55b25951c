"""The cells of tables, sudokus and rows of boxes: what walls enclose, in rows and columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digits.layout.straight import Floats, Line
from digits.layout.walls import crossings, meeting
from digits.pictures.box import Box
from digits.pictures.masks import Components, Ints, Mask, components

Numbers = NDArray[np.uint16]

NARROWEST = 8  # pixels, of a cell
MOST_CELLS = 2000


@dataclass(frozen=True)
class Cell:
    """A cell: its row and column, from 0, and the box around what its walls enclose, in pixels."""

    row: int
    column: int
    box: Box


@dataclass(frozen=True)
class Holes:
    """What walls enclose.

    Attributes:
        labels: of the picture's shape: i + 1 in hole i, 0 elsewhere.
        boxes: Ints of shape (n, 4): x, y, width and height of each.
        walls: of the picture's shape: the number of connected walls, from 1, and 0 elsewhere.
        groups: the number of the walls around each hole, shape (n,).
        middles: (n, 2), x and y of each in the table's own directions, in pixels.
        sides: (n, 2), width and height of each, in those directions.
    """

    labels: NDArray[np.uint32]
    boxes: Ints
    walls: NDArray[np.uint32]
    groups: Ints
    middles: Floats
    sides: Floats


def drawn(walls: Sequence[Line], shape: tuple[int, ...]) -> Mask:
    """The walls as a mask without gaps: continued to the walls that they meet."""
    across = [line for line in walls if not line.down]
    down = [line for line in walls if line.down]
    mask = np.zeros(shape, np.bool_)
    if not across or not down:
        return mask
    x, y = crossings(across, down)
    near = meeting(across, down, x, y)
    for lines, along, met, view in ((across, x, near, mask), (down, y.T, near.T, mask.T)):
        for line, places, own in zip(lines, along, met, strict=True):
            reach = [line.start, line.end, *places[own].tolist()]
            start, end = int(max(min(reach), 0)), int(min(max(reach) + 1, view.shape[1]))
            whole = np.arange(start, end)
            half = max(1, int(line.thickness / 2))
            rows = np.round(line.at(whole.astype(np.float64))).astype(np.intp)
            for offset in range(-half, half + 1):
                view[np.clip(rows + offset, 0, len(view) - 1), whole] = True
    return mask


def holes(walls: Sequence[Line], shape: tuple[int, ...]) -> Holes:
    """What the walls enclose in a picture of a shape (h, w): four-sided and not too narrow."""
    mask = drawn(walls, shape)
    # A margin, so that what is outside is one part.
    space = components(~np.pad(mask, 1))
    labels = space.labels[1:-1, 1:-1]
    labels[labels == space.labels[0, 0]] = 0
    middles, sides, areas = _measured(labels, walls, len(space.sizes))
    solid = areas >= 0.85 * sides.prod(axis=1)
    kept: Mask = np.asarray(solid & (sides.min(axis=1) >= NARROWEST))
    if kept.any():  # slivers between double walls
        usual = np.median(sides[kept], axis=0)
        kept &= (sides >= 0.2 * usual).all(axis=1)
    chosen = np.flatnonzero(kept)[:MOST_CELLS]
    numbers = np.zeros(len(space.sizes) + 1, np.uint32)
    numbers[chosen + 1] = np.arange(1, len(chosen) + 1)
    boxes: Ints = space.boxes[chosen] - np.array([1, 1, 0, 0])
    parts = components(mask)
    groups = _groups(parts, boxes)
    return Holes(numbers[labels], boxes, parts.labels, groups, middles[chosen], sides[chosen])


def _groups(walls: Components, boxes: Ints) -> Ints:
    """The connected walls that each box lies in: the smallest whose bounds hold it; else 0."""
    groups = np.zeros(len(boxes), np.int64)
    best = np.full(len(boxes), np.inf)
    x, y, width, height = boxes.T
    for i, (left, top, wide, high) in enumerate(walls.boxes.tolist()):
        inside = (x >= left) & (y >= top) & (x + width <= left + wide) & (y + height <= top + high)
        better = inside & (wide * high < best)
        groups[better], best[better] = i + 1, wide * high
    return groups


def _measured(
    labels: NDArray[np.uint32], walls: Sequence[Line], count: int
) -> tuple[Floats, Floats, Floats]:
    """Middles, sides and areas of labelled parts, straightened as the walls go.

    Under a turn and a slight perspective, the slope of a wall changes evenly with its place. A
    rectangle's sides follow from the variance of its pixels.
    """
    at = np.flatnonzero(labels)
    own = labels.ravel()[at].astype(np.intp) - 1
    y, x = (values.astype(np.float32) for values in np.divmod(at, labels.shape[1]))
    centre_y, centre_x = labels.shape[0] / 2, labels.shape[1] / 2
    a, b = _slopes([line for line in walls if not line.down], centre_x, centre_y)
    c, d = _slopes([line for line in walls if line.down], centre_y, centre_x)
    off_x, off_y = x - np.float32(centre_x), y - np.float32(centre_y)
    v = (off_y - a * off_x) / np.maximum(1 + b * off_x, 0.2)
    u = (off_x - c * off_y) / np.maximum(1 + d * off_y, 0.2)
    areas = np.bincount(own, minlength=count).astype(np.float64)
    n = np.maximum(areas, 1)
    middles, sides = np.zeros((count, 2)), np.zeros((count, 2))
    for i, values in enumerate((u, v)):
        mean = np.bincount(own, weights=values, minlength=count) / n
        square = np.bincount(own, weights=values * values, minlength=count) / n
        middles[:, i] = mean
        sides[:, i] = np.sqrt(12 * np.maximum(square - mean * mean, 0)) + 1e-6
    return middles, sides, areas


def _slopes(lines: Sequence[Line], along: float, level: float) -> tuple[np.float32, np.float32]:
    """The slope of lines at a place, and how it grows with their level."""
    if not lines:
        return np.float32(0), np.float32(0)
    levels = np.concatenate([line.at(np.array([along])) for line in lines]) - level
    slopes = np.array([line.slope for line in lines])
    weights = np.array([line.length for line in lines])
    mean = np.average(levels, weights=weights)
    slope = np.average(slopes, weights=weights)
    spread = np.average((levels - mean) ** 2, weights=weights)
    grows = np.average((levels - mean) * (slopes - slope), weights=weights) / max(spread, 1.0)
    grows = float(np.clip(grows, -1e-3, 1e-3))
    return np.float32(slope - grows * mean), np.float32(grows)


def in_order(found: Holes) -> tuple[tuple[Cell, ...], Numbers]:
    """The holes of tables and rows of boxes as cells, tables one after another from the top, and
    each row by row; none if there is only one hole, or none that stands in a line with another.

    Also returns a map of the picture's shape: i + 1 in cell i, 0 elsewhere.
    """
    cells: list[Cell] = []
    numbers = np.zeros(len(found.boxes) + 1, np.uint16)
    row = 0
    for members in _tables(found):
        rows = _levels(found.middles[members, 1], found.sides[members, 1])
        columns = _levels(found.middles[members, 0], found.sides[members, 0])
        columns = _columns(rows, columns, found.middles[members, 0])
        for i in np.lexsort([columns, rows]).tolist():
            box = Box(*found.boxes[members[i]].tolist())
            cells.append(Cell(row + int(rows[i]), int(columns[i]), box))
            numbers[members[i] + 1] = len(cells)
        row += int(rows.max()) + 1
    return tuple(cells), numbers[found.labels]


def _tables(found: Holes) -> list[Ints]:
    """The numbers of the holes of each table, or row or column of boxes; from the top."""
    if not len(found.groups):
        return []
    table = np.unique(found.groups, return_inverse=True)[1]
    first, last = found.middles - found.sides / 2, found.middles + found.sides / 2
    for i in (1, 0):  # boxes of one height in a row, then of one size in a column
        candidates = _in_one_row(found, table) if i else np.bincount(table) == 1
        boxes = np.flatnonzero(candidates[table])
        apart = np.maximum(first[boxes, None], first[boxes]) - np.minimum(
            last[boxes, None], last[boxes]
        )
        least = np.minimum(found.sides[boxes, None], found.sides[boxes])
        alike = least > 0.75 * np.maximum(found.sides[boxes, None], found.sides[boxes])
        joined = alike[..., i] & (-apart[..., i] > 0.75 * least[..., i])
        if i == 0:
            joined &= alike[..., 1] & (apart[..., 1] < least[..., 1])
        for a, b in np.argwhere(np.triu(joined, 1)).tolist():
            one, two = table[boxes[a]], table[boxes[b]]
            table[table == two] = one
    tables = [np.flatnonzero(table == number) for number in np.unique(table).tolist()]
    tables = _beside_each_other([members for members in tables if len(members) > 1], found)
    return sorted(tables, key=lambda members: float(first[members, 1].min()))


def _beside_each_other(tables: Sequence[Ints], found: Holes) -> list[Ints]:
    """The tables, with columns of boxes that stand side by side, row beside row, as one."""
    joined: list[Ints] = []
    for members in sorted(tables, key=lambda own: float(found.middles[own, 0].min())):
        column = members[np.argsort(found.middles[members, 1])]
        last = joined[-1] if joined else column[:0]
        before = last[-len(column) :]  # the column on the left, if it was joined already
        if (
            len(last) >= len(column)
            and len(last) % len(column) == 0
            and _is_column(found, column)
            and _is_column(found, before)
            and _next_to(found, before, column)
        ):
            joined[-1] = np.concatenate([last, column])
        else:
            joined.append(column)
    return joined


def _is_column(found: Holes, members: Ints) -> bool:
    return int(_levels(found.middles[members, 0], found.sides[members, 0]).max()) == 0


def _next_to(found: Holes, left: Ints, right: Ints) -> bool:
    """Whether two columns, from the top, have their rows beside each other, and no room between
    them for a third."""
    off = np.abs(found.middles[left, 1] - found.middles[right, 1])
    sides = np.minimum(found.sides[left], found.sides[right])
    apart = found.middles[right, 0] - found.middles[left, 0]
    return bool((off < 0.25 * sides[:, 1]).all() and (apart < 2 * sides[:, 0]).all())


def _in_one_row(found: Holes, table: Ints) -> Mask:
    """Whether all holes of each table are beside each other."""
    return np.array(
        [
            int(_levels(found.middles[own, 1], found.sides[own, 1]).max()) == 0
            for own in (np.flatnonzero(table == number) for number in range(int(table.max()) + 1))
        ]
    )


def _levels(middles: Floats, sides: Floats) -> Ints:
    """The number of the row, or column, of each: those that begin at one level share it."""
    starts = middles - sides / 2
    apart = 0.35 * float(np.median(sides))
    order = np.argsort(starts, kind="stable")
    steps = np.diff(starts[order], prepend=starts[order[0]]) > apart
    numbers = np.empty(len(starts), np.int64)
    numbers[order] = np.cumsum(steps)
    return numbers


def _columns(rows: Ints, columns: Ints, middles: Floats) -> Ints:
    """Columns that two rows share keep their numbers; a row with others is counted from 0.

    So the cells that are left in a row of merged ones stay in their columns, and a last row that is
    divided in its own way is counted by itself.
    """
    used = [len(np.unique(rows[columns == column])) for column in range(int(columns.max()) + 1)]
    shared = np.array(used) > 1
    if not shared.any():
        shared[:] = len(np.unique(rows)) == 1
    numbers = np.cumsum(shared) - 1
    found = numbers[columns]
    for row in np.unique(rows).tolist():
        own = np.flatnonzero(rows == row)
        distinct = len(np.unique(found[own])) == len(own)
        if not shared[columns[own]].all() or not distinct:
            found[own[np.argsort(middles[own], kind="stable")]] = np.arange(len(own))
    return np.asarray(found, np.int64)
