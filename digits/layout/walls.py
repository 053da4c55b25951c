"""Which lines are walls of boxes and tables: those that meet others at both ends."""

from collections.abc import Sequence

import numpy as np

from digits.layout.straight import Floats, Line
from digits.pictures.masks import Mask

SOLID = 0.75  # share of a wall between two others that has ink
FEWEST_BOXES = 4  # in a row, whose even widths say what is a wall


def meeting(across: Sequence[Line], down: Sequence[Line], x: Floats, y: Floats) -> Mask:
    """Which lines across and down meet, shape (number across, number down)."""

    def within(lines: Sequence[Line], places: Floats, others: Sequence[Line]) -> Mask:
        start, end = (
            np.array(side) for side in zip(*((a.start, a.end) for a in lines), strict=True)
        )
        length = np.array([line.length for line in lines])
        # A long line may fade before its end; a stroke may end just before a wall.
        own = 0.03 * np.minimum(length, 64) + np.clip(0.06 * (length - 64), 0, 10)
        slack = 1.5 + own[:, None] + np.array([line.thickness / 2 for line in others])
        return np.asarray((places >= start[:, None] - slack) & (places <= end[:, None] + slack))

    slopes = [line.slope for line in across], [line.slope for line in down]
    upright = np.abs(np.add.outer(*slopes)) < 0.2
    return within(across, x, down) & within(down, y.T, across).T & upright


def walls_among(across: Sequence[Line], down: Sequence[Line]) -> list[Line]:
    """The lines, or parts of them, that meet others at both ends, and those others."""
    across, down = ([line for line in own if _may_be_wall(line)] for own in (across, down))
    for _ in range(2):  # what was cut at a stroke of a digit is cut no more
        x, y, near = _met(across, down)
        across, down = _parts(across, x, near), _parts(down, y.T, near.T)
        across, down = _held(across, down)
    down = _without_strokes(across, down)
    across, down = _held(across, down)
    return [*across, *down]


def _met(across: Sequence[Line], down: Sequence[Line]) -> tuple[Floats, Floats, Mask]:
    """Where lines across and down meet, columns and rows, and whether they do; shape (n, m)."""
    if not across or not down:
        nowhere = np.zeros((len(across), len(down)))
        return nowhere, nowhere, nowhere > 0
    x, y = crossings(across, down)
    return x, y, meeting(across, down, x, y)


def _may_be_wall(line: Line) -> bool:
    return line.length >= 6 * line.thickness


def _parts(lines: Sequence[Line], places: Floats, near: Mask) -> list[Line]:
    """Lines, cut where they have no ink between two others that they meet at places, shape (n, m).

    What goes on beyond the last that it meets, with a gap, is another stroke.
    """
    found = []
    for line, own, met in zip(lines, places, near, strict=True):
        start, end = int(line.start), int(line.end)
        crossed = np.unique(np.clip(np.round(own[met]), start, end).astype(np.intp))
        if len(crossed) < 2:
            continue
        cuts = np.unique([start, *crossed.tolist(), end])
        solid = [False]
        for left, right in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            span = slice(left - start + 1, right - start)  # the ends belong to the others
            if right - left < 8:
                solid.append(True)
            elif left < crossed[0] or right > crossed[-1]:
                solid.append(bool(line.inked[span].all()))
            else:
                solid.append(_is_solid(line.inked[span], line.alone[span]))
        edges = np.flatnonzero(np.diff(np.array([*solid, False], np.int8)))
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if cuts[last] - cuts[first] >= 8:
                found.append(line.part(int(cuts[first]), int(cuts[last])))
    return found


def _is_solid(inked: Mask, alone: Mask) -> bool:
    """Whether a line goes on from a wall to the next; strokes may hide it, and it may be broken.

    What is broken at both ends alone is a stroke that nearly reaches both walls, as a 1 does.
    """
    share, end = inked.mean(), len(inked) // 3
    if inked[end:-end].all() and not inked[:end].all() and not inked[-end:].all():
        return False
    return bool(share >= 0.95 or (share >= SOLID and alone.mean() >= 0.5))


def _held(across: Sequence[Line], down: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Those that are held at both ends by others that are."""
    x, y, near = _met(across, down)
    while near.any():
        held_across, held_down = _held_by(across, x, near), _held_by(down, y.T, near.T)
        left = near & held_across[:, None] & held_down
        if (left == near).all():
            return (
                [line for line, held in zip(across, held_across, strict=True) if held],
                [line for line, held in zip(down, held_down, strict=True) if held],
            )
        near = left
    return [], []


def _held_by(own: Sequence[Line], places: Floats, near: Mask) -> Mask:
    """Which lines are held at both ends by those that they meet at these places, shape (n, m)."""
    start, end = np.array([line.start for line in own]), np.array([line.end for line in own])
    first = np.where(near, places, np.inf).min(axis=1)
    last = np.where(near, places, -np.inf).max(axis=1)
    # Drawn by hand, or dirt that seems to go on; squared paper goes on further.
    loose = np.clip(0.15 * (end - start), 8, 15)
    return np.asarray((first - start <= loose) & (end - last <= loose) & (last - first >= 8))


def _without_strokes(across: Sequence[Line], down: Sequence[Line]) -> list[Line]:
    """The lines down without upright strokes of digits that fill a box from wall to wall.

    Boxes in a row have one width: if there is a number of boxes at all of whose even widths there
    is a line, the others are strokes. A stroke is also much thicker than the walls.
    """
    x, _, near = _met(across, down)
    strokes: set[Line] = set()
    single = near.sum(axis=0) == 2
    for pair in {tuple(np.flatnonzero(own).tolist()) for own in near.T[single]}:
        members = np.flatnonzero(single & near[list(pair)].all(axis=0))
        walls = [across[i].thickness for i in pair]
        thick = [down[i] for i in members.tolist() if down[i].thickness > 1.5 * max(walls) + 1]
        strokes.update(thick)
        places = x[list(pair)][:, members].mean(axis=0)
        members, places = members[np.argsort(places)], np.sort(places)
        strokes.update(down[i] for i in members[_uneven(places)].tolist())
    return [line for line in down if line not in strokes]


def _uneven(places: Floats) -> Mask:
    """Which of these increasing places are not where even boxes would end, one in a box at most;
    none if there is no number of boxes that would be even. The first and the last place are
    ends."""
    for boxes in range(len(places) - 1, FEWEST_BOXES - 1, -1):
        expected = np.linspace(places[0], places[-1], boxes + 1)
        off = np.abs(places[:, None] - expected)
        close = off <= 0.13 * (expected[1] - expected[0])
        if close.any(axis=0).all() and len(places) - (boxes + 1) <= boxes:
            uneven = np.ones(len(places), np.bool_)
            uneven[off.argmin(axis=0)] = False
            return uneven
    return np.zeros(len(places), np.bool_)


def crossings(across: Sequence[Line], down: Sequence[Line]) -> tuple[Floats, Floats]:
    """Where lines across and down meet, or would if they went on: columns and rows, each of shape
    (number across, number down)."""
    a, d = _quadratic(across), _quadratic(down)
    x = np.broadcast_to(d[None, :, 2], (len(across), len(down))).astype(np.float64)
    y = np.broadcast_to(a[:, None, 2], x.shape).astype(np.float64)
    for _ in range(4):
        y = np.clip(a[:, 0, None] * x * x + a[:, 1, None] * x + a[:, 2, None], -1e4, 1e4)
        x = np.clip(d[None, :, 0] * y * y + d[None, :, 1] * y + d[None, :, 2], -1e4, 1e4)
    return x, y


def _quadratic(found: Sequence[Line]) -> Floats:
    """Coefficients of the parabola through each line, the highest first; shape (n, 3)."""
    fitted = np.zeros((len(found), 3))
    for i, line in enumerate(found):
        if len(line.along) < 6 or line.length < 256:
            fitted[i, 1] = line.slope
            fitted[i, 2] = line.level[0] - line.slope * line.start
        else:
            fitted[i] = np.polyfit(line.along, line.level, 2)
    return fitted
