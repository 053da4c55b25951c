"""Files and requests that are made to do harm."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from benchmarks.harness import http_load


def png(width: int, height: int, colour_type: int = 0, bits: int = 8) -> bytes:
    """A PNG of zeros: the smallest file with so many pixels."""
    samples = {0: 1, 2: 3, 6: 4}[colour_type]
    size = height * (1 + (width * samples * bits + 7) // 8)
    packing, piece = zlib.compressobj(9), bytes(1 << 20)
    packed = b"".join(packing.compress(piece) for _ in range(size >> 20))
    packed += packing.compress(bytes(size & (len(piece) - 1))) + packing.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )


def blank(kind: str, width: int, height: int, **settings: object) -> bytes:
    """A picture of one colour as a file of a kind that Pillow writes."""
    content = io.BytesIO()
    Image.new("L" if kind != "WEBP" else "RGB", (width, height)).save(content, kind, **settings)
    return content.getvalue()


def striped(side: int = 1600) -> bytes:
    """A picture that takes long to read: stripes, all of them ink."""
    pixels = np.full((side, side), 255, np.uint8)
    pixels[:, ::6] = 0
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def batch(content: bytes, count: int) -> bytes:
    """A request to read a picture so many times."""
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = b"".join(part + content + b"\r\n" for _ in range(count)) + b"--x--\r\n"
    return http_load.post("/predict/batch", "multipart/form-data; boundary=x", body)


def predict(content: bytes, kind: str = "image/png", encoding: str = "") -> bytes:
    """A request to read one picture."""
    request = http_load.post("/predict", kind, content)
    if encoding:
        request = request.replace(b"\r\n", f"\r\nContent-Encoding: {encoding}\r\n".encode(), 1)
    return request
