"""The kinds of made pages, and what each must reach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.pages import makers, scoring
from benchmarks.pages.made import MadePage, Sources
from benchmarks.pages.scoring import Answer, Score
from benchmarks.pages.writing import Random

Maker = Callable[[Sources, Random], MadePage]
Scorer = Callable[[Answer, MadePage], Sequence[Score]]


@dataclass(frozen=True)
class Kind:
    """A kind of pages.

    Attributes:
        meaning: what the documentation calls it.
        maker: makes one page.
        scorer: scores what was read of it.
        must, goal: the share that is to be right.
        count: how many pages are measured.
    """

    meaning: str
    maker: Maker
    scorer: Scorer = scoring.of_text
    must: float = 0.95
    goal: float = 0.99
    count: int = 100


def _sheet(light: bool, wood: bool) -> Maker:
    return partial(makers.sheet_on_table, light, wood)


def _on(rules: str) -> Maker:
    return partial(makers.on_rules, rules)


_BOX = partial(Kind, scorer=scoring.of_boxes)
_CELLS = partial(Kind, scorer=scoring.of_cells, must=0.97, goal=0.995)
_WORDS = partial(Kind, scorer=scoring.of_words, count=200)

KINDS: dict[str, Kind] = {
    "plain": Kind("five digits on white", makers.plain, must=0.99, goal=1.0),
    "sheet_dark": Kind("the same on a sheet on a dark table", _sheet(False, False)),
    "sheet_wood": Kind("… on dark wood", _sheet(False, True)),
    "sheet_rim": Kind("… with only a dark rim of 30 pixels", makers.dark_rim),
    "sheet_light": Kind("… on a light table", _sheet(True, False)),
    "sheet_light_wood": Kind("… on light wood", _sheet(True, True)),
    "boxes_black": _BOX("a box for each digit, black", partial(makers.boxes, False)),
    "boxes_faint": _BOX("a box for each digit, faint", partial(makers.boxes, True)),
    "box_around": Kind("one box round the number", makers.box_around),
    "table": _CELLS("cells of a table of 8×4, photographed", makers.table),
    "sudoku": _CELLS("cells of a printed sudoku, photographed", makers.sudoku),
    "separators": Kind("points, commas, minus signs, slashes", makers.separators),
    "signs": Kind("colons, parentheses, plus and equals signs", makers.signs),
    "gaps": Kind("gaps of one digit's width", makers.gaps, must=0.97, goal=0.995),
    "touching_alone": Kind("two or three digits that touch", partial(makers.touching, False)),
    "touching_within": Kind("the same within five digits", partial(makers.touching, True)),
    "words_printed": _WORDS("printed words: no digit given", partial(makers.words, False)),
    "words_handwriting": _WORDS("words as of handwriting: none", partial(makers.words, True)),
    "among_words": Kind("a number behind a printed word: it alone", makers.number_among_words),
    "turned_90": Kind("pages of numbers turned by 90°", partial(makers.turned, (1, 3))),
    "turned_180": Kind("pages of numbers turned by 180°", partial(makers.turned, (2,))),
    "ruled": Kind("numbers on ruled paper", _on("ruled")),
    "squared": Kind("numbers on squared paper", _on("squared")),
    "margin": Kind("numbers beside a margin rule", _on("margin")),
    "long": Kind("12 to 20 digits in one line", makers.long_number),
    "six_lines": Kind("six lines of numbers", makers.six_lines),
}
