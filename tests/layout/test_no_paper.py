"""A picture that shows no sheet of paper on a table comes back as it is."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from sheets_on_tables import (
    HIGH,
    SHEET,
    WIDE,
    laid,
    photographed,
    placed,
    plain,
    shadow,
    wood,
    written_sheet,
)

from digits.data.mnist import Mnist
from digits.layout.sheets import paper
from digits.pictures.box import Box
from digits.pictures.grey import Grey


def blown_up(digit: Grey, side: int) -> Grey:
    return np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))


def boxed(width: int) -> Grey:
    picture = Image.fromarray(photographed(laid(placed(4, 1.5), written_sheet(225, 40), plain(70))))
    ImageDraw.Draw(picture).rectangle((60, 60, 580, 420), outline=30, width=width)
    return np.array(picture)


def ruled_table() -> Grey:
    picture = Image.new("L", (WIDE, HIGH), 235)
    draw = ImageDraw.Draw(picture)
    for x in range(60, 600, 90):
        draw.line((x, 50, x, 430), 40, 4)
    for y in range(50, 450, 76):
        draw.line((60, y, 600, y), 40, 4)
    return photographed(np.asarray(picture, float))


def print_page() -> Grey:
    random = np.random.default_rng(5)
    picture = Image.new("L", (WIDE, HIGH), 240)
    draw = ImageDraw.Draw(picture)
    for y in range(20, HIGH - 20, 22):
        for x in range(20, WIDE - 20, 9):
            if random.random() < 0.85:
                draw.rectangle((x, y, x + random.integers(1, 6), y + random.integers(6, 14)), 20)
    return np.array(picture)


def dark_corners() -> Grey:
    x, y = np.linspace(-1, 1, WIDE)[None], np.linspace(-1, 1, HIGH)[:, None]
    written = laid(placed(0, 1.4), written_sheet(215, 60), plain(215))
    return photographed(written * (1 - 0.7 * np.minimum((x**2 + y**2) / 1.6, 1) ** 2))


def two_sheets() -> Grey:
    one = laid(placed(3, 0.5, (-150, 0)), written_sheet(225, 40), plain(70))
    return photographed(laid(placed(-4, 0.5, (155, 10)), written_sheet(225, 40), one))


def bars(width: int) -> Grey:
    stripes = np.random.default_rng(6).integers(0, 2, WIDE // width).repeat(width) * 255
    return np.tile(stripes.astype(np.uint8), (HIGH, 1))


ALONE: dict[str, Callable[[], Grey]] = {
    "paper to the edges": lambda: photographed(
        laid(placed(5, 1.6), written_sheet(225, 40, True), plain(70))
    ),
    "paper with a shadow": lambda: photographed(
        shadow(laid(placed(0, 1.6), written_sheet(225, 40), plain(70)))
    ),
    "a thin box round it": lambda: boxed(3),
    "a thick box round it": lambda: boxed(14),
    "a table": ruled_table,
    "a page of print": print_page,
    "dark corners": dark_corners,
    "two sheets": two_sheets,
    "a table with nothing on it": lambda: photographed(wood(95)),
    "a sheet with nothing on it": lambda: photographed(
        laid(placed(5, 0.8), Image.new("L", SHEET, 225), plain(70))
    ),
    "a sheet turned by 45°": lambda: photographed(
        laid(placed(45, 0.6), written_sheet(225, 40), plain(70))
    ),
    "noise": lambda: np.random.default_rng(7).integers(0, 256, (HIGH, WIDE), np.uint8),
    "a checkerboard": lambda: (np.indices((HIGH, WIDE)) // 40).sum(0).astype(np.uint8) % 2 * 255,
    "a barcode": lambda: bars(4),
    "wide bars": lambda: bars(40),
    "one tone": lambda: np.full((HIGH, WIDE), 128, np.uint8),
    "a narrow strip": lambda: print_page()[:30],
}


@pytest.mark.parametrize("name", ALONE)
def test_what_is_not_a_sheet_on_a_table_comes_back_as_it_is(name: str) -> None:
    picture = ALONE[name]()
    for one in (picture, 255 - picture):
        start = time.process_time()
        sheet = paper.find(one)
        assert time.process_time() - start < 1
        assert sheet.grey is one
        assert sheet.in_picture(Box(3, 4, 20, 21)) == Box(3, 4, 20, 21)
        height, width = one.shape
        assert sheet.in_picture(Box(-2, 5, width + 9, height)) == Box(0, 5, width, height - 5)


@pytest.mark.parametrize("shape", [(100, 9000), (9000, 100), (100, 40_000)])
def test_a_long_strip_comes_back_as_it_is(shape: tuple[int, int]) -> None:
    """Of its small copy a few rows are left, or one."""
    picture = np.full(shape, 230, np.uint8)
    picture[shape[0] // 3 :, shape[1] // 3 :] = 20
    assert paper.find(picture).grey is picture
    assert paper.find(255 - picture).grey.shape == shape


@pytest.mark.parametrize(("side", "of_each"), [(28, 4), (150, 2), (400, 1)])
def test_drawings_of_digits_come_back_as_they_are(mnist: Mnist, side: int, of_each: int) -> None:
    for digit in range(10):
        for place in np.flatnonzero(mnist.train_labels[-2000:] == digit)[:of_each]:
            drawn = blown_up(mnist.train_images[-2000:][place], side)
            thick = np.array(
                Image.fromarray(drawn).filter(ImageFilter.MaxFilter(side // 40 * 2 + 1))
            )
            for picture in (drawn, 255 - drawn, thick, 255 - thick):
                assert paper.find(picture).grey is picture
                cut = np.ascontiguousarray(picture[side // 7 : -side // 7, side // 7 : -side // 7])
                assert paper.find(cut).grey is cut


def test_block_digits_come_back_as_they_are() -> None:
    bar, eight = np.full((200, 120), 255, np.uint8), np.full((240, 200), 255, np.uint8)
    bar[20:180, 40:80] = 0
    eight[20:220, 30:170] = 0
    eight[60:105, 75:125] = 255
    eight[135:180, 75:125] = 255
    for picture in (bar, eight, 255 - bar, 255 - eight):
        assert paper.find(picture).grey is picture


@pytest.mark.parametrize("light", [False, True])
def test_a_thick_digit_is_no_reason_to_look_for_a_sheet(
    light: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Image.new("L", (200, 200), 0 if light else 255)
    draw = ImageDraw.Draw(picture)
    draw.line([(50, 40), (150, 40), (85, 165)], 255 if light else 0, 32, joint="curve")
    grey = np.asarray(picture)
    looked: list[Grey] = []
    monkeypatch.setattr(paper, "sheet_outline", looked.append)
    assert paper.find(grey).grey is grey
    assert not looked
