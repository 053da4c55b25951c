"""The bytes of a picture file, wherever they come from, and what messages call it."""

import os
from pathlib import Path
from typing import IO

from digits.errors import DigitsError

File = str | Path | bytes | IO[bytes]

LARGEST_FILE = 256 << 20  # bytes, four for each pixel of the largest picture


def name_of(source: object) -> str:
    """What messages call the picture."""
    if isinstance(source, (str, Path)):
        path = str(source) or "The empty path"
        return path if path.isprintable() else repr(path)
    name = getattr(source, "name", None)
    if name == "<stdin>":
        return "Standard input"
    return name if isinstance(name, str) else "The picture"


def content_of(source: object, name: str) -> bytes:
    """All of a file, whose size is checked first. Raises DigitsError if it is larger than
    `LARGEST_FILE`, cannot be read, or is not a `File` at all."""
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
        if isinstance(source, (list, tuple)):
            raise DigitsError(
                f"A {type(source).__name__} is not one picture; give its pictures to read_many or "
                "classify_many, or rows of pixels as numpy.asarray(rows)."
            )
        kind = f"{type(source).__module__}.{type(source).__qualname__}".removeprefix("builtins.")
        raise DigitsError(
            f"A picture is a path, bytes, a binary file, a NumPy array or a PIL image, not {kind}; "
            "give one of these, for example numpy.asarray(picture)."
        )
    if len(content) > LARGEST_FILE:
        raise DigitsError(too_large)
    return content
