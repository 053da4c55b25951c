"""Lines that are drawn for training: what is written is what is said, and where."""

import re

import numpy as np
import pytest

from digits.bundle import LINE_WIDTHS
from digits.data.fonts import families
from digits.data.lines import drawing, hands, remains
from digits.data.lines.drawing import Lines, draw_lines
from digits.data.lines.hands import Glyphs, Hand, glyphs_of
from digits.data.lines.in_context import draw_in_context
from digits.data.lines.texts import CHARACTERS, SIGNS, number, word
from digits.data.mnist import Mnist
from digits.pictures.masks import components
from digits.reading.lines import decoding

NUMBER = re.compile(r"[0-9.,\-/:()+= ]+")


@pytest.fixture(scope="module")
def glyphs(mnist: Mnist) -> Glyphs:
    letters = np.rot90(mnist.train_images[:200], axes=(1, 2))
    return glyphs_of([(mnist.train_images[:5000], mnist.train_labels[:5000])], letters)


@pytest.fixture(scope="module")
def drawn(glyphs: Glyphs) -> Lines:
    return draw_lines(300, [glyphs], families.faces(families.TRAINED_ON), [1])


def test_reading_and_training_agree_on_the_characters() -> None:
    assert CHARACTERS == decoding.CHARACTERS


def test_glyphs_are_in_their_boxes(glyphs: Glyphs) -> None:
    for index in (0, 77, 4321):
        left, top, right, bottom = glyphs.boxes[index].tolist()
        image = glyphs.images[index].copy()
        assert image[top:bottom, left:right].any()
        image[top:bottom, left:right] = 0
        assert not image.any()
    assert sum(map(len, glyphs.of.values())) == len(glyphs.images)


def test_the_same_seed_draws_the_same_bytes(glyphs: Glyphs, drawn: Lines) -> None:
    again = draw_lines(300, [glyphs], families.faces(families.TRAINED_ON), [1])
    np.testing.assert_array_equal(again.strips, drawn.strips)
    np.testing.assert_array_equal(again.labels, drawn.labels)
    other = draw_lines(300, [glyphs], families.faces(families.TRAINED_ON), [2])
    assert (other.strips != drawn.strips).any()


def test_every_line_has_ink_and_a_text(drawn: Lines) -> None:
    assert drawn.strips.shape == (300, 32, 192)
    assert drawn.strips.any(axis=(1, 2)).all()
    assert all(drawn.texts)
    written = "".join(drawn.texts)
    assert set(CHARACTERS) == set(written)


def test_there_is_ink_where_a_character_is_said_to_be(drawn: Lines) -> None:
    seen = []
    for strip, labels, columns in zip(drawn.strips, drawn.labels, drawn.columns, strict=True):
        places = columns[labels >= 0]
        assert (np.diff(places) > 0).all()
        seen += [strip[:, int(x) - 3 : int(x) + 4].any() for x in places]
    assert np.mean(seen) > 0.99


def test_a_line_is_in_the_columns_of_its_width(
    glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remains, "spoil", lambda strip, rng: None)
    lines = draw_lines(200, [glyphs], families.faces(families.TRAINED_ON), [5])
    assert {*lines.widths.tolist()} == {*LINE_WIDTHS.values()}
    for strip, width, text in zip(lines.strips, lines.widths.tolist(), lines.texts, strict=True):
        beside = (192 - width) // 2
        assert not strip[:, :beside].any()
        assert not strip[:, 192 - beside :].any()
        assert strip[:, beside : 192 - beside].any()
        assert width >= 4 * len(text) or width == 192


def test_a_finer_pen_narrows_strokes_and_keeps_them() -> None:
    strip = np.zeros((32, 192), np.uint8)
    strip[6:26, 20:24] = 255  # four pixels wide
    strip[6:26, 60] = 255
    finer = drawing._finer(strip, 0.5)
    wide, narrow = finer[10].astype(int)[15:30], finer[10].astype(int)[55:65]
    assert wide.sum() == pytest.approx(3 * 255, abs=255 / 4)
    assert wide.max() == 255
    assert 100 < narrow.max() < 255
    assert not finer[strip == 0].any()


def test_digits_touch_in_many_lines_and_stand_apart_in_others(drawn: Lines) -> None:
    fewer = [
        len(components(strip > 80).sizes) < len(text)
        for strip, text in zip(drawn.strips, drawn.texts, strict=True)
        if len(text) > 2
    ]
    assert 0.2 < np.mean(fewer) < 0.9


def test_numbers_and_words_are_what_they_are_called() -> None:
    rng = np.random.default_rng(1)
    numbers = [number(rng) for _ in range(500)]
    assert all(NUMBER.fullmatch(one) for one in numbers)
    assert {sign for one in numbers for sign in one if sign in SIGNS} == set(SIGNS)
    assert all(word(rng).isalpha() for _ in range(100))


def test_zeros_in_one_stroke_are_one_part_with_a_middle_in_each_round(glyphs: Glyphs) -> None:
    rng = np.random.default_rng(2)
    for count in (2, 3, 6):
        ink, row, middles = Hand.random(glyphs, rng).draw("0" * count, rng)
        assert len(components(ink > 60).sizes) == 1
        assert len(middles) == count
        assert 0 < middles[0] < middles[-1] < ink.shape[1]
        assert 0 <= row <= 32 - len(ink)
        holes = components(np.pad(ink, 1) <= 60).sizes
        assert len(holes) >= 2  # the paper around it, and what a round encloses


def test_a_chain_says_as_many_zeros_as_were_written(
    glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "_text", lambda rng: "1000")
    rng = np.random.default_rng(4)
    texts = ["".join(c for c, _ in hands.write_line(glyphs, rng)[1]) for _ in range(40)]
    assert set(texts) <= {"1000", "100", "10", "1"}  # the strip may end before the text does
    assert texts.count("1000") > 30


def test_a_wall_is_beside_the_writing_and_as_high_as_the_strip() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        strip = np.zeros((32, 192), np.uint8)
        strip[8:24, 80:100] = 255
        before = strip.copy()
        remains._wall(strip, rng)
        rows, columns = np.nonzero(strip != before)
        assert np.ptp(rows) >= 20
        assert np.ptp(columns) <= 12
        assert columns.min() >= 60
        assert columns.max() <= 120


def test_digits_in_context_are_drawn_evenly_and_in_order() -> None:
    canvases, labels = draw_in_context(220, np.random.default_rng(1))
    assert canvases.shape == (220, 64, 64)
    assert (np.diff(labels.astype(int)) >= 0).all()
    assert dict(zip(*np.unique(labels, return_counts=True), strict=True)) == {
        1: 60, 2: 20, 5: 40, 7: 20, 8: 20, 9: 60
    }  # fmt: skip
    inked = (canvases > 0).mean(axis=(1, 2))
    assert inked.min() > 0.01
    assert inked.max() < 0.6
