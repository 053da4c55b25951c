"""Layout: boxes and tables go, cells are found in order, and what is paper is none."""

import time

import numpy as np
import pytest
from drawn_tables import INK, PAPER, assert_places, assert_same_ink, digit, found_in, grid, turned
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.handwriting import composed_pages as pages
from digits.data.mnist import Mnist
from digits.layout import ink, structure
from digits.pictures.masks import wider

Bools = NDArray[np.bool_]


@pytest.mark.parametrize("wall", [1, 2, 4, 8])
@pytest.mark.parametrize("tone", [255, 60])
def test_a_box_for_each_digit(mnist: Mnist, wall: int, tone: int) -> None:
    digits, page = grid(mnist, 1, 5, (50, 60), wall, tone)
    found = found_in(page)
    assert_places(found, 1, 5)
    assert_same_ink(found.ink, digits)


@pytest.mark.parametrize("boxes", [8, 10, 16])
def test_a_long_row_of_boxes_has_no_strokes_among_its_walls(mnist: Mnist, boxes: int) -> None:
    """Of an even number of boxes, every other wall would make half as many, as even."""
    digits, page = grid(mnist, 1, boxes, (44, 60), 2)
    found = found_in(page)
    assert_places(found, 1, boxes)
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
