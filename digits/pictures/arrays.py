"""Arrays as pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.errors import DigitsError
from digits.pictures.grey import Grey, check_size, of_image

PIXELS = 784  # of a digit of MNIST, as tables have it in a row
WHITE_16 = 65535  # of uint16


def of_array(array: NDArray[Any]) -> Grey:
    """The brightness of an array, as `pictures.load` takes it. Raises DigitsError."""
    if array.dtype == np.uint8 and array.ndim == 2 and max(array.shape) < PIXELS and array.size:
        return np.ascontiguousarray(array)  # as most are, and nothing else need be asked
    said = f"The picture is a {array.dtype} array of shape {array.shape}"
    if array.size == PIXELS and max(array.shape) == PIXELS:
        raise DigitsError(f"{said}, a row of pixels; give picture.reshape(28, 28).")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise DigitsError(
            f"{said}, not (height, width), or (height, width, channels) with 1, 3 (RGB) or 4 "
            "(RGBA) channels; give one picture at a time, or all of them to read_many, and move "
            "channels last with numpy.moveaxis."
        )
    check_size(array.shape[1], array.shape[0], "The picture")
    array = np.ascontiguousarray(_in_bytes(array, said))
    if array.ndim == 2:
        return array
    if array.shape[2] == 1:
        return array[:, :, 0]
    return of_image(Image.fromarray(array), "The picture")


def _in_bytes(array: NDArray[Any], said: str) -> NDArray[np.uint8]:
    """The samples from 0 to 255. What they may be is not guessed: one range for each type, and
    values that could be of two ranges are refused."""
    kind = array.dtype
    if kind == np.uint8:
        return array
    if kind == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if not (np.issubdtype(kind, np.floating) or np.issubdtype(kind, np.integer)):
        raise DigitsError(f"{said}, not of numbers; give uint8, from 0 black to 255 white.")
    low, high = array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DigitsError(
            f"{said} with values that are not finite; replace them with numpy.nan_to_num."
        )
    most = WHITE_16 if kind == np.uint16 else 255
    if low < 0 or high > most:
        raise DigitsError(
            f"{said} with values from {low:g} to {high:g}; scale them to 0 (black) to {most} "
            "(white)."
        )
    if np.issubdtype(kind, np.floating):
        if 1 < high < 2:
            raise DigitsError(
                f"{said} with values up to {high:g}, neither from 0 to 1 nor from 0 to 255; limit "
                "them with numpy.clip(picture, 0, 1)."
            )
        scaled = array * 255 if high <= 1 else array
        return np.rint(scaled).astype(np.uint8)
    if kind == np.uint16:
        if 0 < high <= 255:
            raise DigitsError(
                f"{said} with values up to {high}, where white is {WHITE_16}; if it is 255, give "
                "picture.astype('uint8')."
            )
        return (array // 257).astype(np.uint8)
    if high == 1:
        raise DigitsError(
            f"{said} of 0 and 1, where white is 255; if it is 1, give picture.astype(bool)."
        )
    return array.astype(np.uint8)
