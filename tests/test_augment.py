"""Distortions on pictures small enough to do by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from digits import augment
from digits.recipes import Recipe

UNCHANGED = {"angle": 0.0, "width": 1.0, "height": 1.0, "shear": 0.0, "right": 0.0, "down": 0.0}

F = np.array(  # an F, which no turn or mirror maps to itself
    [
        [0, 1, 1, 1, 0],
        [0, 1, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0],
    ],
    np.float32,
)


def distorted(picture: np.ndarray, **amounts: float) -> np.ndarray:
    row = list((UNCHANGED | amounts).values())
    result = augment.distort(tf.constant(picture[None, ..., None]), tf.constant([row], tf.float32))
    return result.numpy()[0, ..., 0]


def test_unchanged() -> None:
    np.testing.assert_allclose(distorted(F), F, atol=1e-6)


def test_a_quarter_turn_is_counter_clockwise() -> None:
    expected = [
        [0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0],
        [1, 0, 1, 0, 0],
        [1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(distorted(F, angle=math.pi / 2), expected, atol=1e-5)


def test_a_shift_leaves_zeros_behind() -> None:
    expected = [
        [0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 1, 0, 0],
    ]
    np.testing.assert_allclose(distorted(F, right=1, down=1), expected, atol=1e-6)


def test_half_a_pixel_is_shared_by_two() -> None:
    expected = np.array([[0, 0, 0], [0, 0.5, 0.5], [0, 0, 0]])
    picture = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32)
    np.testing.assert_allclose(distorted(picture, right=0.5), expected, atol=1e-6)


def test_twice_the_width() -> None:
    picture = np.array([[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]], np.float32)
    expected = [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]]
    np.testing.assert_allclose(distorted(picture, width=2), expected, atol=1e-6)


def test_shear_slants_the_top_to_the_right() -> None:
    column = np.zeros((5, 5), np.float32)
    column[:, 2] = 1
    np.testing.assert_allclose(distorted(column, shear=1), np.eye(5)[::-1], atol=1e-5)


def test_what_leaves_the_picture_is_gone_and_nothing_comes_in() -> None:
    full = np.ones((9, 9), np.float32)
    np.testing.assert_allclose(distorted(full, right=9), 0)
    assert distorted(full, angle=math.pi / 4)[0, 0] == pytest.approx(0, abs=1e-6)


def test_drawn_within_the_recipe_and_repeatable() -> None:
    recipe = Recipe(rotation=10, scaling=0.2, shear=0.3, shift=2)
    amounts = augment.draw(recipe, 5000, tf.constant([1, 2])).numpy()
    most = [math.radians(10), 0.2, 0.2, 0.3, 2, 2]
    centre = [0, 1, 1, 0, 0, 0]
    offset = np.abs(amounts - centre).max(axis=0)
    assert (offset <= most).all()
    assert (offset > 0.99 * np.array(most)).all()
    np.testing.assert_allclose(amounts.mean(axis=0), centre, atol=0.06)
    again = augment.draw(recipe, 5000, tf.constant([1, 2])).numpy()
    other = augment.draw(recipe, 5000, tf.constant([1, 3])).numpy()
    assert np.array_equal(amounts, again)
    assert not np.array_equal(amounts, other)


def test_no_distortion_asked_for() -> None:
    still = Recipe(rotation=0, scaling=0, shear=0, shift=0)
    amounts = augment.draw(still, 3, tf.constant([1, 2])).numpy()
    assert np.array_equal(amounts, [[0, 1, 1, 0, 0, 0]] * 3)
