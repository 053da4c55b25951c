"""A sheet of paper on a table is made flat."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter
from sheets_on_tables import (
    HIGH,
    MARKS,
    SHEET,
    WIDE,
    Floats,
    finger,
    homography,
    laid,
    mapped,
    photographed,
    placed,
    plain,
    shadow,
    tilted,
    wood,
    written_sheet,
)

from digits.layout.sheets import paper
from digits.pictures.box import Box

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
    assert sheet.to_picture is not None
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
    assert sheet.to_picture is not None
    x, y = mapped(homography(corners), MARKS[2][0] * SHEET[0], MARKS[2][1] * SHEET[1])
    flat_x, flat_y = mapped(np.linalg.inv(sheet.to_picture), x * 6.25, y * 6.25)
    there = sheet.in_picture(Box(round(flat_x) - 50, round(flat_y) - 50, 100, 100))
    assert there.x + there.width / 2 == pytest.approx(x * 6.25, abs=3)
    assert there.y + there.height / 2 == pytest.approx(y * 6.25, abs=3)


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
