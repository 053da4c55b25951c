"""The ink of a page -> everything that is written on it, by lines and cells."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digits.layout.cells import Cell as CellBox
from digits.layout.segmentation import Fragment, Line, connected_parts, in_lines
from digits.layout.structure import Layout
from digits.pictures.grey import Grey
from digits.reading.broken import join_broken
from digits.reading.lines import decoding
from digits.reading.lines.decoding import OTHER, Character
from digits.reading.lines.judging import Judged, in_context, judge
from digits.reading.lines.line_reading import Written, at_a_glance, read_line
from digits.reading.page import Floats, Page, Reading
from digits.reading.recogniser import Recogniser
from digits.reading.text import (
    InPicture,
    Row,
    Symbol,
    numbers,
    page_of,
    parted,
    parts_in_form,
)

MOST_LINES = 300
MOST_WINDOWS = 500  # that the network for lines is shown, for one page
MOST_ON_TRIAL = 50
UNLIKELY = -4.0  # logarithm of the odds that ink is a digit
LOW = 0.4  # of the usual height in cells, what is no writing beside them
FEW_LINES = 12  # are read thoroughly


@dataclass(frozen=True)
class Area:
    """A line of writing, the cell that it is in, and its characters from the left."""

    line: Line
    cell: CellBox | None
    written: tuple[Written, ...] = ()


def lines(laid_out: Layout, recogniser: Recogniser, most: int = MOST_LINES) -> list[Area]:
    """The lines that are laid out on a page, and those in its cells, not yet read; if there are
    more than `most`, the longest."""
    areas = _areas(laid_out, recogniser)
    if len(areas) > most:
        longest = sorted(areas, key=lambda area: -len(area.line.fragments))[:most]
        areas = [area for area in areas if area in longest]
    return areas


def read(
    areas: Sequence[Area], recogniser: Recogniser, pattern: str | None = None, trial: bool = False
) -> list[Area]:
    """Reads lines, from `lines`.

    They keep to the pattern, from `forms.pattern_of`, if there is one. For a trial, each is looked
    at but once.
    """
    thorough = len(areas) <= FEW_LINES and not trial
    run = _Run(recogniser, MOST_ON_TRIAL if trial else MOST_WINDOWS)
    found = []
    for area in areas:
        if run.left > 0:
            written = read_line(area.line, recogniser, run, thorough, pattern)
            found.append(replace(area, written=tuple(written)))
    return found


def glance(areas: Sequence[Area], recogniser: Recogniser) -> list[Character]:
    """What the network for lines alone says of lines, which takes a fraction of the time."""
    run = _Run(recogniser, MOST_ON_TRIAL)
    return [one for area in areas if run.left > 0 for one in at_a_glance(area.line, run)]


class _Run:
    """The network for lines, which sees nothing in windows once it was shown so many."""

    def __init__(self, recogniser: Recogniser, most: int) -> None:
        self._recogniser = recogniser
        self.left = most

    def __call__(self, window: Grey) -> Floats:
        self.left -= 1
        if self.left < 0:
            return decoding.nothing(window.shape[1])
        return self._recogniser.line(window)


def certainty(areas: Sequence[Area]) -> float:
    """The mean certainty of all characters, 0 to 1. Letters count as 0: upside down, digits look
    like them."""
    found = []
    for one in (one for area in areas for one in area.written):
        own = one.certainty * (one.symbol != OTHER)
        if one.answer and one.symbol.isdigit():
            likely = one.answer.is_digit * float(one.answer.probabilities[int(one.symbol)])
            own = math.sqrt(own * likely)
        found.append(own)
    return float(np.mean(found)) if found else 0.0


def page(
    areas: Sequence[Area],
    cells: Sequence[CellBox],
    recogniser: Recogniser,
    in_picture: InPicture,
    pattern: str | None = None,
    guess: bool = False,
) -> Page:
    """The page of what was read.

    Args:
        areas: from `read`, with the same pattern.
        cells: all of the layout.
        recogniser: knows what is accepted.
        in_picture: takes a box on the ink map to the picture.
        pattern: of each line.
        guess: show the likeliest digit instead of ?.
    """
    rows = []
    for area, opinions in zip(areas, _opinions(areas, recogniser), strict=True):
        alone = len(opinions) == 1
        symbols = [
            _symbol(one, judged, in_picture, alone)
            for one, judged in zip(area.written, opinions, strict=True)
        ]
        parts = (
            parts_in_form(symbols, pattern)
            if pattern
            else numbers([symbols[part] for part in _parts(area)])
        )
        if guess:
            parts = [[one.guessed for one in part] for part in parts]
        rows.append(Row(parts, symbols, area.cell))
    return page_of(rows, cells, in_picture)


def _parts(area: Area) -> list[slice]:
    """The parts of an area's line that gaps make."""
    return parted([one.fragment.box for one in area.written], area.line.height)


def _areas(laid_out: Layout, recogniser: Recogniser) -> list[Area]:
    """Lines of writing from the top; in a table, those of each cell, row by row."""
    parts = join_broken(connected_parts(laid_out.ink), recogniser)
    if not laid_out.cells:
        return [Area(line, None) for line in in_lines(parts)]
    of_cell: dict[int, list[Fragment]] = {}
    outside = []
    for part in parts:
        within = laid_out.cell_map[part.box.window][part.ink > 0]
        cell = int(np.bincount(within).argmax()) - 1  # that most of it is in
        if cell >= 0:
            of_cell.setdefault(cell, []).append(part)
        else:
            outside.append(part)
    areas = [
        Area(line, laid_out.cells[index])
        for index in sorted(of_cell)
        for line in in_lines(of_cell[index])
    ]
    if of_cell:  # what is much lower is left of walls
        usual = np.median([part.box.height for own in of_cell.values() for part in own])
        outside = [part for part in outside if max(part.box[2:]) >= LOW * usual]
    first = min(cell.box.y for cell in laid_out.cells)
    others = [Area(line, None) for line in in_lines(outside)]
    above = [one for one in others if one.line.fragments[0].box.y < first]
    return [*above, *areas, *(one for one in others if one not in above)]


def _opinions(areas: Sequence[Area], recogniser: Recogniser) -> list[list[Judged | None]]:
    """Of each area's characters. All cells belong together; other lines stand alone."""
    own = [judge(area.written, recogniser) for area in areas]
    in_cells = iter(in_context([one for one, area in zip(own, areas, strict=True) if area.cell]))
    return [
        next(in_cells)
        if area.cell
        else list(itertools.chain(*in_context([one[part] for part in _parts(area)])))
        for one, area in zip(own, areas, strict=True)
    ]


def _symbol(written: Written, judged: Judged | None, in_picture: InPicture, alone: bool) -> Symbol:
    """A character as it is shown."""
    box = in_picture(written.fragment.box)
    if judged is None or written.answer is None:
        return Symbol(written.symbol, box, None, False)
    digit, accepted = int(judged.probabilities.argmax()), judged.accepted
    is_digit = 1 / (1 + math.exp(-judged.log_odds))
    reading = Reading(digit, judged.probabilities, accepted, box, written.answer.canvas, is_digit)
    seems_letter = written.symbol == OTHER and not alone
    letter = not accepted and (seems_letter or judged.log_odds < UNLIKELY)
    shown = str(digit) if accepted else OTHER
    return Symbol(shown, box, reading, letter, judged.agreement)
