"""Are made pages what they say, and the same every time?"""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from benchmarks.pages import (
    camera,
    made,
    measuring,
    pen,
    print_and_rules,
    signs,
    writing,
)
from benchmarks.pages.camera import Shot
from benchmarks.pages.kinds import KINDS
from benchmarks.pages.made import MadePage, Sources
from benchmarks.pages.pen import Ink
from benchmarks.pages.writing import Hand
from digits.data.mnist import Mnist
from digits.reading.reader import Reader

STILL = Shot(turn=0, perspective=0, shadow=0, blur=(0, 0), noise=(0, 0), quality=(95, 96))


@pytest.fixture(scope="module")
def writer(mnist: Mnist) -> Hand:
    """One who writes 50 pixels high."""
    digits = writing.validation_digits(mnist)
    return writing.hand(digits, (50, 50), np.random.default_rng(1))


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def parts(ink: Ink) -> int:
    return int(ndimage.label(ink > 0.3, structure=np.ones((3, 3)))[1])


def widest_gap(ink: Ink) -> int:
    """The most columns without ink between two with it."""
    inked = np.flatnonzero((ink > 0.3).any(axis=0))
    return int(np.diff(inked).max()) - 1


# Writing.


def test_digits_are_those_of_the_validation_part_that_people_can_read(mnist: Mnist) -> None:
    images, labels = writing.validation_digits(mnist)
    assert len(images) == len(labels) == 5000 - len(writing.NOT_AS_LABELLED)
    assert np.array_equal(images[0], mnist.train_images[55000])
    assert np.array_equal(images[1014], mnist.train_images[55000 + 1015])  # without 1014
    for first in range(len(labels) - writing.A_WRITERS + 1):
        window = labels[first : first + writing.A_WRITERS]
        assert np.bincount(window, minlength=10).min() > 0  # every writer has every digit


def test_a_digit_is_as_high_as_its_writer_writes(writer: Hand) -> None:
    heights = [len(writing.digit(1, writer, rng(seed))) for seed in range(40)]
    assert np.mean(heights) == pytest.approx(50, abs=4)
    assert 40 < min(heights) < max(heights) < 62


def test_enlarged_digits_have_grey_edges_and_no_specks() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:15] = 255
    alone = pen.enlarged(image, 3, pen=9)
    assert alone.shape == (60, 9) or np.allclose(alone.shape, (60, 9), atol=3)
    assert alone.max() == 1
    assert ((alone > 0.1) & (alone < 0.9)).any()
    image[10:12, 20:22] = 255  # 4 pixels of 64
    assert np.array_equal(pen.enlarged(image, 3, pen=9), alone)


def test_a_thick_pen_is_thicker_within_limits() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:15] = 255
    bars = [pen.enlarged(image, 4, width) for width in (1, 15, 100)]
    thin, same, thick = (float(bar[len(bar) // 2].sum()) for bar in bars)
    assert same == pytest.approx(14, abs=1)
    assert thin < same < thick
    assert thick / thin == pytest.approx(1.33 / 0.8, rel=0.1)


def test_a_stroke_has_the_width_of_its_pen() -> None:
    dot, left, top = pen.stroke([(20.0, 10.0)], 8)
    assert dot.sum() == pytest.approx(np.pi * 16, rel=0.02)
    rows, columns = np.nonzero(dot > 0.5)
    assert (rows.mean() + top, columns.mean() + left) == pytest.approx((10, 20), abs=0.01)
    line, _, _ = pen.stroke([(0.0, 0.0), (50.0, 0.0), (50.0, 30.0)], 6)
    assert line.sum() == pytest.approx(80 * 6 + np.pi * 9, rel=0.05)


@pytest.mark.parametrize(
    ("sign", "top", "bottom", "width"),  # in heights: below the baseline, and from side to side
    [
        (".", (-0.25, 0.0), (-0.1, 0.2), (0.05, 0.4)),
        (",", (-0.2, 0.1), (0.05, 0.4), (0.05, 0.4)),
        ("-", (-0.75, -0.35), (-0.5, -0.2), (0.3, 0.8)),
        (":", (-0.8, -0.5), (-0.1, 0.2), (0.05, 0.4)),
        ("=", (-0.9, -0.5), (-0.45, -0.15), (0.4, 0.85)),
        ("+", (-0.95, -0.65), (-0.3, 0.05), (0.4, 0.85)),
        ("(", (-1.4, -1.0), (0.05, 0.4), (0.15, 0.5)),
        ("/", (-1.5, -0.75), (-0.05, 0.35), (0.3, 0.75)),
    ],
)
def test_separators_stand_where_people_put_them(
    writer: Hand,
    sign: str,
    top: tuple[float, float],
    bottom: tuple[float, float],
    width: tuple[float, float],
) -> None:
    for seed in range(30):
        ink, space, below = signs.draw(sign, writer.height, writer.pen, rng(seed))
        assert 0 < space < 0.3 * 50
        assert top[0] <= below / 50 <= top[1]
        assert bottom[0] <= (below + len(ink)) / 50 <= bottom[1]
        assert width[0] <= ink.shape[1] / 50 <= width[1]


def test_digits_do_not_touch_unless_they_are_said_to(mnist: Mnist) -> None:
    ones = mnist.train_images[55000:], mnist.train_labels[55000:]
    for seed in range(20):
        writer = writing.hand(ones, (50, 50), rng(seed))
        apart = writing.pasted(writing.line("101", writer, rng(seed)))
        together = writing.pasted(writing.line("101", writer, rng(seed), touching=(1, 2)))
        assert parts(apart) >= 3
        assert parts(together) == 1


def test_gaps_are_wider_than_any_other_space(writer: Hand) -> None:
    for seed in range(20):
        spaced = writing.pasted(writing.line("80 08", writer, rng(seed)))
        closed = writing.pasted(writing.line("8008", writer, rng(seed)))
        assert 0.6 * 50 < widest_gap(spaced) < 1.3 * 50
        assert widest_gap(closed) < 0.35 * 50


# Paper and camera.


def test_a_sheet_lies_on_its_table_and_throws_a_shadow() -> None:
    paper, table = np.full((40, 60, 3), 0.9, np.float32), np.full((100, 120, 3), 0.5, np.float32)
    scene = camera.laid(paper, table, STILL, rng(1))
    assert np.isclose(scene[..., 0], 0.9, atol=0.01).sum() == pytest.approx(2400, rel=0.03)
    assert np.isclose(scene[..., 0], 0.5, atol=0.001).sum() > 0.5 * (12000 - 2400)
    assert 0.3 < scene.min() < 0.45
    assert camera.laid(paper, table, STILL, rng(1), shade=0).min() == pytest.approx(0.5)


def test_a_turned_sheet_stays_whole() -> None:
    shot = Shot()
    for seed in range(20):
        paper = np.full((90, 200, 3), 0.9, np.float32)
        shape = camera.room(paper, shot, (0.1, 0.5), rng(seed))
        scene = camera.laid(paper, np.zeros((*shape, 3), np.float32), shot, rng(seed))
        sheet = scene[..., 0] > 0.5
        assert sheet.sum() == pytest.approx(90 * 200, rel=0.2)
        assert sheet[1:-1, 1:-1].sum() == sheet.sum()


def test_a_photo_without_faults_is_the_scene() -> None:
    scene = np.full((50, 70, 3), 0.5, np.float32)
    picture = camera.taken(scene, STILL, rng(1))
    assert picture.shape == (50, 70, 3)
    assert np.abs(picture.astype(float) - 255 * 0.5**0.85).max() < 6  # but for its tint
    dark = camera.taken(scene, Shot(shadow=0.9, noise=(0, 0)), rng(1))
    assert dark.max() < 142
    assert np.ptp(dark) > 20


# Pages.


@pytest.mark.parametrize("name", KINDS)
def test_a_page_is_the_same_every_time(name: str, sources: Sources) -> None:
    first, second = measuring.pages(name, sources, 2)
    again = next(measuring.pages(name, sources, 1))
    assert again.picture.dtype == np.uint8
    assert np.array_equal(first.picture, again.picture)
    assert (first.text, first.cells) == (again.text, again.cells)
    assert first.picture.shape != second.picture.shape or (first.picture != second.picture).any()


def test_counts_are_those_of_the_claims() -> None:
    assert {kind.count for name, kind in KINDS.items() if name.startswith("words")} == {200}
    assert {kind.count for name, kind in KINDS.items() if not name.startswith("words")} == {100}


@pytest.mark.parametrize("name", [name for name in KINDS if name.startswith("sheet_")])
def test_sheets_are_brighter_than_what_they_lie_on(name: str, sources: Sources) -> None:
    for page in measuring.pages(name, sources, 3):
        grey = page.picture.mean(axis=2)
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        height, width = grey.shape
        middle = grey[height // 4 : -height // 4, width // 4 : -width // 4]
        darkest = np.percentile(border, 10)
        assert darkest < np.percentile(middle, 75) * (0.97 if "light" in name else 0.75)
        assert len(page.text) == 5


def test_a_sudoku_has_about_30_digits_each_once_a_row_column_and_block() -> None:
    for seed in range(10):
        cells = np.array(print_and_rules.puzzle(rng(seed)))
        assert cells.shape == (9, 9)
        assert 26 <= (cells != "").sum() <= 34
        for k in range(9):
            i, j = 3 * (k // 3), 3 * (k % 3)
            for group in (cells[k], cells[:, k], cells[i : i + 3, j : j + 3].ravel()):
                shown = [text for text in group if text]
                assert len(shown) == len(set(shown))


def test_a_table_has_empty_cells_and_numbers_of_up_to_three_digits(sources: Sources) -> None:
    tables = [page.cells for page in measuring.pages("table", sources, 3)]
    assert all(cells is not None and np.array(cells).shape == (8, 4) for cells in tables)
    texts = [text for cells in tables if cells for row in cells for text in row]
    assert {len(text) for text in texts} == {0, 1, 2, 3}
    assert not any(text.startswith("0") and len(text) > 1 for text in texts)


def test_the_digits_of_a_page_are_those_of_its_text() -> None:
    blank = np.zeros((1, 1), np.uint8)
    assert MadePage(blank, "-273.15\n\n12 345\n").lines == ["27315", "12345"]
    assert MadePage(blank, "").lines == []


@pytest.mark.parametrize(("name", "quarters"), [("turned_90", {1, 3}), ("turned_180", {2})])
def test_turned_pages_are_plain_pages_when_turned_back(
    name: str, quarters: set[int], sources: Sources
) -> None:
    reader = Reader()
    for page in measuring.pages(name, sources, 3):
        back = [reader.read(np.rot90(page.picture, -quarter)).lines for quarter in quarters]
        similar = [sum(map(len, lines)) for lines in back if len(lines) == len(page.lines)]
        assert similar
        assert max(similar) >= 0.9 * sum(map(len, page.lines))


def test_pages_are_written_with_their_truth(tmp_path: Path, sources: Sources) -> None:
    pages = list(measuring.pages("table", sources, 1))
    made.write(tmp_path, "table", pages)
    (truth,) = json.loads((tmp_path / "table" / "truth.json").read_text())
    assert truth["cells"] == [list(row) for row in pages[0].cells or ()]
    assert truth["lines"] == pages[0].lines
    written = np.asarray(Image.open(tmp_path / "table" / truth["file"]))
    assert np.array_equal(written, pages[0].picture)
