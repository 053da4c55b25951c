"""A digit as it would stand in another hand: upright, and as wide as any other.

Part of a network's graph, so that Python, browser and phone have the same.
"""

import keras
import numpy as np
from keras import ops

from digits.geometry import SIDE

PLACES = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2  # of pixels, from the picture's middle
NARROWEST, WIDEST = 0.4, 2.2  # times the width wanted: beyond, a 1 would be stretched into a 0


def upright(digit: keras.KerasTensor, spread: float | None = None) -> keras.KerasTensor:
    """Brings a digit's centre to the picture's, takes its slant away and makes it of one width.

    Slant and width are the moments of its ink: rows are shifted until ink has no correlation of
    row and column (LeCun et al. 1998), and widened or narrowed until its standard deviation from
    the column in the middle is `spread`. Networks that see digits normalised in different ways
    err differently (Cireşan, Meier & Schmidhuber 2012).

    Args:
        digit: float32 of shape (n, 28, 28, 1), ink bright on 0.
        spread: pixels; None leaves the width as it is.

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
    wide = ops.sum(columns * right * right, axis=1, keepdims=True) - slant * along
    scale = ops.ones_like(wide)
    if spread is not None:
        scale = ops.clip(ops.sqrt(ops.relu(wide)) / spread, NARROWEST, WIDEST)
    # Column of the digit that each pixel comes from; a pixel is as wide as what it stands for. A
    # difference, since Keras 3 takes the sum of (1, 28, 1) and (1, 1, 28) for that of a bias.
    source = scale[:, :, None] * PLACES - (-middle - slant * down)[:, :, None]
    reach = ops.maximum(scale, 1.0)[:, :, None, None]
    weights = ops.relu(1 - ops.abs(source[..., None] - PLACES) / reach) / reach
    return ops.matmul(weights, digit)
