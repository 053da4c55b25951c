"""A PIL image -> grey pixels, upright and opaque."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.errors import DigitsError
from digits.pictures import colours

Grey = NDArray[np.uint8]

LARGEST_PICTURE = 64 << 20  # pixels


class PictureTooLarge(DigitsError):  # noqa: N818 - what the picture is, as a name
    """A picture with more pixels than are decoded."""


def of_image(image: Image.Image, name: str, most_pixels: int = LARGEST_PICTURE) -> Grey:
    """The brightness of an image that need not be decoded yet: uint8 of shape (h, w), 0 black to
    255 white. Raises as `check_size` does."""
    check_size(image.width, image.height, name, most_pixels)
    image.load()
    return _upright(_grey(image), image)


def check_size(width: int, height: int, name: str, most_pixels: int = LARGEST_PICTURE) -> None:
    """Raises DigitsError, which begins with `name`, if there are no pixels, and PictureTooLarge if
    there are too many."""
    if width < 1 or height < 1:
        raise DigitsError(f"{name} has no pixels ({width} × {height}); choose another picture.")
    if width * height > most_pixels:
        raise PictureTooLarge(
            f"{name} is {width:,} × {height:,} pixels, more than the limit of "
            f"{most_pixels:,}; make it smaller."
        )


def _upright(grey: Grey, image: Image.Image) -> Grey:
    """Undoes the EXIF orientation: 2 to 4 mirror or turn by 180°, 5 to 8 also swap the axes.

    To be read after the pixels: in a PNG it may come after them, and for a TIFF Pillow has then
    turned the pixels itself and dropped the orientation.
    """
    try:
        orientation = int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged metadata of an intact picture
        return grey
    if orientation in (5, 6, 7, 8):
        grey = grey.T
    if orientation in (3, 4, 7, 8):
        grey = grey[::-1]
    if orientation in (2, 3, 6, 7):
        grey = grey[:, ::-1]
    return np.ascontiguousarray(grey)


def _grey(image: Image.Image) -> Grey:
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() == (255, 255):
            return np.array(_brightness(image))
        grey, alpha = image.convert("L"), image.getchannel("A")
        opaque = Image.new("L", image.size, _backdrop(np.asarray(grey), np.asarray(alpha)))
        opaque.paste(grey, mask=alpha)
        return np.array(opaque)
    if image.mode == "LAB":
        return np.array(image.getchannel(0))
    return np.array(_brightness(image))


def _brightness(image: Image.Image) -> Image.Image:
    """An image of 8 bits and any colours in grey (mode L) that shows its ink, whatever its
    transparency."""
    if image.mode == "L":
        return image
    if image.mode in ("1", "LA"):
        return image.convert("L")
    return Image.fromarray(colours.grey(image.convert("RGB")))


def _scaled(values: NDArray[Any]) -> Grey:
    """Brings samples of more than 8 bits to 0 to 255.

    No such file says which value is white. Sixteen bits often hold the twelve of a camera or the
    eight of a careless program, and floats run from 0 to 1 or from 0 to 255. So white is taken to
    be the largest value of the smallest usual number of bits that holds all samples.
    """
    low, high = min(0.0, float(values.min())), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("some samples are not finite")
    usual = (1, 255, 1023, 4095, 16383, 65535)
    white = next((top for top in usual if high <= top), high)
    samples, grey = values.reshape(-1), np.empty(values.size, np.uint8)
    for start in range(0, values.size, 1 << 20):  # in parts: floats of the whole would take 512 MB
        part = samples[start : start + (1 << 20)].astype(np.float64)
        grey[start : start + len(part)] = np.rint((part - low) * (255 / (white - low)))
    return grey.reshape(values.shape)


def _backdrop(grey: Grey, alpha: Grey) -> int:
    """The brightness, 255 or 0, to put behind a picture that is transparent in places.

    A drawing exported without its paper is ink of any tone on nothing; it gets the backdrop that it
    differs from most. A cut-out, or a screenshot with round corners, has paper of its own; it gets
    a backdrop like its rim, or the corners would be taken for ink. An opaque area counts as paper
    if it fills most of the picture, or fills most of its box and shows more than one tone.
    """
    opaque = alpha > alpha.max() // 2
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    if not len(rows):
        return 255
    tones = grey[opaque]
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    varied = int(tones.max()) - int(tones.min()) > 64
    paper = (varied and len(tones) > box / 2) or len(tones) > opaque.size * 0.8
    left, right = opaque.argmax(axis=1), opaque.shape[1] - 1 - opaque[:, ::-1].argmax(axis=1)
    rim = np.concatenate([grey[rows, left[rows]], grey[rows, right[rows]]])
    bright = bool(np.median(rim) > 127)
    return 255 if bright == paper else 0
