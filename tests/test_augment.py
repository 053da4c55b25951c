"""Distortions on pictures small enough to do by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from digits import augment, data, geometry
from digits.recipes import Recipe

HALF = tf.constant(0.5)  # of the training is left: the amounts are the recipe's
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
    result = augment.move(tf.constant(picture[None, ..., None]), tf.constant([row], tf.float32))
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
    recipe = Recipe(rotation=10, scaling=0.2, shear=0.3, shift=2, pen=0.5)
    amounts = augment.draw(recipe, 20_000, tf.constant([1, 2]), HALF).numpy()
    most = np.array([math.radians(10), 0.2, 0.2, 0.3, 2, 2, 0.5])
    centre = [0, 1, 1, 0, 0, 0, 0]
    offset = np.abs(amounts - centre) / most
    assert (offset <= 1 + 1e-6).all()
    assert (offset.max(axis=0) > 0.97).all()
    assert (np.median(offset, axis=0) < 0.25).all()  # most digits stay nearly as they are
    np.testing.assert_allclose(amounts.mean(axis=0), centre, atol=0.02)
    again = augment.draw(recipe, 20_000, tf.constant([1, 2]), HALF).numpy()
    other = augment.draw(recipe, 20_000, tf.constant([1, 3]), HALF).numpy()
    assert np.array_equal(amounts, again)
    assert not np.array_equal(amounts, other)


STILL = Recipe(rotation=0, scaling=0, shear=0, shift=0, pen=0, reframed=0, clutter=0)


def test_no_distortion_asked_for(mnist: data.Mnist) -> None:
    assert not STILL.distorts
    amounts = augment.draw(STILL, 3, tf.constant([1, 2]), HALF)
    assert np.array_equal(amounts.numpy(), [[0, 1, 1, 0, 0, 0, 0]] * 3)
    images = mnist.train_images[:3, ..., None].astype(np.float32)
    same = augment.distort(tf.constant(images), amounts, reframed=0)
    np.testing.assert_allclose(same, images, atol=1e-3)


@pytest.mark.parametrize(("pen", "sign"), [(1.0, 1), (-0.7, -1)])
def test_a_pen_changes_the_amount_of_ink(mnist: data.Mnist, pen: float, sign: int) -> None:
    images = mnist.train_images[:50, ..., None].astype(np.float32)
    amounts = np.tile(np.array([0, 1, 1, 0, 0, 0, pen], np.float32), (50, 1))
    result = augment.distort(tf.constant(images), tf.constant(amounts), reframed=0).numpy()
    ink, before = result.sum(axis=(1, 2, 3)), images.sum(axis=(1, 2, 3))
    assert (sign * (ink - before) > 0.2 * before).all()


def test_reframed_digits_stand_in_mnists_frame(mnist: data.Mnist) -> None:
    images = mnist.train_images[:200, ..., None].astype(np.float32)
    recipe = Recipe(rotation=30, scaling=0.3, shear=0.3, shift=4)
    amounts = augment.draw(recipe, 200, tf.constant([1, 2]), HALF)
    result = augment.distort(tf.constant(images), amounts, reframed=0.75).numpy()[50:, ..., 0]
    again = geometry.frame(tf.constant(result)).numpy()
    assert (np.abs(again - result).max(axis=(1, 2)) < 0.5).mean() > 0.95
