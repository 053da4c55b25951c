"""What is drawn for training: other hands' digits, non-digits, and clutter."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from digits.data import mnist as data
from digits.data import non_digits, variants
from digits.training import clutter


def strange(mnist: data.Mnist, count: int, seed: int) -> np.ndarray:
    return non_digits.make(count, mnist.train_images[:1000], mnist.train_labels[:1000], seed)


def other_hands(mnist: data.Mnist, count: int, seed: int) -> np.ndarray:
    return variants.make(count, mnist.train_images[:1000], mnist.train_labels[:1000], seed)[0]


@pytest.mark.parametrize("make", [strange, other_hands])
def test_drawn_in_the_frame_and_repeatable(
    mnist: data.Mnist, make: Callable[[data.Mnist, int, int], np.ndarray]
) -> None:
    images = make(mnist, 300, 1)
    assert images.shape == (300, 28, 28)
    assert images.dtype == np.uint8
    rows, columns = images.any(axis=2).sum(axis=1), images.any(axis=1).sum(axis=1)
    inked = rows > 0
    assert inked.mean() > 0.98
    assert (np.maximum(rows, columns)[inked] == 20).mean() > 0.9
    assert (images.max(axis=(1, 2))[inked] == 255).all()
    assert np.array_equal(images, make(mnist, 300, 1))
    assert not np.array_equal(images, make(mnist, 300, 2))
    assert make(mnist, 0, 1).shape == (0, 28, 28)


def test_variants_are_labelled(mnist: data.Mnist) -> None:
    images, labels = variants.make(400, mnist.train_images[:1000], mnist.train_labels[:1000], 1)
    assert images.shape == (400, 28, 28)
    for digit, share in variants.SHARES.items():
        assert (labels == digit).mean() == pytest.approx(share, abs=0.08)
    # An upstroke widens a one beyond any bar, and every one keeps a stem that is tall.
    ones = images[labels == 1]
    assert (ones.any(axis=1).sum(axis=1) >= 5).mean() > 0.95
    assert (ones.any(axis=2).sum(axis=1) >= 15).mean() > 0.8


def spoilt(images: np.ndarray, share: float, seed: int) -> np.ndarray:
    chances = tf.random.stateless_uniform((len(images), clutter.CHANCES), [seed, 2])
    return clutter.clutter(tf.constant(images[..., None], tf.float32), share, chances).numpy()[
        ..., 0
    ]


def test_clutter_spoils_channels_alike(mnist: data.Mnist) -> None:
    images = tf.constant(mnist.train_images[:100, ..., None], tf.float32)
    chances = tf.random.stateless_uniform((100, clutter.CHANCES), [1, 2])
    once = clutter.clutter(images, 1.0, chances)
    assert (once.numpy() != images.numpy()).any(axis=(1, 2, 3)).mean() > 0.9
    three = clutter.clutter(tf.repeat(images, 3, axis=3), 1.0, chances)
    np.testing.assert_allclose(three, tf.repeat(once, 3, axis=3), atol=1e-3)


def test_clutter_spoils_its_share_and_leaves_the_rest(mnist: data.Mnist) -> None:
    images = mnist.train_images[:2000]
    result = spoilt(images, 0.3, 1)
    assert result.min() >= 0
    assert result.max() <= 255
    changed = (np.abs(result - images) > 1e-3).any(axis=(1, 2))
    assert 0.25 < changed.mean() < 0.35
    assert np.array_equal(result, spoilt(images, 0.3, 1))
    assert np.array_equal(spoilt(images, 0.0, 1), images)
    assert (spoilt(images, 1.0, 1) != images).any(axis=(1, 2)).mean() > 0.99
