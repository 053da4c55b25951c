"""The tone of a picture: how bright it is, whatever light falls on it, and how that changes."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.pictures.masks import Mask

Floats = NDArray[np.float32]


def tone_of(picture: Image.Image) -> Floats:
    """The logarithm of brightness: in a shadow, all of it falls by the same."""
    return np.log(np.asarray(picture, np.float32) + 16)


def filled(values: Floats, known: Mask) -> Floats:
    """The values where they are known, and elsewhere a smooth continuation of them.

    Means of squares of 2, 4, 8 … pixels fill the gaps, the smallest that know any (push and pull,
    Gortler et al. 1996).
    """
    if known.all() or not known.any():
        return values
    share = np.asarray(Image.fromarray(known.astype(np.float32)).reduce(2))
    sums = np.asarray(Image.fromarray(np.where(known, values, np.float32(0))).reduce(2))
    coarse = filled(sums / np.maximum(share, np.float32(1e-6)), share > 0)
    size = values.shape[1], values.shape[0]
    smooth = Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR)
    return np.where(known, values, np.asarray(smooth))


def slopes(tone: Floats) -> tuple[Floats, Floats]:
    """The change from pixel to pixel, downwards and across, by Sobel's weights."""
    padded = np.pad(tone, 1, mode="edge")
    rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    columns = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    down, across = columns[2:] - columns[:-2], rows[:, 2:] - rows[:, :-2]
    return np.asarray(down, np.float32), np.asarray(across, np.float32)
