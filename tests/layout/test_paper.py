"""A sheet of paper on a table is made flat; a picture without one comes back as it is."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from digits.data.mnist import Mnist
from digits.layout.sheets import paper
from digits.pictures.box import Box
from digits.pictures.grey import Grey

Floats = NDArray[np.float64]

WIDE, HIGH = 640, 480  # of the picture
SHEET = 500, 360  # of the sheet before it is laid down
MARKS = ((0.15, 0.2), (0.85, 0.25), (0.5, 0.5), (0.2, 0.8), (0.8, 0.75))  # crosses, as shares


def homography(corners: Floats) -> Floats:
    """Takes a point of the sheet to the picture."""
    rows, values = [], []
    width, height = SHEET
    square = ((0, 0), (width, 0), (width, height), (0, height))
    for (x, y), (u, v) in zip(square, corners, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1).reshape(3, 3)


def mapped(matrix: NDArray[Any], x: float, y: float) -> tuple[float, float]:
    u, v, w = matrix @ (x, y, 1)
    return float(u / w), float(v / w)


def placed(turn: float, scale: float = 1, shift: tuple[float, float] = (0, 0)) -> Floats:
    """The corners of a sheet that lies in the middle, turned by some degrees."""
    angle = np.deg2rad(turn)
    half = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * np.array(SHEET) / 2 * scale
    turned = half @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return turned + np.array([WIDE / 2 + shift[0], HIGH / 2 + shift[1]])


def tilted(corners: Floats, by: float) -> Floats:
    """The corners as a camera sees them that looks from below: the upper side is shorter."""
    middle = corners.mean(axis=0)
    nearer = 1 + by * (corners[:, 1:] - middle[1]) / HIGH
    return np.asarray(middle + (corners - middle) * nearer)


def written_sheet(level: float, ink: float, ruled: bool = False) -> Image.Image:
    sheet = Image.new("L", SHEET, round(level))
    draw = ImageDraw.Draw(sheet)
    if ruled:
        for rule in range(30, SHEET[1], 30):
            draw.line((0, rule, SHEET[0], rule), round(0.85 * level), 1)
    for u, v in MARKS:
        x, y = u * SHEET[0], v * SHEET[1]
        draw.line((x - 12, y, x + 12, y), round(ink), 5)
        draw.line((x, y - 12, x, y + 12), round(ink), 5)
    return sheet


def laid(corners: Floats, sheet: Image.Image, table: Floats) -> Floats:
    """The sheet on the table, its edges as sharp as the pixels let them be."""
    factors = np.linalg.inv(homography(corners) @ np.diag([1, 1, 1])).ravel()
    factors = (factors / factors[8])[:8].tolist()
    way, bicubic = Image.Transform.PERSPECTIVE, Image.Resampling.BICUBIC
    seen = sheet.transform((WIDE, HIGH), way, factors, bicubic)
    white = Image.new("L", SHEET, 255).transform((WIDE, HIGH), way, factors, bicubic)
    share = np.asarray(white, float) / 255
    return np.asarray(seen, float) * (share > 0) * share + table * (1 - share)


def photographed(scene: Floats) -> Grey:
    grain = np.random.default_rng(3).normal(0, 2.5, scene.shape)
    blurred = Image.fromarray(np.clip(scene + grain, 0, 255).astype(np.uint8))
    return np.array(blurred.filter(ImageFilter.GaussianBlur(0.7)))


def plain(level: float) -> Floats:
    return np.full((HIGH, WIDE), level)


def wood(level: float) -> Floats:
    x, y = np.arange(WIDE)[None], np.arange(HIGH)[:, None]
    fibres = 9 * np.sin(y / 4 + 3 * np.sin(x / 130)) + 4 * np.sin(y * 1.7 + x / 50)
    boards = -25.0 * np.asarray(y % 120 < 3, float)
    return level + fibres + boards


def shadow(scene: Floats, left: bool = True) -> Floats:
    """Light that is halved on one side of a slanted line."""
    x, y = np.arange(WIDE)[None], np.arange(HIGH)[:, None]
    depth = 1 / (1 + np.exp((x - 0.55 * WIDE + 0.3 * (y - HIGH / 2)) / 8))
    return np.asarray(scene * (1 - 0.45 * (depth if left else 1 - depth)))


def finger(scene: Floats, end: tuple[float, float]) -> Floats:
    """A finger that comes from below."""
    mask = Image.new("L", (WIDE, HIGH))
    draw = ImageDraw.Draw(mask)
    x, y = end
    draw.line((x + 30, HIGH + 40, x, y), 255, 44)
    draw.ellipse((x - 22, y - 22, x + 22, y + 22), 255)
    share = np.asarray(mask.filter(ImageFilter.GaussianBlur(1.5)), float) / 255
    return np.asarray(scene * (1 - share) + 140 * share)


LOW = SHEET[1] * 0.7 / 2 + HIGH / 2  # where the lower edge of `placed(0, 0.7)` lies
SCENES: dict[str, tuple[Floats, Callable[[Floats], Floats]]] = {
    "on a darker table": (
        placed(0, 0.8),
        lambda at: laid(at, written_sheet(225, 40), plain(70)),
    ),
    "turned by 20°": (
        placed(20, 0.75),
        lambda at: laid(at, written_sheet(225, 40), plain(70)),
    ),
    "turned by -20°": (
        placed(-20, 0.75),
        lambda at: laid(at, written_sheet(225, 40, True), plain(90)),
    ),
    "on a lighter table": (
        placed(12, 0.8),
        lambda at: laid(at, written_sheet(140, 30), plain(225)),
    ),
    "a blackboard in a light frame": (
        placed(-3, 1.05),
        lambda at: laid(at, written_sheet(50, 220), plain(190)),
    ),
    "on wood": (
        placed(-9, 0.8),
        lambda at: laid(at, written_sheet(210, 40), wood(95)),
    ),
    "in perspective": (
        tilted(placed(8, 0.85), 0.3),
        lambda at: laid(at, written_sheet(225, 40), plain(70)),
    ),
    "with a dark rim": (
        np.array([(30.0, 30), (610, 28), (611, 450), (29, 451)]),
        lambda at: laid(at, written_sheet(225, 40), plain(60)),
    ),
    "half in the shadow": (
        placed(10, 0.8),
        lambda at: shadow(laid(at, written_sheet(225, 40), plain(80))),
    ),
    "half in the shadow, on a lighter table": (
        placed(-10, 0.85),
        lambda at: shadow(laid(at, written_sheet(130, 30), plain(235)), left=False),
    ),
    "with a corner outside": (
        placed(14, 0.95, (70, 0)),
        lambda at: laid(at, written_sheet(225, 40), plain(70)),
    ),
    "with an edge outside": (
        placed(0, 1, (95, 0)),
        lambda at: laid(at, written_sheet(225, 40), plain(70)),
    ),
    "held by a finger": (
        placed(0, 0.7),
        lambda at: finger(laid(at, written_sheet(225, 40), plain(60)), (330, LOW - 25)),
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_sheet_is_found_and_made_flat(name: str) -> None:
    corners, scene = SCENES[name]
    picture = photographed(scene(corners))
    sheet = paper.find(picture)
    assert sheet.grey is not picture
    assert sheet.grey.dtype == np.uint8
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    width, height = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    if "edge outside" not in name:  # how far it goes on is not known
        assert sheet.grey.shape[1] == pytest.approx(width, rel=0.05)
        assert sheet.grey.shape[0] == pytest.approx(height, rel=0.05)
        assert sheet.grey.shape[1] <= width
        assert sheet.grey.shape[0] <= height
    true, back = homography(corners), np.linalg.inv(sheet.to_picture)
    marked = np.zeros(sheet.grey.shape, np.bool_)
    for u, v in MARKS:
        x, y = mapped(true, u * SHEET[0], v * SHEET[1])
        if not (15 < x < WIDE - 15 and 15 < y < HIGH - 15):
            continue
        flat_x, flat_y = mapped(back, x, y)
        if "edge outside" not in name:
            assert flat_x == pytest.approx(u * sheet.grey.shape[1], abs=7)
            assert flat_y == pytest.approx(v * sheet.grey.shape[0], abs=7)
        box = Box(round(flat_x) - 20, round(flat_y) - 20, 40, 40)
        window = sheet.grey[box.window].astype(float)
        middle = float(np.median(window))
        strange = np.abs(window - middle) > 0.35 * middle
        assert strange.sum() > 60
        rows, columns = np.nonzero(strange)
        assert columns.mean() == pytest.approx(20, abs=2.5)
        assert rows.mean() == pytest.approx(20, abs=2.5)
        # Upright: the bars of the cross are no wider than they were drawn.
        assert np.count_nonzero(strange.sum(axis=0) > strange.shape[0] // 3) <= 9
        marked[box.window] = True
        there = sheet.in_picture(box)
        assert there.x < x < there.right
        assert there.y < y < there.bottom
    # Nothing but the marks: no table, edge or finger.
    local = np.asarray(Image.fromarray(sheet.grey).filter(ImageFilter.MedianFilter(31)), float)
    unlike = np.abs(sheet.grey - local) > 0.3 * local
    assert not (unlike & ~marked).any()


def test_a_large_picture_gives_a_sheet_of_bounded_size_in_bounded_time() -> None:
    corners, scene = SCENES["turned by 20°"]
    picture = photographed(scene(corners))
    large = np.asarray(Image.fromarray(picture).resize((4000, 3000)))
    start = time.process_time()
    sheet = paper.find(large)
    assert time.process_time() - start < 1.5
    assert 5 << 19 < sheet.grey.size <= 3 << 20
    x, y = mapped(homography(corners), MARKS[2][0] * SHEET[0], MARKS[2][1] * SHEET[1])
    flat_x, flat_y = mapped(np.linalg.inv(sheet.to_picture), x * 6.25, y * 6.25)
    there = sheet.in_picture(Box(round(flat_x) - 50, round(flat_y) - 50, 100, 100))
    assert there.x + there.width / 2 == pytest.approx(x * 6.25, abs=3)
    assert there.y + there.height / 2 == pytest.approx(y * 6.25, abs=3)


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


def test_boxes_on_the_sheet_are_clipped_to_the_picture() -> None:
    corners, scene = SCENES["with a corner outside"]
    sheet = paper.find(photographed(scene(corners)))
    height, width = sheet.grey.shape
    for x in (0, width - 10):
        for y in (0, height - 10):
            box = sheet.in_picture(Box(x, y, 10, 10))
            assert 0 <= box.x <= box.right <= WIDE
            assert 0 <= box.y <= box.bottom <= HIGH
    assert sheet.in_picture(Box(0, 0, width, height)) == Box.around(
        [
            sheet.in_picture(Box(x, y, width // 2, height // 2))
            for x in (0, width - width // 2)
            for y in (0, height - height // 2)
        ]
    )


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
