"""What is drawn on a picture can be told apart and read, whatever the picture's size."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from digits.errors import DigitsError
from digits.pictures.box import Box
from digits.reading import annotation
from digits.reading.page import Page, Reading


def reading(box: Box, accepted: bool = True, digit: int = 7) -> Reading:
    probabilities = np.full(10, 0.001, np.float32)
    probabilities[digit] = 0.991
    return Reading(digit, probabilities, accepted, box, np.zeros((256, 256), np.uint8), 0.9)


def page(*readings: Reading) -> Page:
    digits = "".join(str(reading.digit) for reading in readings if reading.accepted)
    return Page(digits, digits, (digits,) if digits else (), readings)


def drawn(size: tuple[int, int], *readings: Reading) -> NDArray[np.uint8]:
    """The drawing on white paper of a width and height, shape (h, w, 3)."""
    paper = np.full(size[::-1], 255, np.uint8)
    return np.asarray(annotation.draw(paper, page(*readings)))


def inked(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    return np.asarray((picture == colour).all(axis=2))


def extent(marks: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is marked, ends included."""
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def test_the_frame_is_around_the_box_and_leaves_the_ink_as_it_is() -> None:
    ink = np.full((400, 300), 255, np.uint8)
    ink[150:350, 100:200] = np.random.default_rng(0).integers(0, 255, (200, 100))
    picture = np.asarray(annotation.draw(ink, page(reading(Box(100, 150, 100, 200)))))
    assert picture.shape == (400, 300, 3)
    np.testing.assert_array_equal(picture[150:350, 100:200, 0], ink[150:350, 100:200])
    frame = inked(picture, annotation.ACCEPTED)
    for row, column in ((149, 150), (350, 150), (200, 99), (200, 200)):
        assert frame[row, column]


def test_accepted_and_refused_differ_in_colour_and_in_shape() -> None:
    box = Box(100, 150, 100, 200)
    accepted, refused = drawn((300, 400), reading(box)), drawn((300, 400), reading(box, False))
    assert inked(accepted, annotation.ACCEPTED).any()
    assert not inked(accepted, annotation.REFUSED).any()
    assert inked(refused, annotation.REFUSED).any()
    assert not inked(refused, annotation.ACCEPTED).any()
    # In black and white: the one frame is whole, the other dashed; the one label full.
    assert inked(accepted, annotation.ACCEPTED)[350, 100:200].all()
    assert 0.3 < inked(refused, annotation.REFUSED)[350, 100:200].mean() < 0.7
    assert (
        inked(accepted, annotation.ACCEPTED)[:149].sum()
        > 2 * inked(refused, annotation.REFUSED)[:149].sum()
    )
    grey = np.array([0.299, 0.587, 0.114])
    for colour in (annotation.ACCEPTED, annotation.REFUSED):  # legible on white, and white on them
        assert grey @ colour < 140


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (300, 40), (2000, 1500), (6000, 200)])
def test_labels_are_legible_at_any_size(size: tuple[int, int]) -> None:
    """If the whole drawing fits a screen of 1,200 pixels, a label is at least 11 pixels high."""
    width, height = size
    picture = drawn(size, reading(Box(width // 3, height // 3, -(-width // 3), -(-height // 3))))
    left, top, right, bottom = extent(inked(picture, annotation.ACCEPTED))
    assert 0 <= top < bottom < len(picture)
    assert 0 <= left < right < picture.shape[1]
    assert label_height(picture) * 1200 / max(1200, *picture.shape) >= 11


def label_height(picture: NDArray[np.uint8]) -> int:
    """The number of rows, from the topmost mark down, that are mostly of the label's colour."""
    blue = inked(picture, annotation.ACCEPTED)
    left, top, right, _ = extent(blue)
    rows = blue[top:, left : right + 1]
    return int(np.argmin(rows[:, rows[0]].mean(axis=1) > 0.3)) or len(rows)


def test_a_tiny_picture_is_enlarged_pixel_by_pixel() -> None:
    digit = np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)
    picture = annotation.draw(digit, page(reading(Box(4, 4, 20, 20))))
    assert picture.width == 28 * 5
    inside = np.asarray(picture)[-23 * 5 : -4 * 5, 5 * 5 : 23 * 5, 0]
    np.testing.assert_array_equal(inside[::5, ::5], digit[5:24, 5:23])


def test_labels_of_close_digits_do_not_cover_each_other() -> None:
    picture = drawn(
        (200, 300), *(reading(Box(20 + 12 * i, 150, 8, 110), digit=i) for i in range(10))
    )
    label = drawn((200, 300), reading(Box(20, 150, 8, 110)))
    whole = inked(label, annotation.ACCEPTED)[: 300 - 152].sum()
    above = inked(picture, annotation.ACCEPTED)[: len(picture) - 152].sum()
    assert above > 10 * whole * 0.9


def test_a_margin_holds_what_the_picture_has_no_room_for() -> None:
    picture = drawn((100, 120), reading(Box(0, 0, 100, 120)))
    assert picture.shape[0] > 120
    assert (picture[0, 0] == 255).all()  # the paper's tone
    frame = inked(picture, annotation.ACCEPTED)
    assert frame[-1].all()  # the whole frame, around the whole picture
    assert frame[-120:, 0].all()
    assert frame[-120:, -1].all()


def test_without_readings_the_drawing_is_the_picture_itself() -> None:
    picture = drawn((400, 300))
    assert (picture == 255).all()
    assert picture.shape == (300, 400, 3)


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.lists(st.tuples(*[st.floats(0, 1)] * 4, st.booleans()), max_size=12),
)
def test_any_boxes_can_be_drawn(width: int, height: int, boxes: list[tuple[float, ...]]) -> None:
    readings = []
    for x, y, w, h, accepted in boxes:
        left, top = int(x * (width - 1)), int(y * (height - 1))
        box = Box(left, top, 1 + int(w * (width - left - 1)), 1 + int(h * (height - top - 1)))
        readings.append(reading(box, bool(accepted)))
    picture = drawn((width, height), *readings)
    assert picture.shape[0] >= height
    assert picture.shape[1] >= width


# Writing it.


@pytest.mark.parametrize("name", ["out.png", "out.JPG", "out.webp", "out.tiff", "out.bmp"])
def test_the_ending_names_the_format(tmp_path: Path, name: str) -> None:
    annotation.save(annotation.draw(np.full((40, 30), 255, np.uint8), page()), tmp_path / name)
    with Image.open(tmp_path / name) as picture:
        assert picture.size == (60, 80) or min(picture.size) >= 30
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("out.txt", "ending"), ("out", "ending"), ("none/out.png", "cannot be written")],
)
def test_a_failed_write_gets_one_sentence(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(DigitsError, match=reason):
        annotation.save(annotation.draw(np.full((40, 30), 255, np.uint8), page()), tmp_path / name)
    assert list(tmp_path.iterdir()) == []
