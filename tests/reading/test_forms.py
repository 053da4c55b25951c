"""Patterns, counts and regions."""

import numpy as np
import pytest

from digits.errors import DigitsError
from digits.pictures.box import Box
from digits.reading.forms import boxes_of, pattern_of, region_of, together
from digits.reading.page import Cell, Group, Page, Reading


@pytest.mark.parametrize(
    ("pattern", "count", "expected"),
    [(None, None, None), ("##-##", None, "##-##"), (None, 6, "######"), (" # # ", None, "# #")],
)
def test_a_form_is_a_pattern(pattern: str | None, count: int | None, expected: str | None) -> None:
    assert pattern_of(pattern, count) == expected


@pytest.mark.parametrize(
    ("pattern", "count", "sentence"),
    [
        ("##", 2, "give no count with it"),
        ("9999", None, "besides # only spaces and"),
        ("--", None, "at least one #"),
        ("", None, "at least one #"),
        ("#" * 101, None, "at most 100"),
        (None, 0, "from 1 to 100, not 0"),
        (None, 101, "from 1 to 100, not 101"),
    ],
)
def test_a_form_that_cannot_be_is_refused(
    pattern: str | None, count: int | None, sentence: str
) -> None:
    with pytest.raises(DigitsError, match=sentence):
        pattern_of(pattern, count)


def test_a_region_is_four_numbers() -> None:
    assert region_of("120,40, 300,60") == (120, 40, 300, 60)
    for wrong in ("1,2,3", "a,b,c,d", "1.5,2,3,4", ""):
        with pytest.raises(DigitsError, match="x,y,width,height in whole pixels"):
            region_of(wrong)


def test_a_region_is_cut_off_at_the_borders_of_the_picture() -> None:
    assert boxes_of([(-5, 10, 20, 30), (90, 0, 50, 7)], (40, 100)) == [
        Box(0, 10, 15, 30),
        Box(90, 0, 10, 7),
    ]
    for outside in ((100, 0, 5, 5), (0, 0, 0, 5), (-9, 0, 9, 5)):
        with pytest.raises(DigitsError, match="is not in the picture, which is 100 × 40 pixels"):
            boxes_of([outside], (40, 100))


def test_pages_of_regions_are_one_page() -> None:
    def page(text: str) -> Page:
        box = Box(1, 2, 3, 4)
        blank = np.zeros((256, 256), np.uint8)
        reading = Reading(7, np.full(10, 0.1, np.float32), True, box, blank, 1.0, 0, 0)
        return Page(
            text,
            text,
            (text,),
            (reading,),
            (Group(text, box, 0, 0.5),),
            (Cell(0, 0, "", box),),
            0.5,
        )

    whole = together([page("7"), page("42")], [Box(10, 20, 9, 9), Box(100, 200, 9, 9)])
    assert (whole.text, whole.digits, whole.lines) == ("7\n42", "742", ("7", "42"))
    assert [one.box for one in whole.readings] == [Box(11, 22, 3, 4), Box(101, 202, 3, 4)]
    assert [(one.line, one.group) for one in whole.readings] == [(0, 0), (1, 1)]
    assert [(one.text, one.line) for one in whole.groups] == [("7", 0), ("42", 1)]
    assert whole.groups[1].box == whole.cells[1].box == Box(101, 202, 3, 4)
    assert whole.confidence == 0.25
    nothing = Page("", "", (), ())
    assert together([page("7"), nothing], [Box(0, 0, 9, 9)] * 2).confidence == 0.5
    assert together([nothing], [Box(0, 0, 9, 9)]).confidence == 0
