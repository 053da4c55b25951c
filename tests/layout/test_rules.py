"""Layout: rules beside digits go, and strokes of digits stay."""

import numpy as np
import pytest
from drawn_tables import INK, PAPER, assert_same_ink, digit, found_in, strokes
from PIL import Image, ImageDraw

from digits.data.mnist import Mnist
from digits.layout import straight, structure


def written(mnist: Mnist) -> Image.Image:
    page = Image.new("L", (400, 220), PAPER)
    for row in range(2):
        for i in range(5):
            one = digit(mnist, 5 * row + i, 40)
            page.paste(one, (90 + 50 * i, 40 + 80 * row), one)
    return page


MARGIN = [((70, 0), (72, 219))]
AXES = [((60, 20), (60, 200)), ((40, 190), (380, 190))]
UNDERLINE = [((85, 88), (345, 90))]
RULES = [((0, 25 + 40 * i), (399, 29 + 40 * i)) for i in range(5)]


@pytest.mark.parametrize("lines", [MARGIN, AXES, UNDERLINE, RULES])
def test_a_rule_beside_digits_is_removed(
    mnist: Mnist, lines: list[tuple[tuple[int, int], tuple[int, int]]]
) -> None:
    digits = written(mnist)
    page = digits.copy()
    for line in lines:
        ImageDraw.Draw(page).line(line, INK, 2)
    found = found_in(page)
    assert found.cells == ()
    assert_same_ink(found.ink, digits, lost=0.06)


def test_a_stroke_across_a_rule_is_kept() -> None:
    page = np.zeros((100, 300), np.uint8)
    page[60:62] = INK
    page[30:90, 100:105] = INK
    page[20:40, 200:240] = INK
    found = structure.find(page).ink
    assert not found[60:62, :95].any()
    assert not found[60:62, 110:].any()
    assert found[30:90, 101:104].all()
    assert found[20:40, 200:240].all()


def test_a_stroke_that_ends_above_a_rule_leaves_no_dash_of_it() -> None:
    page = np.zeros((100, 300), np.uint8)
    page[60:62] = INK
    page[20:58, 100:140] = INK
    found = structure.find(page).ink
    assert not found[58:].any()
    assert found[20:58, 100:140].all()


def test_a_stroke_that_stands_on_a_rule_keeps_its_foot() -> None:
    page = np.zeros((100, 300), np.uint8)
    page[60:63] = INK
    page[20:60, 100:106] = INK
    found = structure.find(page).ink
    assert found[20:60, 100:106].all()


def test_a_frame_that_the_picture_cuts_off_is_removed(mnist: Mnist) -> None:
    digits = written(mnist)
    page = digits.copy()
    ImageDraw.Draw(page).line([(399, 25), (60, 25), (60, 95), (399, 95)], INK, 2)
    found = found_in(page)
    assert found.cells == ()
    assert_same_ink(found.ink, digits)


def test_a_one_between_two_rules_stays() -> None:
    page = np.zeros((100, 300), np.uint8)
    page[20:22] = page[80:82] = INK
    page[22:80, 100:104] = INK
    assert structure.find(page).ink[24:78, 100:104].all()


def test_a_slanted_rule_is_removed() -> None:
    page = np.zeros((200, 400), np.uint8)
    for x in range(400):
        y = 100 + round(0.03 * x)
        page[y : y + 2, x] = INK
    assert (structure.find(page).ink > 0).sum() < 0.05 * (page > 0).sum()


KEPT = {
    "111": strokes(*((60 + 40 * i, 30, 6, 60) for i in range(3))),
    "a row of 7 and 1": strokes(
        *((40 + 60 * i, 30, 30, 5) for i in range(5)),
        *((65 + 60 * i, 30, 5, 60) for i in range(5)),
    ),
    "equals and minus": strokes((40, 50, 40, 5), (40, 65, 40, 5), (120, 58, 40, 5)),
    "a 4 with a long bar": strokes((60, 30, 5, 40), (60, 65, 60, 5), (95, 40, 5, 55)),
    "one thick digit": strokes((150, 10, 30, 100)),
    "a seven that fills the picture": strokes((5, 10, 90, 8), (87, 10, 8, 85), size=(100, 100)),
    "a 1 in a wide picture": strokes((100, 2, 4, 56), size=(60, 200)),
    "an empty box: 0": strokes((60, 30, 40, 4), (60, 86, 40, 4), (60, 30, 4, 60), (96, 30, 4, 60)),
    "a bar each: 8": strokes(
        (60, 30, 40, 4), (60, 58, 40, 4), (60, 86, 40, 4), (60, 30, 4, 60), (96, 30, 4, 60)
    ),
    "4 of print": strokes((80, 20, 6, 80), (50, 70, 50, 6), (50, 40, 6, 36)),
}


@pytest.mark.parametrize("name", KEPT)
def test_strokes_of_digits_are_not_touched(name: str) -> None:
    found = structure.find(KEPT[name])
    assert found.cells == ()
    np.testing.assert_array_equal(found.ink, KEPT[name])


def test_written_digits_are_not_touched(mnist: Mnist) -> None:
    page = np.asarray(written(mnist))
    np.testing.assert_array_equal(structure.find(page).ink, page)


def test_a_rule_that_strokes_hide_is_found_at_its_distance_from_the_others() -> None:
    page = Image.new("L", (400, 300), PAPER)
    pen = ImageDraw.Draw(page)
    for x in range(40, 400, 40):
        pen.line((x, 0, x, 299), INK, 2)
    for y in (20, 70, 120, 170, 220):  # a bar through it in five places
        pen.rectangle((188, y, 212, y + 34), fill=INK)
    found = found_in(page)
    assert sum(line.down for line in found.lines) == 9
    assert not found.ink[:18, 190:210].any()
    assert found.ink[30:45, 190:210].any()


def test_a_rule_that_is_found_several_times_has_no_distance() -> None:
    ink = strokes((0, 60, 400, 2))
    rule = max(straight.lines(ink > 0, down=False), key=lambda line: line.length)
    assert structure._in_step([rule], [rule] * 3, 400) == []
