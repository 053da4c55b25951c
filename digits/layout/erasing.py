"""Takes lines out of ink; digits that touch or cross them stay whole as far as possible."""

from collections.abc import Sequence

import numpy as np

from digits.layout.straight import Floats, Line
from digits.pictures.grey import Grey
from digits.pictures.masks import Ints, Mask, components, wider

INKED = 24  # ink of at least this belongs to a line or a stroke
FIRM = 96  # the same, where the pale edge of a line is not meant
USUAL, UNEVEN = 80, 1.25  # percentile of a line's ink, and how far the rest may exceed it
BLOCK = 32  # pixels along a line, over which its middle is measured


class _Band:
    """The pixels around one line, as rows across it and columns along it."""

    def __init__(self, line: Line, inked: Mask) -> None:
        self.down = line.down
        view = inked.T if line.down else inked
        first, last = max(int(line.start) - 1, 0), min(int(line.end) + 2, view.shape[1])
        self.along = np.arange(first, last)
        level = line.at(self.along.astype(np.float64))
        level, self.thickness = _measured(view, self.along, level, line.thickness)
        self.half = self.thickness / 2 + 1
        self.top: Ints = np.floor(level - self.half).astype(np.intp)
        self.rows = int(np.ceil(2 * self.half)) + 1  # that are taken out, from `top`

    def window(self, before: int = 0, after: int = 0) -> tuple[Ints, Ints]:
        """An index into a transposed mask, of shape (rows, columns); with so many rows more."""
        offsets = np.arange(-before, self.rows + after)[:, None]
        return self.top + offsets, np.broadcast_to(self.along, (len(offsets), len(self.along)))


def erased(ink: Grey, lines: Sequence[Line]) -> Grey:
    """Ink of shape (h, w) without the lines. Where a stroke crosses a line, the crossing is kept:
    the straight continuation of what is above the line to what is below it."""
    inked = ink >= INKED
    bands = [
        (_Band(part, inked), _darkest(line, ink))
        for line in lines
        for part in _visible(line, inked)
    ]
    bands = [(band, darkest) for band, darkest in bands if len(band.along)]
    if not bands:
        return ink
    out = np.zeros_like(inked)
    for band, darkest in bands:
        of_it = np.zeros_like(inked)
        _set(of_it, band, *band.window())
        out |= of_it & (ink <= darkest)
    strokes = inked & ~out
    kept = np.zeros_like(inked)
    for band, _ in bands:
        rows, columns = _crossed(band, strokes, ink >= FIRM)
        _set(kept, band, rows, columns)
    left = np.where(out & ~kept, np.uint8(0), ink)
    # What is left of a line's faint edge, and bits of it that stood out.
    around = wider(out)
    edge = around & ~kept
    left[edge & (left < 128) & ~wider(strokes & ~edge)] = 0
    parts = components(left > 0)
    near = np.zeros(len(parts.sizes) + 1, np.bool_)
    near[np.unique(parts.labels[around])] = True
    thickest = max(band.thickness for band, _ in bands)
    bits = near[1:] & (parts.boxes[:, 2:].max(axis=1) <= 2 + 0.7 * thickest)
    bits |= near[1:] & (parts.boxes[:, 2:].min(axis=1) <= 2) & _mostly(parts.labels, edge | out)
    left[np.concatenate([[False], bits])[parts.labels]] = 0
    return left.astype(np.uint8)


def _visible(line: Line, inked: Mask) -> list[Line]:
    """The parts of a line that are in the ink at all: where it is too faint, strokes stay whole."""
    view = inked.T if line.down else inked
    start = int(line.start)
    along = np.arange(start, min(int(line.end) + 1, view.shape[1]))
    rows = np.round(line.at(along.astype(np.float64))).astype(np.intp)
    seen = np.zeros(len(along), np.bool_)
    for offset in (-1, 0, 1):
        inside = (rows + offset >= 0) & (rows + offset < len(view))
        seen |= view[np.clip(rows + offset, 0, len(view) - 1), along] & inside
    alone = line.alone[: len(along)]
    blocks = (along - start) // BLOCK
    counts = np.bincount(blocks, weights=alone)
    places = np.flatnonzero(counts)
    if not len(places):
        return [line] if seen.mean() > 0.5 else []
    shares = np.bincount(blocks, weights=alone & seen)[places] / counts[places]
    share = np.interp(np.arange(len(counts)), places, shares)
    edges = np.flatnonzero(np.diff(np.pad((share > 0.3).astype(np.int8), 1))) * BLOCK
    last = int(along[-1])
    return [
        line.part(start + first, min(start + end, last))
        for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]


def _darkest(line: Line, ink: Grey) -> float:
    """The most ink that a line's pixels have; what has more is a stroke that runs along it."""
    view = ink.T if line.down else ink
    along = np.arange(int(line.start), min(int(line.end) + 1, view.shape[1]))
    along = along[line.alone[: len(along)]]
    rows = np.round(line.at(along.astype(np.float64))).astype(np.intp)
    near = np.clip(rows + np.arange(-1, 2)[:, None], 0, len(view) - 1)
    own = view[near, along].max(axis=0)
    return float(np.percentile(own, USUAL)) * UNEVEN + INKED if len(own) else 255.0


def _mostly(labels: np.ndarray, mask: Mask) -> Mask:
    """Which labelled parts lie in a mask by more than half."""
    count = int(labels.max()) + 1
    whole = np.bincount(labels.ravel(), minlength=count)
    inside = np.bincount(labels[mask], minlength=count)
    return np.asarray((inside > 0.5 * whole)[1:])


def _measured(view: Mask, along: Ints, level: Floats, thickness: float) -> tuple[Floats, float]:
    """The level of a line, corrected by the ink, and its thickness in pixels."""
    reach = int(np.ceil(thickness / 2)) + 2
    offsets = np.arange(-reach, reach + 1)[:, None]
    rows = np.round(level).astype(np.intp) + offsets
    inside = (rows >= 0) & (rows < len(view))
    inked = view[np.clip(rows, 0, len(view) - 1), along] & inside
    counts = inked.sum(axis=0)
    plain = (counts > 0) & (counts < 2 * reach)  # no stroke crosses here
    if not plain.any():
        return level, thickness
    usual = float(np.percentile(counts[plain], 60))
    plain &= counts <= usual + 1  # and none runs along it
    middle = (inked * offsets).sum(axis=0) / np.maximum(counts, 1) + np.round(level) - level
    blocks = along // BLOCK
    places, shifts = [], []
    for block in np.unique(blocks).tolist():
        own = plain & (blocks == block)
        if own.sum() >= 4:
            places.append(float(along[own].mean()))
            shifts.append(float(np.median(middle[own])))
    shift = np.interp(along, places, shifts) if places else 0.0
    return level + shift, usual


def _set(mask: Mask, band: _Band, rows: Ints, columns: Ints) -> None:
    view = mask.T if band.down else mask
    inside = (rows >= 0) & (rows < view.shape[0])
    view[rows[inside], columns[inside]] = True


def _crossed(band: _Band, strokes: Mask, firm: Mask) -> tuple[Ints, Ints]:
    """The pixels of a band between a stroke above it and one below it, and in its half beside a
    stroke that touches it what goes on from there in firm ink."""
    view = strokes.T if band.down else strokes
    above, on_it = _beside(band, view, -2, -1)
    below, under_it = _beside(band, view, band.rows, band.rows + 1)
    count, last = len(band.along), band.rows - 1
    offsets = np.arange(band.rows)[:, None]
    starts = np.flatnonzero(above)
    rows, columns = [], []
    for shift in range(-band.rows, band.rows + 1):
        ends = starts + shift
        paired = starts[(ends >= 0) & (ends < count)]
        paired = paired[below[paired + shift]]
        if len(paired):
            place = paired + np.round(offsets * (shift / last)).astype(np.intp)
            columns.append(band.along[place].ravel())
            rows.append((band.top[place] + offsets).ravel())
    half = (band.rows + 1) // 2
    firm = firm.T if band.down else firm
    for touched, inwards in ((on_it, range(half)), (under_it, range(last, last - half, -1))):
        for offset in inwards:
            touched = touched & _beside(band, firm, offset)[0]
            place = np.flatnonzero(touched)
            rows.append(band.top[place] + offset)
            columns.append(band.along[place])
    return np.concatenate(rows), np.concatenate(columns)


def _beside(band: _Band, view: Mask, *offsets: int) -> tuple[Mask, Mask]:
    """Where there is ink in any, and in all, of the rows so far below the top of a band."""
    found = []
    for offset in offsets:
        row = band.top + offset
        inside = (row >= 0) & (row < len(view))
        found.append(view[np.clip(row, 0, len(view) - 1), band.along] & inside)
    return np.logical_or.reduce(found), np.logical_and.reduce(found)
