"""MNIST's own geometry as tensor operations that are exported with the model: frame and deskew.

There is no second definition: Python, HTTP, browser and phone run this graph, and what is drawn
for training is framed by it too.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from digits.bundle import DIGIT_SIDE
from digits.data.mnist import Bytes

BOX = 20  # pixels, the longer side of the ink in MNIST
# Where the centre of mass is put, in pixels from the picture's edge. With 14.5 all but three of
# MNIST's training digits come out where they were.
CENTRE = 14.5
PLACES = np.arange(DIGIT_SIDE, dtype=np.float32) - (DIGIT_SIDE - 1) / 2  # pixels, from the middle


def frame(canvas: tf.Tensor) -> tf.Tensor:
    """Brings the ink of each canvas into MNIST's frame.

    The box around the ink is scaled, by area averaging, until its longer side is 20 pixels, and
    placed with its centre of mass in the middle, to the nearest whole pixel (LeCun et al. 1998).
    The brightest pixel becomes 255, which compensates for thin strokes that averaging pales.
    A digit of MNIST comes out unchanged.

    Args:
        canvas: float32 of shape (n, side, side), ink bright on exactly 0, of any size, anywhere.

    Returns:
        float32 of shape (n, 28, 28), 0 to 255; a blank canvas gives zeros.
    """
    top, down, height = _along(tf.reduce_sum(canvas, axis=2))
    left, across, width = _along(tf.reduce_sum(canvas, axis=1))
    scale = tf.maximum(tf.maximum(height, width), 1.0) / BOX  # canvas pixels to one of the digit
    rows = _overlaps(top, down, height, scale, canvas.shape[1])
    columns = _overlaps(left, across, width, scale, canvas.shape[2])
    digit = rows @ tf.matmul(canvas, columns, transpose_b=True)
    brightest = tf.reduce_max(digit, axis=[1, 2], keepdims=True)
    return digit * (255 / tf.maximum(brightest, 1e-6))


def frame_all(canvases: Bytes) -> Bytes:
    """`frame` for many canvases, uint8 of shape (n, side, side) to (n, 28, 28)."""
    return in_bytes(frame, canvases)


def in_bytes(function: Callable[[tf.Tensor], tf.Tensor], images: Bytes) -> Bytes:
    """A function of float32 images, applied to many in parts that fit in memory, and rounded."""
    parts = np.array_split(images, len(images) // 1000 + 1)
    results = (np.round(function(tf.constant(part, tf.float32))) for part in parts)
    return np.concatenate([np.clip(result, 0, 255).astype(np.uint8) for result in results])


def deskew(digit: keras.KerasTensor) -> keras.KerasTensor:
    """Removes a digit's slant and moves its centre of mass to the middle.

    The slant is a moment of its ink: rows are shifted until ink has no correlation of row and
    column (LeCun et al. 1998). Networks that see digits normalised in different ways err
    differently (Cireşan, Meier & Schmidhuber 2012). Takes and gives float32 of shape
    (n, 28, 28, 1), ink bright on 0.
    """
    down, right = np.meshgrid(PLACES, PLACES, indexing="ij")
    of_pixel = np.stack([np.ones_like(down), right, down, right * down, down * down], axis=-1)
    moments = ops.matmul(ops.reshape(digit, (-1, DIGIT_SIDE**2)), of_pixel.reshape(-1, 5))
    means = moments / (moments[:, :1] + 1e-6)
    middle, level = means[:, 1:2], means[:, 2:3]
    along, tall = means[:, 3:4] - middle * level, means[:, 4:5] - level * level
    slant = along / ops.maximum(tall, 1.0)
    # The column of the digit that each pixel comes from. Not ops.add: Keras 3 takes the sum of
    # shapes (n, 28, 1) and (28,) for a bias and adds it along the wrong axis.
    source = ops.subtract((middle + slant * (level * -1 + PLACES))[:, :, None], -PLACES)
    weights = ops.relu(1 - ops.abs(source[..., None] - PLACES))
    return ops.sum(weights * digit[:, :, None, :, 0], axis=3)[..., None]


def _along(ink: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """First inked pixel, centre of mass from there, and extent, each of shape (n,), from the ink of
    each row or column, shape (n, side)."""
    side = ink.shape[1]
    place = tf.range(side, dtype=tf.float32)
    inked = tf.cast(ink > 0, tf.float32)
    first = side - tf.reduce_max(inked * (side - place), axis=1)
    end = tf.reduce_max(inked * (place + 1), axis=1)
    mass = tf.reduce_sum(ink * (place + 0.5), axis=1)
    return first, mass / tf.maximum(tf.reduce_sum(ink, axis=1), 1e-6) - first, end - first


def _overlaps(
    first: tf.Tensor, mass: tf.Tensor, extent: tf.Tensor, scale: tf.Tensor, side: int
) -> tf.Tensor:
    """The fraction of each digit pixel that each canvas pixel covers, shape (n, 28, side)."""
    room = DIGIT_SIDE - tf.math.ceil(extent / scale - 1e-3)  # so that the box stays inside
    start = tf.clip_by_value(tf.round(CENTRE - mass / scale), 0.0, room)
    pixel = tf.range(DIGIT_SIDE, dtype=tf.float32)[None, :, None] - start[:, None, None]
    begin = first[:, None, None] + pixel * scale[:, None, None]
    place = tf.range(side, dtype=tf.float32)
    end = begin + scale[:, None, None]
    overlap = tf.minimum(end, place + 1) - tf.maximum(begin, place)
    return tf.nn.relu(overlap) / scale[:, None, None]
