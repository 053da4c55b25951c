"""A page that lies on its side or upside down -> upright, by what reads best."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from digits.layout.structure import Layout
from digits.pictures.box import Box
from digits.reading import whole_page
from digits.reading.lines.decoding import OTHER, Character
from digits.reading.recogniser import Recogniser
from digits.reading.whole_page import FEW_LINES, Area

SURE = 0.93  # certainty of a page from which it stays as it is
CLEAR = 0.9  # certainty of a page that is turned, at least
BETTER = 1.0  # by which the logarithm of the odds of its certainty must grow
FEWEST = 3  # characters, of a page that is turned; lines, of one that may lie on its side
TELLING = frozenset("23457")  # digits that, as people write them, are none upside down
SEEN = 0.5  # of the characters, how many there must be when a page is turned


def upright(
    lay_out: Callable[[int], Layout], recogniser: Recogniser
) -> tuple[Layout, list[Area], int]:
    """The layout of a page that reads best, what was read, and by how many quarter turns it was
    turned.

    A page stays as it is unless it is hard to read, or each of its lines is a single character, as
    those of a number that lies on its side are. `lay_out` gives the layout after some quarter
    turns, counter-clockwise. `99` is `66` upside down, so only for other digits it is turned so.
    """
    layout = lay_out(0)
    areas = whole_page.read(whole_page.lines(layout, recogniser), recogniser)
    characters = sum(len(area.written) for area in areas)
    in_cells = any(area.cell for area in areas)
    column = len(areas) >= FEWEST and characters <= 1.2 * len(areas) and not in_cells
    first = whole_page.certainty(areas)
    if first >= SURE and not column:
        return layout, areas, 0
    best, turns = max(CLEAR, _certainty_at(_log_odds(first) + BETTER)), 0
    fewest = max(FEWEST, SEEN * min(characters, FEW_LINES))
    for turned in (2, 1, 3) if len(areas) >= FEWEST else (2,):
        lines = whole_page.lines(_turned(layout, turned), recogniser, FEW_LINES)
        seen = whole_page.glance(lines, recogniser)
        if _most_certain(seen) < best or not _tells(turned, [one.symbol for one in seen]):
            continue
        read = whole_page.read(lines, recogniser, trial=True)
        certainty = whole_page.certainty(read)
        symbols = [one.symbol for area in read for one in area.written]
        if certainty >= best and len(symbols) >= fewest and _tells(turned, symbols):
            best, turns = certainty, turned
    if not turns:
        return layout, areas, 0
    layout = lay_out(turns)
    return layout, whole_page.read(whole_page.lines(layout, recogniser), recogniser), turns


def _most_certain(characters: Sequence[Character]) -> float:
    """The certainty, 0 to 1, of a page whose characters were seen at a glance, if the other network
    is sure of each digit."""
    found = [
        float(one.probabilities.max()) * one.presence * (one.symbol != OTHER) for one in characters
    ]
    return float(np.mean(np.sqrt(found))) if found else 0.0


def _tells(turned: int, symbols: Sequence[str]) -> bool:
    """Whether characters tell that a page is to be turned: not all may be upside down, too."""
    return turned != 2 or not TELLING.isdisjoint(symbols)


def turned_back(box: Box, turns: int, shape: tuple[int, ...]) -> Box:
    """A box on a page that was turned, on the page of shape (h, w) as it was."""
    height, width = shape
    x, y, wide, high = box
    if turns == 1:  # what was on the right is at the top
        return Box(width - y - high, x, high, wide)
    if turns == 2:
        return Box(width - x - wide, height - y - high, wide, high)
    if turns == 3:
        return Box(y, height - x - wide, high, wide)
    return box


def _turned(layout: Layout, turns: int) -> Layout:
    """A layout after some quarter turns, for a trial: rows and columns keep their numbers."""
    ink = np.ascontiguousarray(np.rot90(layout.ink, turns))
    boxes = (turned_back(cell.box, 4 - turns, ink.shape) for cell in layout.cells)
    cells = (replace(cell, box=box) for cell, box in zip(layout.cells, boxes, strict=True))
    return Layout(ink, tuple(cells), np.rot90(layout.cell_map, turns), ())


def _log_odds(certainty: float) -> float:
    bounded = min(max(certainty, 0.01), 0.99)
    return math.log(bounded / (1 - bounded))


def _certainty_at(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
