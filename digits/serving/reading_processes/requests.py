"""What is in the body of a request: pictures as files, in a form, or as arrays in JSON."""

import asyncio
import gzip
import io
import json
import zlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from digits.bundle import CANVAS_SIDE, DIGIT_SIDE
from digits.serving.errors import RequestError
from digits.serving.reading_processes.bodies import LARGEST_BODY, TOO_LARGE
from digits.serving.reading_processes.messages import Body

Array = NDArray[np.uint8]

MOST_PICTURES = 64  # in one request
PICTURES = (
    *(f"image/{kind}" for kind in ("png", "jpeg", "gif", "bmp", "x-ms-bmp", "webp", "tiff")),
    *("image/heic", "image/heif", "image/avif", "application/pdf"),
    *(f"image/x-portable-{kind}map" for kind in ("pix", "gray", "bit", "any")),
)
SIDES = {"pixels": DIGIT_SIDE, "canvas": CANVAS_SIDE}  # of the arrays that JSON may hold


def content_of(body: Body) -> bytes | bytearray:
    """The content of a body, unpacked if it came packed by gzip. Raises a RequestError, 400, 413 or
    415."""
    encoding = body.encoding.strip().lower()
    if encoding in ("", "identity"):
        return body.content
    if encoding not in ("gzip", "x-gzip"):
        detail = f"Content-Encoding is {encoding!r:.40}; send gzip, or the content as it is."
        raise RequestError(415, detail)
    try:  # of all members that it has, which belong together
        with gzip.GzipFile(fileobj=io.BytesIO(body.content)) as packed:
            content = packed.read(LARGEST_BODY + 1)
    except EOFError:
        raise RequestError(400, "The body is not valid gzip (it is cut short).") from None
    except (OSError, zlib.error) as error:
        raise RequestError(400, f"The body is not valid gzip ({error!s:.80}).") from None
    if len(content) > LARGEST_BODY:
        raise RequestError(413, TOO_LARGE)
    return content


def media_type(body: Body) -> str:
    """What the header says that a body is, without parameters."""
    return body.content_type.partition(";")[0].strip().lower()


def form(content_type: str, content: bytes | bytearray) -> FormData:
    """The fields of a multipart form, which are in memory. Raises a RequestError, 400."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield bytes(content)

    headers = Headers({"content-type": content_type})
    parser = MultiPartParser(headers, stream(), max_part_size=LARGEST_BODY)
    parser.spool_max_size = LARGEST_BODY + 1  # nothing goes to a temporary file
    try:
        return asyncio.run(parser.parse())
    except MultiPartException as error:
        reason = error.message.rstrip(".")
        raise RequestError(400, f"The body is not a valid multipart form ({reason}).") from None


def pictures(body: Body, most: int) -> list[Array | bytes]:
    """The pictures in a request, `most` or fewer: of each picture file its bytes; of each array
    uint8 of shape (28, 28) or (256, 256). Raises a RequestError, 400, 413, 415 or 422."""
    kind, content = media_type(body), content_of(body)
    if kind == "application/json":
        return [*_arrays(parsed(content), most)]
    if kind in PICTURES:
        found = [bytes(content)]
    elif kind == "multipart/form-data":
        found = _files(form(body.content_type, content), most)
    else:
        given = (
            f"content type {body.content_type!r:.80}" if body.content_type else "no content type"
        )
        raise RequestError(
            415,
            f"The body has {given}; send a picture (image/png, image/jpeg, ...), "
            "multipart/form-data or application/json.",
        )
    if not all(found):
        raise RequestError(422, "The picture is empty; send the content of a picture file.")
    return [*found]


def _files(fields: FormData, most: int) -> list[bytes]:
    """The content of the files of a form, which are in fields named `file`."""
    found = fields.getlist("file")
    if not found:
        others = ", ".join(repr(name) for name, _ in fields.multi_items()[:5])
        only = f", only {others}" if others else ""
        raise RequestError(422, f"The form has no field 'file'{only:.120}; send the picture in it.")
    check_number(len(found), most)
    contents = [content_of_file(field) for field in found if not isinstance(field, str)]
    if len(contents) < len(found):
        raise RequestError(
            422, "The form's field 'file' is not a file; send the picture with a file name."
        )
    return contents


def content_of_file(field: UploadFile) -> bytes:
    """What is in a file of a form, which is closed."""
    with field.file as file:
        return file.read()


def parsed(content: bytes | bytearray) -> Any:
    """A body of JSON; raises a RequestError, 400, if it is not valid, as with NaN or infinities."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not a number in JSON")

    try:
        return json.loads(content, parse_constant=refuse)
    except (ValueError, RecursionError) as error:  # the latter for brackets within brackets
        reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise RequestError(400, f"The body is not valid JSON ({reason:.120}).") from None


def _arrays(content: Any, most: int) -> list[Array]:
    """The arrays of {"canvas": rows} or, if `most` is above 1, {"canvas": [rows, ...]}."""
    keys = " or ".join(f'"{key}" ({side}×{side})' for key, side in SIDES.items())
    wanted = f"send an object with {keys}, rows of whole numbers from 0 to 255"
    if not isinstance(content, Mapping) or len(content.keys() & SIDES.keys()) != 1:
        raise RequestError(422, f"The JSON contains no picture; {wanted}.")
    (key,) = content.keys() & SIDES.keys()
    many = content[key] if most > 1 else [content[key]]
    if not isinstance(many, list) or not many:
        raise RequestError(422, f'"{key}" is not a list of pictures; {wanted}.')
    check_number(len(many), most)
    side = SIDES[key]
    wanted = f'"{key}" must be {side} rows of {side} whole numbers from 0 to 255'
    return [as_bytes(rows, (side, side), wanted) for rows in many]


def as_bytes(data: Any, shape: tuple[int, ...], wanted: str) -> Array:
    """JSON's whole numbers from 0 to 255 in lists of this shape, or (n,) for any nesting, as uint8.
    Raises a RequestError, 422, that begins with `wanted`, if the data is anything else."""
    try:
        array = np.array(data)
    except (ValueError, TypeError, OverflowError):  # rows of unequal length
        array = np.array(None)
    if not np.issubdtype(array.dtype, np.number):
        raise RequestError(422, f"{wanted}.")
    if shape not in (array.shape, (array.size,)):
        given = "×".join(map(str, array.shape)) or array
        raise RequestError(422, f"{wanted}, not {given!s:.40}.")
    outside = array[(array < 0) | (array > 255) | (array != np.floor(array))]
    if outside.size:
        raise RequestError(422, f"{wanted}, not {outside[0]!s:.24}.")
    return array.astype(np.uint8).reshape(shape)


def check_number(count: int, most: int) -> None:
    """Raises a RequestError, 413, if a request has more than `most` pictures."""
    if count > most:
        several = "" if most > 1 else "; send several to /predict/batch"
        detail = f"The request has {count} pictures, more than the {most} allowed{several}."
        raise RequestError(413, detail)
