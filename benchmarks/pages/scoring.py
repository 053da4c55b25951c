"""What was read of a made page, against what a person would write down of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.harness.json_lines import Line
from benchmarks.pages.made import MadePage
from digits.evaluation import wilson_interval
from digits.reading.page import Page

Place = tuple[int, int]  # row and column of a cell, from 0

REFUSED = "?"  # stands in a text for what is not sure


@dataclass(frozen=True)
class Answer:
    """What was read of a page.

    Attributes:
        text: as written, with separators, gaps, and `REFUSED`.
        lines: the digits alone.
        cells: the text of each cell that was found.
    """

    text: str
    lines: tuple[str, ...]
    cells: Mapping[Place, str]


@dataclass(frozen=True)
class Score:
    """Of one thing that is counted: a page, or a cell of a table.

    Attributes:
        right: it is read as it is written.
        digits_right: its digits are, whatever stands between them.
        refused: at least one `REFUSED` is in the answer.
    """

    right: bool
    digits_right: bool
    refused: bool


def answer_of(page: Page) -> Answer:
    """A page as it is scored."""
    return Answer(
        page.text, page.lines, {(cell.row, cell.column): cell.text for cell in page.cells}
    )


def of_text(answer: Answer, page: MadePage) -> list[Score]:
    """Of a page whose whole text counts."""
    return [_of_page(answer.text == page.text, answer, page)]


def of_boxes(answer: Answer, page: MadePage) -> list[Score]:
    """Of a number in boxes: a gap between two boxes is neither right nor wrong."""
    return [_of_page(answer.text.replace(" ", "") == page.text, answer, page)]


def of_words(answer: Answer, page: MadePage) -> list[Score]:
    """Of a page without any number: right if no digit is given. What is refused gives none."""
    return [_of_page(not any(map(str.isdigit, answer.text)), answer, page)]


def of_cells(answer: Answer, page: MadePage) -> list[Score]:
    """Of each cell of a table: right if it stands in its row and column, empty if it is empty."""
    if page.cells is None:
        raise ValueError("this page has no cells")
    scores = []
    for row, texts in enumerate(page.cells):
        for column, text in enumerate(texts):
            read = answer.cells.get((row, column))
            digits = "".join(filter(str.isdigit, read or ""))
            right, digits_right = read == text, read is not None and digits == text
            scores.append(Score(right, digits_right, REFUSED in (read or "")))
    return scores


def line_of(kind: str, scores: Sequence[Score], milliseconds: float) -> Line:
    """The result line of a kind.

    `right` and `digits_right` are shares, with the Wilson interval of the first. `wrong` is the
    share that is answered without any `?`, and not right; `refused` that with at least one.

    Args:
        scores: of all pages or cells.
        milliseconds: the median time of a read.
    """
    count = len(scores)
    right = sum(score.right for score in scores)
    return {
        "kind": kind,
        "n": count,
        "right": right / count,
        "interval": list(wilson_interval(right, count)),
        "digits_right": sum(score.digits_right for score in scores) / count,
        "wrong": sum(not (score.right or score.refused) for score in scores) / count,
        "refused": sum(score.refused for score in scores) / count,
        "milliseconds": milliseconds,
    }


def _of_page(right: bool, answer: Answer, page: MadePage) -> Score:
    return Score(right, list(answer.lines) == page.lines, REFUSED in answer.text)
