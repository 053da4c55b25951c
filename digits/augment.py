"""Random distortions of digits, in the training graph. They run on every image of every epoch."""

import math

import tensorflow as tf

from digits import geometry
from digits.recipes import Recipe

ROOM = 4  # pixels added on each side while a digit is distorted, so that little is cut off


def draw(recipe: Recipe, count: int, seed: tf.Tensor, left: tf.Tensor) -> tf.Tensor:
    """Draws how much each of `count` images is to be distorted.

    Each image gets a strength, uniform from 0 to 1, and its amounts are uniform up to that part of
    the most there is: most digits stay close to how they were written and a few go far. The most
    falls from 1.5 times what the recipe says to half of it, so that training ends on digits that
    are nearly as they were.

    Args:
        recipe: gives `rotation`, `scaling`, `shear`, `shift` and `pen`.
        count: number of images.
        seed: integers of shape (2,). The same seed gives the same amounts, on any machine.
        left: how much of the training is left, from 1 to 0.

    Returns:
        float32 of shape (count, 7): angle (radians, counter-clockwise), width and height (factors,
        drawn apart since people write tall and wide digits), shear (pixels to the right per pixel
        upward, as in a slanted hand), shift to the right and down (pixels), and pen (1 thickens a
        stroke by a pixel on each side, -1 thins it as much).
    """
    most = tf.constant(
        [
            math.radians(recipe.rotation),
            recipe.scaling,
            recipe.scaling,
            recipe.shear,
            recipe.shift,
            recipe.shift,
            recipe.pen,
        ]
    )
    unchanged = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    chance = tf.random.stateless_uniform((count, 8), seed)
    return unchanged + (0.5 + left) * most * chance[:, :1] * (2 * chance[:, 1:] - 1)


def distort(images: tf.Tensor, amounts: tf.Tensor, reframed: float) -> tf.Tensor:
    """Writes each digit again: another pen, another hand, another place.

    Strokes are thickened or thinned (partly dilated or eroded), the picture is moved, and a part
    of the images goes through the reader's geometry, as every picture of a user does.

    Args:
        images: float32 of shape (n, 28, 28, 1), ink 255 on 0, in random order.
        amounts: float32 of shape (n, 7), from `draw`.
        reframed: the part that is put back into MNIST's frame, from the end, 0 to 1.

    Returns:
        float32 of the same shape as `images`.
    """
    images = _with_pen(images, amounts[:, 6])
    spacious = move(tf.pad(images, [[0, 0], [ROOM] * 2, [ROOM] * 2, [0, 0]]), amounts[:, :6])
    kept = images.shape[0] - round(images.shape[0] * reframed)
    as_moved = spacious[:kept, ROOM:-ROOM, ROOM:-ROOM]
    # What interpolation leaves of the faintest pixels would widen the box around the ink.
    framed = geometry.frame(tf.nn.relu(spacious[kept:, :, :, 0] - 8))[..., None]
    return tf.concat([as_moved, framed], axis=0)


def _with_pen(images: tf.Tensor, pen: tf.Tensor) -> tf.Tensor:
    pen = pen[:, None, None, None]
    thick = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    return images + tf.nn.relu(pen) * (thick - images) + tf.nn.relu(-pen) * (thin - images)


def move(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Shears, scales, turns and shifts each image, in this order, about its centre.

    Pixels are interpolated bilinearly; what comes from outside the picture is 0, MNIST's
    background.

    Args:
        images: float32 of shape (n, height, width, 1).
        amounts: float32 of shape (n, 6), the first six of `draw`.

    Returns:
        float32 of the same shape as `images`.
    """
    angle, wider, taller, shear, right, down = tf.unstack(amounts, axis=1)
    cosine, sine, zero, one = tf.cos(angle), tf.sin(angle), 0 * angle, 1 + 0 * angle
    # Each output pixel asks where it came from, so the steps are undone, the last one first.
    turn_back = _matrices(cosine, -sine, sine, cosine)
    scale_back = _matrices(1 / wider, zero, zero, 1 / taller)
    shear_back = _matrices(one, shear, zero, one)
    inverse = shear_back @ scale_back @ turn_back

    height, width = images.shape[1:3]
    centre = tf.constant([(width - 1) / 2, (height - 1) / 2])
    moved_centre = centre + tf.stack([right, down], axis=1)
    offset = centre - tf.linalg.matvec(inverse, moved_centre)
    affine = tf.reshape(tf.concat([inverse, offset[:, :, None]], axis=2), (-1, 6))
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.pad(affine, [[0, 0], [0, 2]]),  # no perspective
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _matrices(a: tf.Tensor, b: tf.Tensor, c: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
    return tf.reshape(tf.stack([a, b, c, d], axis=1), (-1, 2, 2))
