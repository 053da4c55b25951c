"""Any picture -> one grey array, upright and opaque, or one sentence that says what is wrong."""

import io
import math
import os
import threading
import warnings
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.errors import DigitsError
from digits.reading import colours

Grey = NDArray[np.uint8]
Source = str | Path | bytes | IO[bytes] | NDArray[Any]

LARGEST_PICTURE = 64 << 20  # pixels
LARGEST_FILE = 256 << 20  # bytes, four for each of those pixels
FORMATS = "PNG, JPEG, GIF, BMP, WebP, TIFF, PPM or PGM"

_KINDS = {  # how files of each kind begin, and the part of Pillow that decodes them
    "PNG": ((b"\x89PNG\r\n\x1a\n",), "PngImagePlugin", "PngImageFile"),
    "JPEG": ((b"\xff\xd8\xff",), "JpegImagePlugin", "JpegImageFile"),
    "GIF": ((b"GIF87a", b"GIF89a"), "GifImagePlugin", "GifImageFile"),
    "BMP": ((b"BM",), "BmpImagePlugin", "BmpImageFile"),
    "WebP": ((b"RIFF",), "WebPImagePlugin", "WebPImageFile"),
    "TIFF": ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TiffImagePlugin", "TiffImageFile"),
    "PPM": ((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"), "PpmImagePlugin", "PpmImageFile"),
}
_WARNINGS = threading.Lock()


def load(source: Source) -> Grey:
    """Reads a picture as brightness, upright.

    Args:
        source: a path; the content of a picture file as bytes; a binary file to read it from; or
            an array: uint8 of shape (h, w) or (h, w, 1) grey, (h, w, 3) RGB, (h, w, 4) RGBA.
            The format is recognised by a file's content, not its name. Only the first frame of an
            animation and the first page of a document are read.

    Returns:
        uint8 of shape (h, w), 0 black to 255 white. Colour becomes luma (ITU-R BT.601). What is
        transparent becomes white or black, whichever lets the ink be seen. Samples of more than 8
        bits are scaled by the number of bits in use. A grey array is returned as it is.

    Raises:
        DigitsError: no such file, a file that is damaged or not a picture, an array of another
            kind, or more than `LARGEST_PICTURE` pixels, which is found before they are decoded.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    name = _name(source)
    content = _read(source, name)
    kind = _kind(content, name)
    # Pillow warns of oddities in files that it decodes all the same. All threads share one list of
    # filters, hence the lock.
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _decode(content, kind, name)
        except DigitsError:
            raise
        except Image.DecompressionBombError:
            raise DigitsError(
                f"{name} has far more than the limit of {LARGEST_PICTURE:,} pixels; "
                "make it smaller."
            ) from None
        except Exception as error:  # on a damaged file a decoder raises anything
            reason = " ".join(str(error).split())
            if not any(map(str.isalpha, reason)):
                reason = f"{type(error).__name__} {reason}".rstrip()
            raise DigitsError(
                f"{name} is a {kind} file that is damaged or cut short ({reason:.80}); "
                "download it again, or open it in an image program and save it again."
            ) from None


def _name(source: object) -> str:
    """What messages call the picture."""
    if isinstance(source, (str, Path)):
        path = str(source) or "The empty path"
        return path if path.isprintable() else repr(path)
    name = getattr(source, "name", None)
    if name == "<stdin>":
        return "Standard input"
    return name if isinstance(name, str) else "The picture"


def _read(source: object, name: str) -> bytes:
    """All of a file, whose size is checked first."""
    too_large = f"{name} has more than the limit of {LARGEST_FILE >> 20} MB; make it smaller."
    if isinstance(source, (str, Path)):
        try:
            with open(source, "rb") as file:
                if os.fstat(file.fileno()).st_size > LARGEST_FILE:
                    raise DigitsError(too_large)
                content = file.read(LARGEST_FILE + 1)
        except FileNotFoundError:
            raise DigitsError(f"{name}: there is no such file.") from None
        except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
            if os.path.isdir(source):  # for which Windows reports "no permission"
                raise DigitsError(f"{name} is a folder; name the pictures in it.") from None
            reason = getattr(error, "strerror", None) or error
            raise DigitsError(f"{name} cannot be read ({reason}).") from None
    elif isinstance(source, (bytes, bytearray, memoryview)):
        content = bytes(source)
    elif hasattr(source, "read"):
        try:
            content = source.read(LARGEST_FILE + 1)
        except (OSError, ValueError) as error:  # ValueError: a closed file
            raise DigitsError(f"{name} cannot be read ({error}).") from None
        if not isinstance(content, bytes):
            raise DigitsError(f"{name} is a file in text mode; open it in binary mode.")
    else:
        kind = f"{type(source).__module__}.{type(source).__qualname__}".removeprefix("builtins.")
        raise DigitsError(
            f"A picture is a path, bytes, a binary file or a NumPy array, not {kind}; "
            "give one of these, for example numpy.asarray(picture)."
        )
    if len(content) > LARGEST_FILE:
        raise DigitsError(too_large)
    return content


def _kind(content: bytes, name: str) -> str:
    """Which of `_KINDS` a file is, by its first bytes."""
    if not content:
        raise DigitsError(f"{name} is empty; copy or download it again.")
    for kind, (beginnings, _, _) in _KINDS.items():
        if content.startswith(beginnings) and (kind != "WebP" or content[8:12] == b"WEBP"):
            return kind
    what = "is not in a format that can be read"
    if content[4:8] == b"ftyp":
        what = "is HEIC, AVIF or a video"
    elif content.startswith(b"%PDF"):
        what = "is a PDF"
    elif all(byte >= 32 or byte in b"\t\n\r" for byte in content[:512]):
        what = "is text, not a picture"
    raise DigitsError(f"{name} {what}; save the picture as {FORMATS}.")


def _from_array(array: NDArray[Any]) -> Grey:
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
    _check_size(array.shape[1], array.shape[0], "The picture")
    array = np.ascontiguousarray(array)
    if array.ndim == 2:
        return array
    if array.shape[2] == 1:
        return array[:, :, 0]
    return _grey(Image.fromarray(array))


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise DigitsError(f"{name} has no pixels ({width} × {height}); choose another picture.")
    if width * height > LARGEST_PICTURE:
        raise DigitsError(
            f"{name} is {width:,} × {height:,} pixels, more than the limit of "
            f"{LARGEST_PICTURE:,}; make it smaller."
        )


def _decode(content: bytes, kind: str, name: str) -> Grey:
    # Not Image.open: it imports the decoders of other kinds too, which takes as long as the rest.
    _, module, opener = _KINDS[kind]
    with getattr(import_module(f"PIL.{module}"), opener)(io.BytesIO(content)) as image:
        _check_size(image.width, image.height, name)
        if kind == "JPEG" and not colours.hidden_in_jpeg(content):
            image.draft("L", None)  # decodes brightness alone
        image.load()
        return _upright(_grey(image), image)


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
            return colours.grey(image.convert("RGB"))
        grey, alpha = image.convert("L"), image.getchannel("A")
        opaque = Image.new("L", image.size, _backdrop(np.asarray(grey), np.asarray(alpha)))
        opaque.paste(grey, mask=alpha)
        return np.array(opaque)
    if image.mode == "LAB":
        return np.array(image.getchannel(0))
    if image.mode in ("RGB", "P"):
        return colours.grey(image.convert("RGB"))
    return np.array(image if image.mode == "L" else image.convert("L"))


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
