"""Random distortions of digits, in the training graph. They run on every image of every epoch."""

import math

import tensorflow as tf

from digits.recipes import Recipe


def distorts(recipe: Recipe) -> bool:
    """Whether the recipe asks for any distortion at all."""
    return any((recipe.rotation, recipe.scaling, recipe.shear, recipe.shift))


def draw(recipe: Recipe, count: int, seed: tf.Tensor) -> tf.Tensor:
    """Draws how much each of `count` images is to be distorted, uniformly up to the recipe's most.

    Args:
        recipe: gives `rotation`, `scaling`, `shear` and `shift`.
        count: number of images.
        seed: integers of shape (2,). The same seed gives the same amounts, on any machine.

    Returns:
        float32 of shape (count, 6): angle (radians, counter-clockwise), width and height (factors,
        drawn apart since people write tall and wide digits), shear (pixels to the right per pixel
        upward, as in a slanted hand), shift to the right and down (pixels).
    """
    most = [
        math.radians(recipe.rotation),
        recipe.scaling,
        recipe.scaling,
        recipe.shear,
        recipe.shift,
        recipe.shift,
    ]
    unchanged = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    return unchanged + most * tf.random.stateless_uniform((count, len(most)), seed, -1.0, 1.0)


def distort(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Shears, scales, turns and shifts each image, in this order, about its centre.

    Pixels are interpolated bilinearly; what comes from outside the picture is 0, MNIST's
    background.

    Args:
        images: float32 of shape (n, height, width, 1).
        amounts: float32 of shape (n, 6), from `draw`.

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
