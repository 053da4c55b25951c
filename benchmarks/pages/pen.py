"""What a pen leaves on paper: strokes along a path, and digits of MNIST as if written with it.

Ink is float32 of shape (h, w), 0 for paper to 1 for ink, with grey edges.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from digits.bundle import DIGIT_SIDE
from digits.data.mnist import Bytes

Ink = NDArray[np.float32]

INKED = 0.3  # grey level, 0 to 1, at which a stroke of MNIST ends
SPECK = 0.14  # of a digit's ink: what is smaller was left over when MNIST was cut from forms


def enlarged(image: Bytes, scale: float, pen: float) -> Ink:
    """A digit as a pen writes it: enlarged smoothly, with an edge of about a pixel.

    Args:
        image: uint8 of shape (28, 28).
        scale: pixels for each pixel of the image.
        pen: width of a stroke, in pixels. Strokes become at most a fifth thinner or a third wider
            for it: thinner ones would break, wider ones fill loops.

    Returns:
        its ink, cropped.
    """
    side = round((DIGIT_SIDE + 8) * scale)
    large = Image.fromarray(np.pad(image, 4)).resize((side, side), Image.Resampling.BICUBIC)
    smooth = ndimage.gaussian_filter(np.asarray(large, np.float32) / 255, 0.3 * scale)
    inked = _without_specks(smooth > INKED)
    own = _stroke_width(inked)
    wider = float(np.clip(pen - own, -0.2 * own, 0.33 * own))
    outside = ndimage.distance_transform_edt(~inked)
    inside = ndimage.distance_transform_edt(inked)
    depth = np.where(inked, inside - 0.5, 0.5 - outside)  # from the outline, positive inside
    return cropped(np.clip(ndimage.gaussian_filter(depth, 0.9) + wider / 2 + 0.5, 0, 1))


def cropped(ink: NDArray[np.floating]) -> Ink:
    """Ink, of which there must be some, without the empty rows and columns around it."""
    inked = ink > 0.02
    rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def stroke(points: Sequence[tuple[float, float]], width: float) -> tuple[Ink, int, int]:
    """A stroke of a round pen along a polyline.

    Args:
        points: (x, y), y downwards; one point is a dot.
        width: of the pen, in pixels.

    Returns:
        its ink, and the x and y of the ink's top left corner.
    """
    path = np.array(points, np.float64)
    reach = width / 2 + 1
    left, top = (int(np.floor(low - reach)) for low in path.min(axis=0))
    right, bottom = (int(np.ceil(high + reach)) + 1 for high in path.max(axis=0))
    y, x = np.mgrid[top:bottom, left:right].astype(np.float64)
    nearest = np.full(x.shape, np.inf)
    ends = path[1:] if len(path) > 1 else path
    for (x0, y0), (x1, y1) in zip(path[: len(ends)], ends, strict=True):
        dx, dy = x1 - x0, y1 - y0
        along = ((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-9)
        along = np.clip(along, 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return np.clip(width / 2 - nearest + 0.5, 0, 1).astype(np.float32), left, top


def paste(page: Ink, ink: Ink, left: int, top: int) -> None:
    """Adds ink to a page, all of which must lie on it."""
    height, width = ink.shape
    where = page[top : top + height, left : left + width]
    np.maximum(where, ink, out=where)


def _without_specks(inked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A digit without the specks beside it, which would be points and commas to whoever reads."""
    labels, count = ndimage.label(inked, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    kept = sizes >= SPECK * inked.sum()
    kept[0] = False
    return kept[labels]


def _stroke_width(inked: NDArray[np.bool_]) -> float:
    """Of long strokes, in pixels: the area divided by half the length of the outline."""
    padded = np.pad(inked, 1)
    steps = sum(int((padded != np.roll(padded, 1, axis)).sum()) for axis in (0, 1))
    # An outline of pixel edges is longer than the smooth one, by 4 / π over all directions.
    return float(2 * inked.sum() / max(steps * np.pi / 4, 1))
