"""One picture, in files of every kind that is read."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
from PIL import Image

from digits.pictures.grey import Grey


def seven() -> Grey:
    """A dark 7 on light paper, 31 wide and 40 high, unlike its mirror images and rotations."""
    paper = np.full((40, 31), 230, np.uint8)
    paper[8:11, 8:20] = 20
    paper[8:33, 17:20] = 20
    return paper


def shows_seven(grey: Grey) -> bool:
    """Whether a picture shows `seven()`, but for a few levels."""
    return grey.shape == (40, 31) and int(np.abs(grey.astype(int) - seven()).max()) <= 3


pillow_heif.register_heif_opener()  # or Pillow could not write it
GREY = Image.fromarray(seven())
RGB = GREY.convert("RGB")
UPRIGHT = {  # by EXIF orientation: what a camera held that way would store
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
DRAWING = Image.merge("LA", (Image.new("L", GREY.size), Image.fromarray(255 - seven())))


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def animated(form: str) -> bytes:
    return encoded(RGB, form, save_all=True, append_images=[RGB.rotate(90), RGB.rotate(180)])


WIDE = Image.fromarray(seven().astype(np.uint16) * 257)
FILES = {  # lossless or nearly so; each shows `seven()`
    "png": encoded(GREY, "PNG"),
    "png, RGB": encoded(RGB, "PNG"),
    "png, RGBA": encoded(RGB.convert("RGBA"), "PNG"),
    "png, palette": encoded(RGB.quantize(4), "PNG"),
    "png, 16 bits": encoded(WIDE, "PNG"),
    "png, animated": animated("PNG"),
    "jpeg": encoded(GREY, "JPEG", quality=100),
    "jpeg, RGB": encoded(RGB, "JPEG", quality=100),
    "jpeg, CMYK": encoded(RGB.convert("CMYK"), "JPEG", quality=100),
    "jpeg, progressive": encoded(RGB, "JPEG", quality=100, progressive=True),
    "jpeg, of a phone that appends a second": encoded(
        RGB, "MPO", quality=100, save_all=True, append_images=[RGB.rotate(90)]
    ),
    "gif": encoded(RGB, "GIF"),
    "gif, animated": animated("GIF"),
    "bmp": encoded(RGB, "BMP"),
    "bmp, palette": encoded(RGB.quantize(4), "BMP"),
    "webp": encoded(RGB, "WEBP", lossless=True),
    "webp, animated": encoded(
        RGB, "WEBP", lossless=True, save_all=True, append_images=[RGB.rotate(90)]
    ),
    "tiff": encoded(GREY, "TIFF"),
    "tiff, LZW": encoded(RGB, "TIFF", compression="tiff_lzw"),
    "tiff, CMYK": encoded(RGB.convert("CMYK"), "TIFF"),
    "tiff, L*a*b*": encoded(
        Image.merge("LAB", (GREY, Image.new("L", GREY.size), Image.new("L", GREY.size))), "TIFF"
    ),
    "tiff, 16 bits": encoded(WIDE, "TIFF"),
    "tiff, 32 bits": encoded(Image.fromarray(seven().astype(np.int32) * 257), "TIFF"),
    "tiff, floats": encoded(Image.fromarray(seven().astype(np.float32) / 255), "TIFF"),
    "tiff, several pages": animated("TIFF"),
    "heic": encoded(RGB, "HEIF", quality=-1, chroma=444),
    "heic, grey": encoded(GREY, "HEIF", quality=-1),
    "heic, several pictures": encoded(
        RGB.rotate(90),
        "HEIF",
        quality=-1,
        chroma=444,
        save_all=True,
        append_images=[RGB],
        primary_index=1,
    ),
    "avif": encoded(RGB, "AVIF", quality=100, subsampling="4:4:4"),
    "avif, grey": encoded(GREY, "AVIF", quality=100),
    "avif, animated": encoded(
        RGB, "AVIF", quality=100, save_all=True, append_images=[RGB.rotate(90)]
    ),
    "pdf": encoded(RGB, "PDF", quality=100, resolution=300),
    "pdf, several pages": encoded(
        RGB, "PDF", quality=100, resolution=300, save_all=True, append_images=[RGB.rotate(90)]
    ),
    "ppm": encoded(RGB, "PPM"),
    "pgm": encoded(GREY, "PPM"),
    "pgm, 16 bits": encoded(WIDE, "PPM"),
}


def png_chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
