"""The symbols of a line as text."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from digits.layout.cells import Cell as CellBox
from digits.pictures.box import Box
from digits.reading.page import Page, Reading
from digits.reading.text import Row, Symbol, numbers, page_of, parted, parts_in_form

HEIGHT = 20.0


def symbols(text: str, narrow: int = 4, wide: int = 24) -> list[Symbol]:
    """Digits, signs, ? for a digit that is not sure, and letters, which are shown as ? as well;
    spaces are gaps."""
    found, x = [], 0
    for one in text:
        if one == " ":
            x += wide - narrow
            continue
        box = Box(x, 0, 14, 20)
        x += 14 + narrow
        if one in ".,-/:()+=":
            found.append(Symbol(one, box, None, False))
            continue
        digit = int(one) if one.isdigit() else 0
        blank = np.zeros((256, 256), np.uint8)
        chance = 0.02 if one.isalpha() else 0.5 if one == "?" else 0.97
        reading = Reading(digit, np.full(10, 0.1, np.float32), one.isdigit(), box, blank, chance)
        found.append(Symbol(one if one.isdigit() else "?", box, reading, one.isalpha()))
    return found


def tokens(line: list[Symbol]) -> list[list[Symbol]]:
    return numbers([line[part] for part in parted([one.box for one in line], HEIGHT)])


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("12.50", "12.50"),
        ("1.250,75-", "1.250,75-"),
        ("80?21", "80?21"),
        ("?", "?"),
        ("12 345 6", "12 345 6"),
        ("1 6 81", "1 6 81"),
        ("??00", "??00"),  # not sure, and never nothing
        ("Hello", ""),
        ("Hello 42", "42"),
        ("42 apples 7", "42 7"),
        ("hello green winter r00m 42", "42"),
        ("r00m", "?00?"),  # a number perhaps, where there are no words around it
        ("Total 12.50", "12.50"),
        ("4a2", "4?2"),
        ("--", ""),
    ],
)
def test_a_line_as_text(written: str, text: str) -> None:
    line = symbols(written)
    assert page_of([Row(tokens(line), line, None)]).text == text


def test_a_number_that_is_hard_to_read_is_not_nothing() -> None:
    line = symbols("abc9")
    hard = [
        replace(one, reading=replace(one.reading, is_digit=0.05))
        if one.reading and one.letter
        else one
        for one in line
    ]
    assert len(numbers([hard])) == 1
    assert numbers([symbols("abcd")]) == []


def test_digits_that_are_wide_apart_are_one_number() -> None:
    line = symbols("123456", narrow=18)
    assert page_of([Row(tokens(line), line, None)]).text == "123456"


def test_lines_groups_and_readings() -> None:
    lines = [symbols("12.5?"), symbols("word"), symbols("3 45")]
    page = page_of([Row(tokens(line), line, None) for line in lines])
    assert page.text == "12.5?\n3 45"
    assert page.digits == "125345"
    assert page.lines == ("125", "345")
    assert [(group.text, group.line) for group in page.groups] == [
        ("12", 0), ("5?", 0), ("3", 2), ("45", 2),
    ]  # fmt: skip
    assert page.groups[0].box == Box(0, 0, 32, 20)
    assert [one.line for one in page.readings] == [0] * 4 + [1] * 4 + [2] * 3
    assert [one.group for one in page.readings] == [0, 0, 1, 1, *[None] * 4, 2, 3, 3]


def test_a_row_of_cells_is_a_line_and_an_empty_cell_is_empty() -> None:
    cells = [
        CellBox(row, column, Box(40 * column, 30 * row, 40, 30))
        for row in (0, 1)
        for column in (0, 1)
    ]
    written = {cells[0]: "12", cells[1]: "3", cells[3]: "4.5"}
    rows = [Row(tokens(symbols(text)), symbols(text), of) for of, text in written.items()]
    page = page_of(rows, cells)
    assert page.text == "12 3\n4.5"
    assert [(cell.row, cell.column, cell.text) for cell in page.cells] == [
        (0, 0, "12"), (0, 1, "3"), (1, 0, ""), (1, 1, "4.5"),
    ]  # fmt: skip


def test_a_line_that_keeps_to_a_pattern_is_parted_where_the_pattern_is() -> None:
    parts = parts_in_form(symbols("12-3?4"), "##-# ##")
    assert ["".join(one.shown for one in part) for part in parts] == ["12-3", "?4"]


def test_a_guess_takes_the_place_of_what_is_not_sure() -> None:
    guessed = [one.guessed.shown for one in symbols("1?.x")]
    assert guessed == ["1", "0", ".", "0"]


def test_a_row_of_boxes_is_a_number_and_an_empty_box_parts_it() -> None:
    cells = [CellBox(0, column, Box(40 * column, 0, 40, 30)) for column in range(5)]
    written = {cells[0]: "1", cells[1]: "2", cells[3]: "4", cells[4]: "?"}
    rows = [Row(tokens(symbols(text)), symbols(text), of) for of, text in written.items()]
    page = page_of(rows, cells)
    assert page.text == "12 4?"
    assert [group.text for group in page.groups] == ["12", "4?"]
    assert [cell.text for cell in page.cells] == ["1", "2", "", "4", "?"]


def test_a_page_is_as_sure_as_all_its_digits_together() -> None:
    def page(*agreements: float) -> Page:
        line = symbols("12.50")
        sure = iter(agreements)
        line = [replace(one, agreement=next(sure)) if one.reading else one for one in line]
        return page_of([Row(tokens(line), line, None)])

    clear, doubtful = page(0, 0, 0, 0), page(0, -4, 0, 0)
    assert 0.9 < clear.confidence < 1
    assert [one.confidence for one in clear.groups] == [clear.confidence] * 2
    assert doubtful.confidence == doubtful.groups[0].confidence < clear.confidence
    assert page(-1, -1, -1, -1).confidence == pytest.approx(doubtful.confidence)
    assert page_of([]).confidence == 0


@pytest.mark.parametrize("turned", [False, True])
def test_zeros_within_a_word_are_no_number_where_gaps_cut_it(turned: bool) -> None:
    def parts(written: str, ends: list[int]) -> list[list[Symbol]]:
        line = symbols(written)
        if turned:
            line = [
                replace(one, box=Box(one.box.y, -one.box.x, one.box.height, one.box.width))
                for one in line
            ]
        return [line[a:b] for a, b in itertools.pairwise([0, *ends, len(line)])]

    assert numbers(parts("sch00l winter morning", [3, 5, 6, 12])) == []
    kept = numbers(parts("school 42 winter morning", [6, 8, 14]))
    assert [[one.shown for one in part] for part in kept] == [["4", "2"]]


def test_what_is_hardly_a_number_among_words_is_none() -> None:
    line = symbols("winter ?? morning")
    doubtful = [
        replace(one, reading=replace(one.reading, is_digit=0.2))
        if one.reading and not one.letter
        else one
        for one in line
    ]
    assert numbers([doubtful[:6], doubtful[6:8], doubtful[8:]]) == []
    assert len(numbers([line[:6], line[6:8], line[8:]])) == 1
