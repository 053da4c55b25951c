"""Lines that are drawn for training: what is written is what is said, and where."""

import re

import numpy as np
import pytest

from digits.data import lines
from digits.data.fonts import families
from digits.data.lines import CHARACTERS, Glyphs, Lines, draw_lines, glyphs_of, number, word
from digits.data.mnist import Mnist
from digits.reading.lines import decoding

NUMBER = re.compile(r"[0-9.,\-/:()+= ]+")


@pytest.fixture(scope="module")
def glyphs(mnist: Mnist) -> Glyphs:
    letters = np.rot90(mnist.train_images[:200], axes=(1, 2))
    return glyphs_of([(mnist.train_images[:5000], mnist.train_labels[:5000])], letters)


@pytest.fixture(scope="module")
def drawn(glyphs: Glyphs) -> Lines:
    return draw_lines(300, glyphs, families.faces(families.TRAINED_ON), [1])


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
    again = draw_lines(300, glyphs, families.faces(families.TRAINED_ON), [1])
    np.testing.assert_array_equal(again.strips, drawn.strips)
    np.testing.assert_array_equal(again.labels, drawn.labels)
    other = draw_lines(300, glyphs, families.faces(families.TRAINED_ON), [2])
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


def test_digits_touch_in_many_lines_and_stand_apart_in_others(drawn: Lines) -> None:
    from digits.pictures.masks import components

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
    assert {sign for one in numbers for sign in one if sign in lines.SIGNS} == set(lines.SIGNS)
    assert all(word(rng).isalpha() for _ in range(100))
