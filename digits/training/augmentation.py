"""Random distortions and clutter, in the training graph, for every image in every epoch.

Functions take images as float32 of shape (n, height, width, channels), ink 255 on 0, and return the
same shape; all channels of an image are treated alike. `left` is the fraction of the training that
is left, from 1 to 0.
"""

import math

import numpy as np
import tensorflow as tf

from digits.bundle import DIGIT_SIDE
from digits.runs.recipes import Recipe
from digits.training import clutter

ROOM = 4  # pixels added on each side while a digit is distorted, so that little is cut off
KNOTS = 6  # along each side: where an elastic field is drawn
SMOOTH = 4.0  # pixels, standard deviation of the Gaussian between them; Simard et al. found it best

# Columns of the random numbers that an image takes. Those from MIRRORED on are drawn only for
# recipes that mirror, bend or cut out.
STRENGTH, WAYS = slice(0, 1), slice(1, 8)
MIRRORED, MIDDLE, FIELD = slice(8, 10), slice(10, 12), slice(12, 12 + 2 * KNOTS**2)
CHANCES, ALL_CHANCES = WAYS.stop, FIELD.stop

# Columns of the amounts that they become.
MOVE, PEN, BEND = slice(0, 6), 6, slice(7, 8 + 2 * KNOTS**2)
SQUARE = slice(-2, None)


def augment(
    images: tf.Tensor, distortions: tf.Tensor, chances: tf.Tensor, recipe: Recipe, left: tf.Tensor
) -> tf.Tensor:
    """Distorts images of 28×28 pixels, and clutters those at the front, fewer as `left` falls.

    Args:
        images: in random order.
        distortions, chances: from `draw` with the same recipe.
    """
    if recipe.distorts:
        images = distort(images, distortions, recipe)
    cluttered = chances.shape[0]
    if not cluttered:
        return images
    front, others = tf.split(images, [cluttered, images.shape[0] - cluttered])
    return tf.concat([clutter.clutter(front, left, chances), others], axis=0)


def draw(
    recipe: Recipe, count: int, seed: tf.Tensor, left: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws the random numbers for augmenting `count` images.

    Args:
        recipe: gives the maximum of each amount.
        seed: integers of shape (2,), the first at least 0. The same seed gives the same numbers
            on any machine.

    Returns:
        the amounts of distortion for all images, as from `amounts_of`, and the random numbers of
        `clutter.clutter` for the recipe's share of the images, those at the front.
    """
    chances = tf.random.stateless_uniform((count, CHANCES), seed)
    if any((recipe.elastic, recipe.cutout, recipe.horizontal_flip, recipe.vertical_flip)):
        # From another seed, so that the first columns are the same in all recipes.
        other = tf.stack([seed[0], -1 - seed[1]])
        more = tf.random.stateless_uniform((count, ALL_CHANCES - CHANCES), other)
        chances = tf.concat([chances, more], axis=1)
    cluttered = (round(count * recipe.clutter), clutter.CHANCES)
    return amounts_of(recipe, chances, left), tf.random.stateless_uniform(cluttered, -1 - seed)


def amounts_of(recipe: Recipe, chances: tf.Tensor, left: tf.Tensor) -> tf.Tensor:
    """How much each image is distorted, from random numbers.

    Each image gets a strength, uniform from 0 to 1, and its amounts are uniform up to that fraction
    of the maximum: most digits change little and a few change a lot. The maximum falls from 1.5
    times the recipe's value to half of it, so that training ends on nearly undistorted digits.
    Mirroring and cutout do not fall.

    Args:
        recipe: gives the maximum of each amount.
        chances: uniform from 0 to 1, float32 of shape (count, CHANCES), or (count, ALL_CHANCES) if
            the recipe mirrors, bends or cuts out; the columns are named above.

    Returns:
        float32 of shape (count, 7): angle (radians, counter-clockwise), width and height (factors,
        independent since people write tall and wide digits; negative ones mirror), shear (pixels
        to the right per pixel upward, as slanted writing has it), shift right and down (pixels),
        and pen (1 thickens a stroke by a pixel on each side, -1 thins it as much). If the recipe
        bends, those of BEND follow: the largest displacement (pixels) and the field's shape, as
        `bend` takes them; if it cuts out, those of SQUARE: row and column of its middle.
    """
    width, height, right, down = recipe.scaling, recipe.scaling, recipe.shift, recipe.shift
    angle = math.radians(recipe.rotation)
    most = tf.constant([angle, width, height, recipe.shear, right, down, recipe.pen])
    unchanged = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    strength, ways = chances[:, STRENGTH], 2 * chances[:, WAYS] - 1
    moves = unchanged + (0.5 + left) * most * strength * ways
    if chances.shape[1] == CHANCES:
        return moves
    flips = [recipe.horizontal_flip, recipe.vertical_flip]
    mirrored = tf.where(chances[:, MIRRORED] < flips, -1.0, 1.0)
    columns = [moves * tf.pad(mirrored, [[0, 0], [1, 4]], constant_values=1.0)]
    if recipe.elastic:
        columns += [(0.5 + left) * recipe.elastic * strength, 2 * chances[:, FIELD] - 1]
    if recipe.cutout:
        columns.append(tf.floor(DIGIT_SIDE * chances[:, MIDDLE]))
    return tf.concat(columns, axis=1)


def distort(images: tf.Tensor, amounts: tf.Tensor, recipe: Recipe) -> tf.Tensor:
    """Changes stroke width, bends strokes, moves each digit, and cuts out a square, in this order.

    What the recipe sets to 0 is left out. `images` have 28×28 pixels; `amounts`, float32 of shape
    (n, 7) or wider, are from `amounts_of` with the same recipe.
    """
    if recipe.pen:
        images = with_pen(images, amounts[:, PEN])
    if recipe.elastic:
        images = bend(images, amounts[:, BEND])
    spacious = tf.pad(images, [[0, 0], [ROOM] * 2, [ROOM] * 2, [0, 0]])
    images = move(spacious, amounts[:, MOVE])[:, ROOM:-ROOM, ROOM:-ROOM]
    return cut_out(images, amounts[:, SQUARE], recipe.cutout) if recipe.cutout else images


def with_pen(images: tf.Tensor, pen: tf.Tensor) -> tf.Tensor:
    """Dilates or erodes strokes by up to a pixel a side; beyond that, contrast grows."""
    pen = pen[:, None, None, None]
    thick = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    return images + tf.nn.relu(pen) * (thick - images) + tf.nn.relu(-pen) * (thin - images)


def bend(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Displaces pixels by a smooth random field (Simard, Steinkraus & Platt 2003).

    They smooth noise at every pixel with a Gaussian. Here the noise is at KNOTS × KNOTS places,
    which looks the same after smoothing and takes a hundredth of the numbers. Pixels are
    interpolated bilinearly; beyond the picture, its edge is repeated, which is 0 in MNIST.

    Args:
        images: square.
        amounts: float32 of shape (n, 1 + 2 · KNOTS²): the largest displacement of any pixel, each
            way, in pixels, and for both directions the displacement at each knot, in any unit.
    """
    count, side = images.shape[:2]
    field = tf.reshape(amounts[:, 1:], (-1, KNOTS**2)) @ _smoothing(side)
    field = tf.reshape(field, (-1, 2, side, side))
    largest = tf.reduce_max(tf.abs(field), axis=[1, 2, 3], keepdims=True)
    field *= amounts[:, :1, None, None] / tf.maximum(largest, 1e-6)

    place = tf.range(side, dtype=tf.float32)
    down = tf.clip_by_value(place[:, None] + field[:, 0], 0.0, side - 1.0)
    right = tf.clip_by_value(place + field[:, 1], 0.0, side - 1.0)
    top = tf.minimum(tf.floor(down), side - 2.0)
    left = tf.minimum(tf.floor(right), side - 2.0)
    down, right = down - top, right - left  # now within the pixel
    first = tf.range(count)[:, None, None] * side**2 + tf.cast(top * side + left, tf.int32)
    pixels = tf.reshape(images, [-1, images.shape[3]])
    upper, upper_right, lower, lower_right = (
        tf.gather(pixels, first + step) for step in (0, 1, side, side + 1)
    )
    upper += right[..., None] * (upper_right - upper)
    lower += right[..., None] * (lower_right - lower)
    return upper + down[..., None] * (lower - upper)


def _smoothing(side: int) -> tf.Tensor:
    """The weight of each knot in each pixel's displacement, shape (KNOTS², side²)."""
    knots = np.linspace(0, side - 1, KNOTS)
    weights = np.exp(-(((knots[:, None] - np.arange(side)) / SMOOTH) ** 2) / 2)
    weights /= weights.sum(axis=0)
    return tf.constant(np.kron(weights, weights), tf.float32)


def cut_out(images: tf.Tensor, middles: tf.Tensor, side: int) -> tf.Tensor:
    """Sets a square of each image to 0 (DeVries & Taylor 2017), clipped at the picture's edge.

    Args:
        images: square.
        middles: float32 of shape (n, 2), row and column of the square's middle, whole numbers; for
            an even side, the first pixel after the middle.
        side: of the square, in pixels.
    """

    past = tf.range(images.shape[1], dtype=tf.float32) - middles[..., None] + side // 2
    within = (past >= 0) & (past < side)
    gone = within[:, 0, :, None, None] & within[:, 1, None, :, None]
    return tf.where(gone, 0.0, images)


def move(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Shears, scales, turns and shifts each image, in this order, about its centre.

    Pixels are interpolated bilinearly; outside the picture everything is 0. `amounts`, float32 of
    shape (n, 6), are the columns MOVE of `amounts_of`.
    """
    angle, wider, taller, shear, right, down = tf.unstack(amounts, axis=1)
    cosine, sine, zero, one = tf.cos(angle), tf.sin(angle), 0 * angle, 1 + 0 * angle
    # From each output pixel back to its source: the steps are undone, the last one first.
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
