"""Distortions on pictures small enough to do by hand."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from digits.data.mnist import Mnist
from digits.runs.recipes import Recipe
from digits.training import augmentation
from digits.training.train import train

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
    result = augmentation.move(
        tf.constant(picture[None, ..., None]), tf.constant([row], tf.float32)
    )
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


def test_ink_that_leaves_the_picture_is_lost_and_none_comes_in() -> None:
    full = np.ones((9, 9), np.float32)
    np.testing.assert_allclose(distorted(full, right=9), 0)
    assert distorted(full, angle=math.pi / 4)[0, 0] == pytest.approx(0, abs=1e-6)


def drawn(recipe: Recipe, count: int, seed: tf.Tensor) -> np.ndarray:
    """How a recipe distorts images half-way through training."""
    return np.asarray(augmentation.draw(recipe, count, seed, HALF)[0])


def test_drawn_within_the_recipe_and_repeatable() -> None:
    recipe = Recipe(rotation=10, scaling=0.2, shear=0.3, shift=2, pen=0.5)
    amounts = drawn(recipe, 20_000, tf.constant([1, 2]))
    most = np.array([math.radians(10), 0.2, 0.2, 0.3, 2, 2, 0.5])
    centre = [0, 1, 1, 0, 0, 0, 0]
    offset = np.abs(amounts - centre) / most
    assert (offset <= 1 + 1e-6).all()
    assert (offset.max(axis=0) > 0.97).all()
    assert (np.median(offset, axis=0) < 0.25).all()  # most digits stay nearly as they are
    np.testing.assert_allclose(amounts.mean(axis=0), centre, atol=0.02)
    again = drawn(recipe, 20_000, tf.constant([1, 2]))
    other = drawn(recipe, 20_000, tf.constant([1, 3]))
    assert np.array_equal(amounts, again)
    assert not np.array_equal(amounts, other)


STILL = Recipe(rotation=0, scaling=0, shear=0, shift=0, pen=0, clutter=0)
SEED = tf.constant([1, 2])


def written_again(mnist: Mnist, recipe: Recipe, count: int = 200) -> np.ndarray:
    """The first training digits as `recipe` distorts them half-way through training."""
    amounts = drawn(recipe, count, SEED)
    return np.asarray(augmentation.distort(digits_of(mnist, count), amounts, recipe)[..., 0])


def digits_of(mnist: Mnist, count: int) -> tf.Tensor:
    return tf.constant(mnist.train_images[:count, ..., None], tf.float32)


def test_a_recipe_without_distortions_changes_nothing(mnist: Mnist) -> None:
    assert not STILL.distorts
    assert np.array_equal(drawn(STILL, 3, SEED), [[0, 1, 1, 0, 0, 0, 0]] * 3)
    np.testing.assert_array_equal(written_again(mnist, STILL, 3), mnist.train_images[:3])


@pytest.mark.parametrize(("pen", "sign"), [(1.0, 1), (-0.7, -1)])
def test_a_pen_changes_the_amount_of_ink(mnist: Mnist, pen: float, sign: int) -> None:
    images = digits_of(mnist, 50)
    amounts = np.tile(np.array([0, 1, 1, 0, 0, 0, pen], np.float32), (50, 1))
    result = augmentation.distort(images, tf.constant(amounts), replace(STILL, pen=1)).numpy()
    ink, before = result.sum(axis=(1, 2, 3)), images.numpy().sum(axis=(1, 2, 3))
    assert (sign * (ink - before) > 0.2 * before).all()


# Mirroring.


def test_mirrors_are_exact() -> None:
    np.testing.assert_array_equal(distorted(F, width=-1), F[:, ::-1])
    np.testing.assert_array_equal(distorted(F, height=-1), F[::-1])


@pytest.mark.parametrize(("flip", "axis"), [("horizontal_flip", 2), ("vertical_flip", 1)])
def test_all_or_a_part_of_the_digits_are_mirrored(mnist: Mnist, flip: str, axis: int) -> None:
    digits = mnist.train_images[:200]
    mirrored = np.flip(digits, axis)

    def recipe(fraction: float) -> Recipe:
        fields: dict[str, Any] = {flip: fraction}
        return replace(STILL, **fields)

    assert recipe(1).distorts
    np.testing.assert_array_equal(written_again(mnist, recipe(1)), mirrored)
    some = written_again(mnist, recipe(0.3))
    is_mirrored = (some == mirrored).all(axis=(1, 2))
    assert (is_mirrored | (some == digits).all(axis=(1, 2))).all()
    assert 0.2 < is_mirrored.mean() < 0.4


# Squares cut out.


@pytest.mark.parametrize("side", [1, 6, 9])
def test_a_square_is_cut_out_and_nothing_else(side: int) -> None:
    images = np.random.default_rng(0).uniform(1, 255, (400, 28, 28, 1)).astype(np.float32)
    recipe = replace(STILL, cutout=side)
    amounts = drawn(recipe, 400, SEED)
    result = augmentation.distort(tf.constant(images), amounts, recipe).numpy()
    gone = result[..., 0] == 0
    np.testing.assert_array_equal(result[~gone], images[~gone])
    rows, columns = gone.any(axis=2), gone.any(axis=1)
    np.testing.assert_array_equal(gone, rows[:, :, None] & columns[:, None, :])  # a rectangle
    for along in (rows, columns):
        extent = along.sum(axis=1)
        assert extent.max() == side
        assert (np.diff(along.astype(int), prepend=0, axis=1) == 1).sum(axis=1).max() == 1
        # Only the picture's edge makes it shorter, and never by more than half.
        assert (along[:, 0] | along[:, -1])[extent < side].all()
        assert extent.min() >= side // 2
        assert along.any(axis=0).all()  # every row and column is hit at least once


# Elastic fields.

KNOTS = np.random.default_rng(0).uniform(-1, 1, (50, 2 * augmentation.KNOTS**2)).astype(np.float32)


def bent(images: np.ndarray, largest: float) -> np.ndarray:
    amounts = np.hstack([np.full((len(images), 1), largest, np.float32), KNOTS[: len(images)]])
    return np.asarray(
        augmentation.bend(tf.constant(images[..., None]), tf.constant(amounts))[..., 0]
    )


def test_no_pixel_goes_further_than_the_largest_displacement() -> None:
    """On ramps, whose brightness is the place that a pixel came from."""
    place = np.tile(np.arange(28, dtype=np.float32), (50, 28, 1))
    farthest = []
    for ramp in (place, place.transpose(0, 2, 1)):
        inside = np.abs(bent(ramp, 2.5) - ramp)[:, 3:-3, 3:-3]
        assert inside.max() <= 2.5 + 1e-5
        farthest.append(np.abs(bent(ramp, 2.5) - ramp).max(axis=(1, 2)))
        np.testing.assert_array_equal(bent(ramp, 0), ramp)
    # One of the two directions reaches it, unless the picture's edge is nearer.
    assert np.median(np.max(farthest, axis=0)) > 2


def test_neighbours_are_displaced_alike() -> None:
    place = np.tile(np.arange(28, dtype=np.float32), (50, 28, 1))
    steps = np.diff(bent(place, 2.0)[:, 3:-3, 3:-3], axis=2)
    assert steps.min() > 0  # nothing folds over
    assert steps.max() < 2.5


def test_bending_keeps_the_ink(mnist: Mnist) -> None:
    digits = mnist.train_images[:50].astype(np.float32)
    result = bent(digits, 2.0)
    assert result.min() >= 0
    assert result.max() <= 255
    ink = result.sum(axis=(1, 2)) / digits.sum(axis=(1, 2))
    assert ink.mean() == pytest.approx(1, abs=0.05)
    assert (np.abs(ink - 1) < 0.35).all()
    assert np.abs(result - digits).mean() > 5  # grey levels


def test_elastic_amounts_grow_with_the_recipe(mnist: Mnist) -> None:
    digits = mnist.train_images[:200]
    changes = [
        np.abs(written_again(mnist, replace(STILL, elastic=elastic)) - digits).mean()
        for elastic in (0.5, 1, 2)
    ]
    assert 0 < changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize(
    "more", [{"elastic": 1.0}, {"cutout": 6}, {"horizontal_flip": 0.5, "vertical_flip": 0.5}]
)
def test_one_more_distortion_leaves_the_others_as_they_were(more: dict[str, Any]) -> None:
    recipe = Recipe()
    before = drawn(recipe, 100, SEED)
    after = drawn(replace(recipe, **more), 100, SEED)
    np.testing.assert_array_equal(np.abs(after[:, :7]), np.abs(before))
    again = drawn(replace(recipe, **more), 100, SEED)
    np.testing.assert_array_equal(after, again)


def test_all_at_once_keeps_shape_and_range(mnist: Mnist) -> None:
    recipe = Recipe(elastic=2, cutout=8, horizontal_flip=0.5, vertical_flip=0.5)
    result = written_again(mnist, recipe)
    assert result.shape == (200, 28, 28)
    assert result.min() >= 0
    assert result.max() <= 255.01


def test_channels_are_distorted_alike(mnist: Mnist) -> None:
    recipe = Recipe(elastic=2, cutout=8, horizontal_flip=0.5, vertical_flip=0.5)
    amounts = drawn(recipe, 100, SEED)
    first, second = digits_of(mnist, 200)[:100], digits_of(mnist, 200)[100:]
    together = augmentation.distort(tf.concat([first, second], axis=3), amounts, recipe)
    apart = [augmentation.distort(images, amounts, recipe) for images in (first, second)]
    np.testing.assert_allclose(together, tf.concat(apart, axis=3), atol=1e-3)


def test_it_trains_on_cores_and_replicas_alike(mnist: Mnist, tmp_path: Path) -> None:
    few = mnist.train_images[:200], mnist.train_labels[:200]
    recipe = Recipe(
        network="small",
        batch=100,
        epochs=1,
        elastic=2,
        cutout=8,
        horizontal_flip=0.5,
        vertical_flip=0.5,
        precision="float32",
    )
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    _, whole = train(recipe, few, few, tmp_path / "whole.npz")
    _, parts = train(recipe, few, few, tmp_path / "parts.npz", shards=2, strategy=mirrored)
    assert parts[0].loss == pytest.approx(whole[0].loss, rel=1e-3)
