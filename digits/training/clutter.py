"""Clutter of real pictures: uneven light, noise, stray lines, blur. In the training graph."""

import math

import numpy as np
import tensorflow as tf

from digits.bundle import DIGIT_SIDE

COARSE, FINE = 3, 8  # sides of the grids that uneven light is drawn on
TURN = 2.5  # pixels along a zigzag from one of its turns to the next
CHANCES = 10 + COARSE**2 + FINE**2 + DIGIT_SIDE**2  # random numbers that an image takes


def clutter(images: tf.Tensor, share: tf.Tensor, chances: tf.Tensor) -> tf.Tensor:
    """Spoils a share of the images, 0 to 1, in one of six ways each: uneven light, noise, straight
    lines, an inverted band, blur, or only the outline.

    Images are float32 of shape (n, 28, 28, channels), 0 to 255; all channels are spoilt alike.
    `chances`, float32 of shape (n, CHANCES), are uniform from 0 to 1.
    """
    few, coarse, fine, noise = tf.split(chances, [10, COARSE**2, FINE**2, DIGIT_SIDE**2], axis=1)
    few = few[..., None, None, None]
    strength, lines = few[:, 0], few[:, 1:7]
    noise = tf.reshape(noise, (-1, DIGIT_SIDE, DIGIT_SIDE, 1))
    ways = [
        _light(images, strength, coarse, fine),
        images + 340 * strength * (noise - 0.5),
        _salt(images, strength, noise),
        tf.maximum(images, 255 * _lines(lines, strength)),
        _negative(images, lines),
        _blurred(images, strength),
        images + tf.nn.max_pool2d(-images, 3, 1, "SAME"),  # the outline: less what is inside
    ]
    # Both kinds of noise together are as frequent as any other way.
    limits = np.cumsum([2, 1, 1, 2, 2, 2, 2]) / 12
    place = few[:, 9] / tf.maximum(share, 1e-6)
    for spoilt, begin, end in zip(ways, [0, *limits], limits, strict=False):
        images = tf.where((begin <= place) & (place < end), spoilt, images)
    return tf.clip_by_value(images, 0.0, 255.0)


def _light(images: tf.Tensor, strength: tf.Tensor, coarse: tf.Tensor, fine: tf.Tensor) -> tf.Tensor:
    """Paper that is brighter in some places, and the contrast that remains."""
    wide = tf.image.resize(tf.reshape(coarse, (-1, COARSE, COARSE, 1)), (DIGIT_SIDE, DIGIT_SIDE))
    near = tf.image.resize(tf.reshape(fine, (-1, FINE, FINE, 1)), (DIGIT_SIDE, DIGIT_SIDE))
    lit = images + 255 * 1.8 * strength * (wide + 0.4 * near)
    return lit * 255 / tf.reduce_max(lit + 1e-3, axis=[1, 2, 3], keepdims=True)


def _salt(images: tf.Tensor, strength: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Salt and pepper: some pixels white, some black."""
    share = 0.01 + 0.1 * strength
    return tf.where(noise < share, 255.0, tf.where(noise > 1 - share, 0.0, images))


def _lines(chance: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """One or two lines of 1 to 2 pixels, straight or in a zigzag, 1 on 0."""
    first = _distance(chance[:, :3], _zigzag(chance[:, 2]))
    second = _distance(chance[:, 3:], _zigzag(chance[:, 5]))
    second += 1e3 * tf.cast(strength < 0.5, tf.float32)
    return tf.clip_by_value(1.3 - tf.minimum(tf.abs(first), tf.abs(second)), 0.0, 1.0)


def _negative(images: tf.Tensor, chance: tf.Tensor) -> tf.Tensor:
    """Inverts a band across the picture."""
    band = tf.abs(_distance(chance)) < 2 + 12 * chance[:, 3]
    return tf.where(band, 255 - images, images)


def _zigzag(chance: tf.Tensor) -> tf.Tensor:
    """How far a line turns from its course, in pixels each way: not at all in half of them."""
    return 5 * tf.maximum(chance - 0.5, 0.0)


def _distance(chance: tf.Tensor, zigzag: tf.Tensor | float = 0.0) -> tf.Tensor:
    """The signed distance of each pixel from a random line, shape (n, 28, 28, 1).

    A zigzag turns each `TURN` pixels.
    """
    angle = math.pi * chance[:, 0]
    offset = 20 * (chance[:, 1] - 0.5)
    place = tf.range(DIGIT_SIDE, dtype=tf.float32) - (DIGIT_SIDE - 1) / 2
    down, right = place[None, :, None, None], place[None, None, :, None]
    along = tf.cos(angle) * right - tf.sin(angle) * down
    turns = zigzag * (4 * tf.abs(along / (2 * TURN) % 1 - 0.5) - 1)
    return tf.cos(angle) * down + tf.sin(angle) * right - offset - turns


def _blurred(images: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    once = tf.nn.avg_pool2d(images, 3, 1, "SAME")
    twice = tf.nn.avg_pool2d(once, 3, 1, "SAME")
    return once + strength * (twice - once)
