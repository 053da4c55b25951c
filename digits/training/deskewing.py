"""A digit as it would stand in an upright hand.

Part of a network's graph, so that Python, browser and phone have the same.
"""

import keras
import numpy as np
from keras import ops

from digits.bundle import DIGIT_SIDE

# Of pixels, from the picture's middle.
PLACES = np.arange(DIGIT_SIDE, dtype=np.float32) - (DIGIT_SIDE - 1) / 2


def upright(digit: keras.KerasTensor) -> keras.KerasTensor:
    """Brings a digit's centre to the picture's, and takes its slant away.

    The slant is a moment of its ink: rows are shifted until ink has no correlation of row and
    column (LeCun et al. 1998). Networks that see digits normalised in different ways err
    differently (Cireşan, Meier & Schmidhuber 2012).

    Args:
        digit: float32 of shape (n, 28, 28, 1), ink bright on 0.

    Returns:
        float32 of the same shape.
    """
    ink = digit[..., 0]
    share = ink / (ops.sum(ink, axis=(1, 2), keepdims=True) + 1e-6)
    rows, columns = ops.sum(share, axis=2), ops.sum(share, axis=1)
    middle = ops.sum(columns * PLACES, axis=1, keepdims=True)
    down = ops.sum(rows * PLACES, axis=1, keepdims=True) * -1 + PLACES
    right = middle * -1 + PLACES
    along = ops.sum(ops.sum(share * right[:, None], axis=2) * down, axis=1, keepdims=True)
    tall = ops.sum(rows * down * down, axis=1, keepdims=True)
    slant = along / ops.maximum(tall, 1.0)
    # Column of the digit that each pixel comes from. A difference, since Keras 3 takes the sum of
    # (n, 28, 1) and (28,) for that of a bias.
    source = (middle + slant * down)[:, :, None] - -PLACES
    weights = ops.relu(1 - ops.abs(source[..., None] - PLACES))
    return ops.matmul(weights, digit)
