"""Connected parts, and the lines that they are in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digits.layout import segmentation
from digits.layout.segmentation import Fragment
from digits.pictures.box import Box
from digits.pictures.grey import Grey


def sheet(*boxes: Box) -> Grey:
    """Ink that fills these boxes."""
    ink = np.zeros((200, 400), np.uint8)
    for box in boxes:
        ink[box.window] = 255
    return ink


def parts_of(*boxes: Box) -> list[Fragment]:
    return segmentation.connected_parts(sheet(*boxes))


def test_connected_parts_are_found_without_specks() -> None:
    boxes = [Box(10, 20, 20, 40), Box(60, 20, 10, 40), Box(100, 50, 3, 3)]
    parts = parts_of(*boxes)
    assert sorted(part.box for part in parts) == boxes[:2]
    assert all((part.ink == 255).all() for part in parts)


def test_a_hairline_with_gaps_is_one_part_and_a_thick_line_is_not() -> None:
    """A seven, one pixel wide, that fades in two places; and the same, written large."""
    seven = np.zeros((30, 30), np.uint8)
    seven[5, 8:20] = 255
    seven[np.arange(6, 26), 19 - np.arange(20) // 3] = 255
    seven[5, 12] = seven[14:16] = 0
    (part,) = segmentation.connected_parts(seven)
    assert part.box == Box(8, 5, 12, 21)
    assert np.array_equal(part.ink, seven[part.box.window])
    assert len(segmentation.connected_parts(seven.repeat(4, axis=0).repeat(4, axis=1))) == 3


def test_lines_are_from_the_top_and_their_parts_from_the_left() -> None:
    upper = [Box(30 * i, 10 + i, 20, 40) for i in range(10)]  # it slopes
    lower = [Box(30 * i, 110 + i, 20, 40) for i in range(10)]
    lines = segmentation.in_lines(parts_of(*lower[::-1], *upper[::-1]))
    assert [[part.box for part in line.fragments] for line in lines] == [upper, lower]
    assert [line.height for line in lines] == [40, 40]


def test_a_dot_joins_the_line_that_it_is_on() -> None:
    dot = Box(55, 42, 8, 8)
    digits = [Box(30, 10, 20, 40), Box(70, 10, 20, 40)]
    (line,) = segmentation.in_lines(parts_of(dot, *digits))
    assert [part.box for part in line.fragments] == [digits[0], dot, digits[1]]


def test_one_large_thing_does_not_decide_how_high_digits_are() -> None:
    digits = [Box(20 + 22 * i, 150, 10, 14) for i in range(6)]
    large = Box(200, 5, 150, 190)
    lines = segmentation.in_lines(parts_of(large, *digits))
    assert [line.height for line in lines] == [190, 14]
    assert [part.box for part in lines[1].fragments] == digits


def test_a_point_belongs_to_the_large_digits_that_it_is_among() -> None:
    digits = [Box(10, 10, 40, 80), Box(60, 10, 40, 80), Box(130, 10, 40, 80)]
    point = Box(112, 80, 10, 10)
    grain = [Box(200 + 12 * i, 150, 9, 9) for i in range(12)]
    lines = segmentation.in_lines(parts_of(point, *digits, *grain))
    assert [part.box for part in lines[0].fragments] == [*digits[:2], point, digits[2]]


@given(st.lists(st.integers(4, 200), min_size=1, max_size=40))
def test_the_usual_height_is_one_that_there_is(heights: list[int]) -> None:
    usual = segmentation.usual_height(np.array(heights))
    assert min(heights) <= usual <= max(heights)
