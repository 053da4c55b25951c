"""Does clutter spoil the share of images that it should, and leave the rest alone?"""

import numpy as np
import tensorflow as tf

from digits.data.mnist import Mnist
from digits.training import clutter


def spoilt(images: np.ndarray, share: float, seed: int) -> np.ndarray:
    chances = tf.random.stateless_uniform((len(images), clutter.CHANCES), [seed, 2])
    return clutter.clutter(tf.constant(images[..., None], tf.float32), share, chances).numpy()[
        ..., 0
    ]


def test_clutter_spoils_channels_alike(mnist: Mnist) -> None:
    images = tf.constant(mnist.train_images[:100, ..., None], tf.float32)
    chances = tf.random.stateless_uniform((100, clutter.CHANCES), [1, 2])
    once = clutter.clutter(images, 1.0, chances)
    assert (once.numpy() != images.numpy()).any(axis=(1, 2, 3)).mean() > 0.9
    three = clutter.clutter(tf.repeat(images, 3, axis=3), 1.0, chances)
    np.testing.assert_allclose(three, tf.repeat(once, 3, axis=3), atol=1e-3)


def test_clutter_spoils_its_share_and_leaves_the_rest(mnist: Mnist) -> None:
    images = mnist.train_images[:2000]
    result = spoilt(images, 0.3, 1)
    assert result.min() >= 0
    assert result.max() <= 255
    changed = (np.abs(result - images) > 1e-3).any(axis=(1, 2))
    assert 0.25 < changed.mean() < 0.35
    assert np.array_equal(result, spoilt(images, 0.3, 1))
    assert np.array_equal(spoilt(images, 0.0, 1), images)
    assert (spoilt(images, 1.0, 1) != images).any(axis=(1, 2)).mean() > 0.99
