"""The ink of a page -> everything that is written on it, by lines and cells, turned upright."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digits.pictures.grey import Grey
from digits.reading.cells import Cell as CellBox
from digits.reading.decoding import OTHER
from digits.reading.layout import Layout
from digits.reading.line_reading import Written, judged, read_line
from digits.reading.page import Box, Floats, Page, Reading
from digits.reading.recogniser import Recogniser
from digits.reading.segmentation import Fragment, Line, connected_parts, in_lines
from digits.reading.text import InPicture, Row, Symbol, page_of, parts_in_form, tokens
from digits.runtime import Model

MOST_WINDOWS = 500  # that the network for lines is shown, for one page
FEW_LINES = 12  # are looked at in several sizes
DOUBTFUL = 0.7  # mean certainty of characters, below which a page may be turned
MUCH_BETTER = 0.15  # more certain, what is read when it is turned


@dataclass(frozen=True)
class _Area:
    """A line of writing, and the cell that it is in."""

    line: Line
    cell: CellBox | None


def read(
    laid_out: Layout,
    recogniser: Recogniser,
    model: Model,
    pattern: str | None,
    guess: bool,
    in_picture: InPicture,
) -> Page:
    """Reads what is laid out on a page.

    Args:
        laid_out: ink without rules and walls, and cells.
        recogniser: for single digits.
        model: its signature `line` reads lines.
        pattern: of each line, from `forms.pattern_of`.
        guess: show the likeliest digit instead of ?.
        in_picture: takes a box on the ink map to the picture.
    """
    recogniser.forget()
    left = MOST_WINDOWS

    def run(window: Grey) -> Floats:
        nonlocal left
        left -= 1
        return model.run("line", window)["log_probabilities"][0]

    areas = _areas(laid_out)
    several = len(areas) <= FEW_LINES
    rows = []
    for area in areas:
        if left <= 0:
            break
        written = read_line(area.line, recogniser, run, several, pattern)
        symbols = [_symbol(one, recogniser, in_picture) for one in written]
        height = in_picture(Box(0, 0, 1, round(area.line.height))).height
        parts = parts_in_form(symbols, pattern) if pattern else tokens(symbols, height)
        if guess:
            parts = [[one.guessed for one in part] for part in parts]
        rows.append(Row(parts, symbols, area.cell))
    return page_of(rows, laid_out.cells, in_picture)


def _areas(laid_out: Layout) -> list[_Area]:
    """Lines of writing from the top; in a table, those of each cell, row by row."""
    parts = connected_parts(laid_out.ink)
    if not laid_out.cells:
        return [_Area(line, None) for line in in_lines(parts)]
    of_cell: dict[int, list[Fragment]] = {}
    outside = []
    boxes = np.array([cell.box for cell in laid_out.cells])
    left, top = boxes[:, 0], boxes[:, 1]
    right, bottom = left + boxes[:, 2], top + boxes[:, 3]
    for part in parts:
        x, y = part.middle, part.box.y + part.box.height / 2
        within = np.flatnonzero((left <= x) & (x < right) & (top <= y) & (y < bottom))
        if len(within):
            of_cell.setdefault(int(within[0]), []).append(part)
        else:
            outside.append(part)
    areas = [
        _Area(line, laid_out.cells[index])
        for index in sorted(of_cell)
        for line in in_lines(of_cell[index])
    ]
    first = int(top.min())
    others = [_Area(line, None) for line in in_lines(outside)]
    above = [one for one in others if one.line.fragments[0].box.y < first]
    return [*above, *areas, *(one for one in others if one not in above)]


def _symbol(written: Written, recogniser: Recogniser, in_picture: InPicture) -> Symbol:
    """A character as it is shown."""
    box = in_picture(written.fragment.box)
    if written.answer is None:
        return Symbol(written.symbol, box, None, False)
    probabilities, odds, accepted = judged(written, recogniser)
    digit = int(probabilities.argmax())
    is_digit = odds / (odds + 1)
    reading = Reading(digit, probabilities, accepted, box, written.answer.canvas, is_digit)
    letter = not accepted and written.symbol == OTHER
    return Symbol(str(digit) if accepted else OTHER, box, reading, letter)
