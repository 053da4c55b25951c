"""Layout: rules, boxes and tables go, cells are found in order, and strokes of digits stay."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.handwriting import composed_pages as pages
from digits.data.mnist import Mnist
from digits.layout import ink, straight, structure
from digits.layout.structure import Layout
from digits.pictures.grey import Grey
from digits.pictures.masks import wider

INK, PAPER = 255, 0
Bools = NDArray[np.bool_]


def digit(mnist: Mnist, i: int, height: int) -> Image.Image:
    """One of MNIST's validation digits, without its margin, so high."""
    image = mnist.train_images[-1 - i]
    image = image[np.ix_(image.any(axis=1), image.any(axis=0))]
    width = max(2, round(image.shape[1] * height / image.shape[0]))
    return Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)


def grid(
    mnist: Mnist, rows: int, columns: int, side: tuple[int, int], wall: int, tone: int = INK
) -> tuple[Image.Image, Image.Image]:
    """A grid of cells, with a digit in each; the digits alone, and with walls around them."""
    width, height = side
    digits = Image.new("L", (columns * width + 60, rows * height + 60), PAPER)
    for row in range(rows):
        for column in range(columns):
            one = digit(mnist, row * columns + column, height * 3 // 5)
            left = 30 + column * width + (width - one.width) // 2
            digits.paste(one, (left, 30 + row * height + height // 5), one)
    page = digits.copy()
    pen = ImageDraw.Draw(page)
    for row in range(rows + 1):
        y = 30 + row * height
        pen.line((30, y, 30 + columns * width, y), tone, wall)
    for column in range(columns + 1):
        x = 30 + column * width
        pen.line((x, 30, x, 30 + rows * height), tone, wall)
    return digits, page


def turned(image: Image.Image, degrees: float, squeeze: float = 0.0) -> Image.Image:
    """The picture turned, with its far side `squeeze` narrower than the near one."""
    turned = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    width, height = turned.size
    inset = squeeze * width / 2
    near = (-inset, 0, inset / 2, height, width - inset / 2, height, width + inset, 0)
    return turned.transform(turned.size, Image.Transform.QUAD, near, Image.Resampling.BICUBIC)


def found_in(picture: Image.Image) -> Layout:
    return structure.find(np.asarray(picture))


def assert_places(found: Layout, rows: int, columns: int) -> None:
    places = [(cell.row, cell.column) for cell in found.cells]
    assert places == [(row, column) for row in range(rows) for column in range(columns)]
    for number, cell in enumerate(found.cells, 1):
        y, x = np.nonzero(found.cell_map == number)
        assert (x.min(), y.min()) == (cell.box.x, cell.box.y)
        assert (x.max() + 1, y.max() + 1) == (cell.box.right, cell.box.bottom)


def assert_same_ink(found: Grey, digits: Image.Image, lost: float = 0.03) -> None:
    """What was written is there, and nothing else but specks."""
    truth = np.asarray(digits) > 127
    assert (truth & (found <= 127)).sum() <= lost * truth.sum()
    assert ((found > 127) & ~wider(wider(truth))).sum() <= 0.02 * truth.sum()


@pytest.mark.parametrize("wall", [1, 2, 4, 8])
@pytest.mark.parametrize("tone", [255, 60])
def test_a_box_for_each_digit(mnist: Mnist, wall: int, tone: int) -> None:
    digits, page = grid(mnist, 1, 5, (50, 60), wall, tone)
    found = found_in(page)
    assert_places(found, 1, 5)
    assert_same_ink(found.ink, digits)


def test_digits_that_cross_their_boxes_stay_whole(mnist: Mnist) -> None:
    digits = Image.new("L", (360, 120), PAPER)
    page = digits.copy()
    ImageDraw.Draw(page).rectangle((30, 30, 330, 90), outline=INK, width=3)
    for i in range(1, 6):
        ImageDraw.Draw(page).line((30 + 50 * i, 30, 30 + 50 * i, 90), INK, 3)
    for i in range(5):
        one = digit(mnist, i, 48)
        for image in (digits, page):
            image.paste(one, (32 + 53 * i, 30 + 4 * i), one)
    found = found_in(page)
    assert_places(found, 1, 6)
    # Bits of wall between two strokes, and strokes that lie in a wall, cannot be told apart.
    truth = np.asarray(digits) > 127
    assert (truth & (found.ink <= 127)).sum() <= 0.1 * truth.sum()
    assert ((found.ink > 127) & ~wider(wider(truth))).sum() <= 0.05 * truth.sum()


def test_a_frame_is_removed_and_is_no_cell(mnist: Mnist) -> None:
    digits = Image.new("L", (300, 120), PAPER)
    for i in range(5):
        one = digit(mnist, i, 40)
        digits.paste(one, (50 + 40 * i, 40), one)
    page = digits.copy()
    ImageDraw.Draw(page).rectangle((30, 25, 270, 95), outline=INK, width=3)
    found = found_in(page)
    assert found.cells == ()
    assert_same_ink(found.ink, digits)


def test_separate_boxes_in_a_row_are_cells(mnist: Mnist) -> None:
    page = Image.new("L", (420, 100), PAPER)
    for i in range(5):
        ImageDraw.Draw(page).rectangle((20 + 80 * i, 20, 70 + 80 * i, 80), outline=INK, width=2)
        one = digit(mnist, i, 36)
        page.paste(one, (30 + 80 * i, 32), one)
    assert_places(found_in(page), 1, 5)


@pytest.mark.parametrize("degrees", [-10, -7, 0, 3, 10])
@pytest.mark.parametrize("squeeze", [0.0, 0.08])
def test_a_table(mnist: Mnist, degrees: float, squeeze: float) -> None:
    digits, page = (turned(image, degrees, squeeze) for image in grid(mnist, 8, 4, (90, 50), 2))
    found = found_in(page)
    assert_places(found, 8, 4)
    assert_same_ink(found.ink, digits)
    for number in range(1, 33):  # each has its own digit
        assert found.ink[found.cell_map == number].any()


def test_bent_and_broken_walls(mnist: Mnist) -> None:
    _, page = grid(mnist, 4, 4, (80, 60), 2)
    wave = np.asarray(page).copy()
    for x in range(wave.shape[1]):
        wave[:, x] = np.roll(wave[:, x], round(6 * np.sin(x / 120)))
    wave[:, 75:80] = 0
    wave[132:137] = 0
    found = structure.find(wave)
    assert_places(found, 4, 4)


@pytest.mark.parametrize("degrees", [0, -8])
def test_a_sudoku(degrees: float) -> None:
    page = Image.new("L", (9 * 40 + 60, 9 * 40 + 60), PAPER)
    pen = ImageDraw.Draw(page)
    for i in range(10):
        wall = 2 if i % 3 else 5
        pen.line((30, 30 + 40 * i, 390, 30 + 40 * i), INK, wall)
        pen.line((30 + 40 * i, 30, 30 + 40 * i, 390), INK, wall)
    font = ImageFont.load_default(28)
    for i in range(0, 81, 3):
        place = 50 + 40 * (i % 9) + i // 9 % 3, 50 + 40 * (i // 9)
        pen.text(place, str(i % 9 + 1), INK, font, anchor="mm")
    assert_places(found_in(turned(page, degrees)), 9, 9)


def test_merged_cells_keep_the_columns_of_the_others() -> None:
    page = Image.new("L", (380, 240), PAPER)
    pen = ImageDraw.Draw(page)
    for row in range(4):
        pen.line((30, 30 + 60 * row, 350, 30 + 60 * row), INK, 2)
    for column in range(5):
        pen.line((30 + 80 * column, 30, 30 + 80 * column, 210), INK, 2)
    pen.rectangle((106, 93, 114, 147), PAPER)  # in the second row, the first two are one
    for row in range(3):
        pen.line((60, 45 + 60 * row, 56, 75 + 60 * row), INK, 4)
    found = found_in(page)
    assert [cell.column for cell in found.cells if cell.row == 1] == [0, 2, 3]
    assert len(found.cells) == 11


@pytest.mark.parametrize("paper", ["ruled", "squared"])
def test_paper_has_no_cells(mnist: Mnist, paper: str) -> None:
    random = np.random.default_rng(5)
    images, labels = mnist.train_images[-5000:], mnist.train_labels[-5000:]
    page, _ = pages.compose(random, images, labels, 3, 6, 36, 0.2)
    seen = ink.find(pages.photograph(random, page, pages.PAPERS[paper], 36))
    found = structure.find(seen.map, seen.faint)
    assert found.cells == ()
    assert len(found.lines) >= 3
    truth = page > 0.5
    assert (truth & (found.ink <= 127)).sum() <= 0.1 * truth.sum()
    assert ((found.ink > 127) & ~wider(wider(truth))).sum() <= 0.05 * truth.sum()


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


def strokes(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (120, 400)) -> Grey:
    page = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        page[y : y + height, x : x + width] = INK
    return page


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


def test_ones_in_a_table_stay() -> None:
    """They nearly reach from rule to rule, and are as thick as the walls."""
    page = Image.new("L", (260, 240), PAPER)
    pen = ImageDraw.Draw(page)
    for i in range(4):
        pen.line((30, 30 + 50 * i, 210, 30 + 50 * i), INK, 2)
        pen.line((30 + 60 * i, 30, 30 + 60 * i, 180), INK, 2)
    for row in range(3):
        for column in range(3):
            pen.line((60 + 60 * column, 36 + 50 * row, 60 + 60 * column, 74 + 50 * row), INK, 3)
    found = found_in(page)
    assert_places(found, 3, 3)
    for cell in found.cells:
        assert found.ink[cell.box.window].any()


DOWN, RIGHT = np.mgrid[:1700, :1800]
RANDOM = np.random.default_rng(1)
HARD = {
    "noise": RANDOM.random(DOWN.shape) < 0.5,
    "sparse noise": RANDOM.random(DOWN.shape) < 0.05,
    "checkerboard": (DOWN // 9 + RIGHT // 9) % 2 == 0,
    "barcode": np.broadcast_to(np.repeat(RANDOM.random(450) < 0.5, 4), DOWN.shape),
    "fine squares": (DOWN % 12 < 1) | (RIGHT % 12 < 1),
    "many cells": (DOWN % 30 < 2) | (RIGHT % 30 < 2),
}


@pytest.mark.parametrize("name", HARD)
def test_time_is_bounded(name: str) -> None:
    page = HARD[name] * np.uint8(INK)
    started = time.process_time()
    found = structure.find(page)
    assert time.process_time() - started < 5  # 1 to 3 on processors of these years
    assert found.ink.shape == page.shape
    assert found.ink.dtype == np.uint8


def test_a_small_picture_is_left_alone(mnist: Mnist) -> None:
    image = mnist.train_images[-1]
    assert structure.find(image).ink is image


def squares(
    mnist: Mnist, side: int, hidden: slice | None = None
) -> tuple[Image.Image, Image.Image]:
    """Squared paper that ends at its rules, with a line of digits higher than the squares: the
    digits alone, and on the paper."""
    digits = Image.new("L", (12 * side + 1, 8 * side + 1), PAPER)
    for place in range(5):
        one = digit(mnist, place, 2 * side)
        digits.paste(one, (2 * side + place * 2 * side, 2 * side + side // 3), one)
    page = digits.copy()
    pen = ImageDraw.Draw(page)
    for x in range(0, page.width, side):
        pen.line((x, 0, x, page.height), INK, 1)
    for y in range(0, page.height, side):
        pen.line((0, y, page.width, y), INK, 1)
    return digits, page


def test_squares_that_digits_cross_are_paper_and_no_table(mnist: Mnist) -> None:
    digits, page = squares(mnist, 30)
    found = found_in(page)
    assert found.cells == ()
    assert_same_ink(found.ink, digits, lost=0.08)
    # Digits that keep to the squares are in a table.
    _, table = grid(mnist, 4, 6, (40, 40), 1)
    assert len(found_in(table).cells) == 24


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
