"""A page that lies on its side or upside down -> upright, by what reads best."""

import math
from collections.abc import Callable

from digits.layout.structure import Layout
from digits.pictures.box import Box
from digits.reading import whole_page
from digits.reading.recogniser import Recogniser
from digits.reading.whole_page import FEW_LINES, Area

SURE = 0.88  # certainty of a page from which it stays as it is
CLEAR = 0.82  # certainty of a page that is turned, at least
BETTER = 0.12  # more certain, what is read when it is turned
EVIDENCE = 3.6  # for turning a page: the logarithm of the odds, of all its characters together
FEWEST = 4  # characters, of a page that is turned


def upright(
    lay_out: Callable[[int], Layout], recogniser: Recogniser
) -> tuple[Layout, list[Area], int]:
    """The layout of a page that reads best, what was read, and by how many quarter turns it was
    turned.

    A page stays as it is unless it is hard to read, or each of its lines is a single character, as
    those of a number that lies on its side are. The fewer characters, the clearer they must become,
    since some numbers can be read both ways. `lay_out` gives the layout after some quarter turns,
    counter-clockwise.
    """
    layout, turns = lay_out(0), 0
    areas = whole_page.read(layout, recogniser)
    characters = sum(len(area.written) for area in areas)
    in_cells = any(area.cell for area in areas)
    column = len(areas) >= 3 and characters <= 1.2 * len(areas) and not in_cells
    first = max(whole_page.certainty(areas), 0.01)
    needed = first * math.exp(EVIDENCE / max(characters, 1))
    if characters < FEWEST or needed > 1 or (first >= SURE and not column):
        return layout, areas, 0
    best = max(first + BETTER, CLEAR, needed)
    for turned in (2, 1, 3):
        other = lay_out(turned)
        read = whole_page.read(other, recogniser, trial=True)
        certainty = whole_page.certainty(read)
        seen = sum(len(area.written) for area in read)
        if certainty >= best and seen >= max(FEWEST, 0.65 * min(characters, FEW_LINES)):
            best, layout, turns = certainty, other, turned
    return layout, whole_page.read(layout, recogniser) if turns else areas, turns


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
