"""Picture files that Pillow decodes, by itself or with the plugin pillow-heif."""

import io
from importlib import import_module
from typing import Any

from PIL import Image

from digits.errors import DigitsError
from digits.pictures import colours
from digits.pictures.grey import check_size

_PLUGINS = {  # the module that decodes files of a kind, and its class
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),  # since Pillow 11.3
    "HEIC": ("pillow_heif", "HeifImageFile"),
}
_SUBFILE_TYPE = 254  # TIFF's tag NewSubfileType
_NO_PAGE = 0b101  # its bits for a copy in low resolution and for a mask of transparency


def needs_extra(name: str, kind: str) -> DigitsError:
    """The error for a file of a kind whose decoder is not installed."""
    return DigitsError(
        f"{name} is {kind}, which takes more packages to read; install them with "
        "pip install 'mnist-classification[files]' and try again."
    )


class Frames:
    """The pages of a picture file that is open, counted from 0; none is decoded yet."""

    def __init__(self, content: bytes, kind: str, name: str, most_pixels: int) -> None:
        """Opens the file. Raises PictureTooLarge if opening it takes memory for all its pixels, and
        these are too many."""
        if kind == "WebP" and (size := _webp_size(content)):
            check_size(*size, name, most_pixels)
        # Not Image.open: it imports the decoders of other kinds too, which takes as long as the
        # rest.
        module, opener = _PLUGINS[kind]
        try:
            plugin = import_module(module)
        except ImportError:
            raise needs_extra(name, kind) from None
        if not getattr(plugin, "SUPPORTED", True):  # a Pillow that was built without this kind
            raise needs_extra(name, kind)
        self._image: Any = getattr(plugin, opener)(io.BytesIO(content))
        self._first = self._image.tell()  # of several pictures in a HEIC, the main one
        self._kind = kind
        self._content = content
        self._frames: list[int] = []  # of the pages, once they are counted

    def __len__(self) -> int:
        self._count()
        return len(self._frames)

    def image(self, number: int, name: str, most_pixels: int) -> Image.Image:
        """A page, not decoded yet, which the next call replaces. Raises PictureTooLarge."""
        if number:
            self._count()
        image: Image.Image = self._image
        image.seek(self._frames[number] if number else self._first)
        check_size(image.width, image.height, name, most_pixels)
        if self._kind == "JPEG" and not colours.hidden_in_jpeg(self._content):
            image.draft("L", None)  # decodes brightness alone
        return image

    def close(self) -> None:
        self._image.close()

    def _count(self) -> None:
        """Finds the pages. Of an animation, only the first frame is one."""
        if self._frames:
            return
        self._frames = [self._first]
        if self._kind == "HEIC":
            others = (frame for frame in range(self._image.n_frames) if frame != self._first)
            self._frames += others
        if self._kind != "TIFF":
            return
        frame = self._first
        while True:  # Pillow ends where a file's list of pages leads back into itself
            frame += 1
            try:
                self._image.seek(frame)
                if self._image.tag_v2.get(_SUBFILE_TYPE, 0) & _NO_PAGE:
                    continue
            except EOFError:
                return
            except Exception:  # a damaged list; who wants that page is told
                self._frames.append(frame)
                return
            self._frames.append(frame)


def _webp_size(content: bytes) -> tuple[int, int] | None:
    """Width and height as RFC 9649 has them, whose decoder makes room for both as it opens."""
    first, data = content[12:16], content[20:30]
    if len(data) < 10:
        return None
    if first == b"VP8X":
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if first == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if first == b"VP8 ":
        sides = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        return next(sides), next(sides)
    return None
