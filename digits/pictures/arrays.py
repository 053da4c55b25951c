"""Arrays as pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.errors import DigitsError
from digits.pictures.grey import Grey, check_size, of_image


def of_array(array: NDArray[Any]) -> Grey:
    said = f"The picture is a {array.dtype} array of shape {array.shape}"
    if array.dtype == bool:
        raise DigitsError(f"{said}; give uint8: picture.astype('uint8') * 255.")
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        raise DigitsError(
            f"{said} with values that are not finite; replace them with numpy.nan_to_num."
        )
    if array.dtype != np.uint8:
        raise DigitsError(
            f"{said}, not uint8; scale it to 0 to 255 and convert it with .astype('uint8')."
        )
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise DigitsError(
            f"{said}, not (height, width), or (height, width, channels) with 1, 3 (RGB) or 4 "
            "(RGBA) channels; give one picture at a time, and move channels last with "
            "numpy.moveaxis."
        )
    check_size(array.shape[1], array.shape[0], "The picture")
    array = np.ascontiguousarray(array)
    if array.ndim == 2:
        return array
    if array.shape[2] == 1:
        return array[:, :, 0]
    return of_image(Image.fromarray(array), "The picture")
