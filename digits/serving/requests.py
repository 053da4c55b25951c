"""The body of an HTTP request -> pictures and arrays, or a problem that says what is wrong."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import numpy as np
from fastapi import Request
from numpy.typing import NDArray
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from digits.bundle import CANVAS_SIDE, DIGIT_SIDE
from digits.serving.problems import RequestError

Array = NDArray[np.uint8]

LARGEST_BODY = 16 << 20  # bytes
MOST_RECEIVED = 128 << 20  # bytes, in all bodies that are being received or worked on
BODY_SECONDS = 10  # in which a body must have come
MOST_PICTURES = 64  # in one request
PICTURES = (  # what follows image/ in their content types
    *("png", "jpeg", "gif", "bmp", "x-ms-bmp", "webp", "tiff"),
    *(f"x-portable-{kind}map" for kind in ("pix", "gray", "bit", "any")),
)
SIDES = {"pixels": DIGIT_SIDE, "canvas": CANVAS_SIDE}  # of what JSON may hold
TAKEN = "a picture (image/png, image/jpeg, ...), multipart/form-data, or application/json"


@dataclass
class Memory:
    """Bytes of bodies that this process may still hold."""

    left: int = MOST_RECEIVED


@asynccontextmanager
async def received(request: Request, memory: Memory) -> AsyncIterator[bytes]:
    """The whole body of a request, which counts as held within the block.

    Raises:
        RequestError: 413 if it is too large, 408 if it is too slow, 503 if too much else is held.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > LARGEST_BODY:
        raise _too_large()
    body = bytearray()

    async def collect() -> None:
        async for chunk in request.stream():
            if len(body) + len(chunk) > LARGEST_BODY:
                raise _too_large()
            if len(chunk) > memory.left:
                raise RequestError(
                    503, "Too much is being sent at once; try again soon.", {"Retry-After": "1"}
                )
            memory.left -= len(chunk)
            body.extend(chunk)

    try:
        try:
            with anyio.fail_after(BODY_SECONDS):  # asyncio's would make a task of it
                await collect()
        except TimeoutError:
            raise RequestError(
                408,
                f"The body did not come within {BODY_SECONDS} seconds; send it faster.",
                {"Connection": "close"},
            ) from None
        yield bytes(body)
    finally:
        memory.left += len(body)


def pictures(content_type: str, body: bytes, most: int) -> list[tuple[str, Array | bytes]]:
    """What a request to read brings.

    Args:
        content_type: its header.
        body: as `received`.
        most: pictures that it may bring.

    Returns:
        of each picture what it is, and its content: ("file", bytes of a picture file),
        ("pixels", uint8 of shape (28, 28)) or ("canvas", uint8 of shape (256, 256)).

    Raises:
        RequestError: 400, 413, 415 or 422.
    """
    media, options = parse_options_header(content_type or None)
    kind, _, subtype = media.decode("latin-1").lower().partition("/")
    found: list[tuple[str, Array | bytes]]
    if kind == "image" and subtype in PICTURES:
        found = [("file", body)]
    elif (kind, subtype) == ("multipart", "form-data"):
        found = [("file", content) for content in files(body, options.get(b"boundary", b""), most)]
    elif (kind, subtype) == ("application", "json"):
        found = list(arrays(parsed(body), most))
    else:
        named = f"{content_type!r:.80}" if content_type else "no content type"
        raise RequestError(415, f"The body has {named}; send {TAKEN}.")
    if kind != "application" and not all(len(content) for _, content in found):
        raise RequestError(422, "The picture is empty; send the content of a picture file.")
    return found


def parsed(body: bytes) -> Any:
    """A body of JSON.

    Raises:
        RequestError: 400, it is none; NaN and infinities are not.
    """

    def refused(name: str) -> None:
        raise ValueError(f"{name} is no number of JSON")

    try:
        return json.loads(body, parse_constant=refused)
    except (ValueError, RecursionError) as error:  # the latter of brackets within brackets
        reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise RequestError(400, f"The body is no JSON ({reason:.120}).") from None


def arrays(content: Any, most: int) -> list[tuple[str, Array]]:
    """The arrays of JSON like {"canvas": rows} or, where several may be, {"canvas": [rows, ...]}.

    Raises:
        RequestError: 422, it is something else; 413, there are too many.
    """
    keys = " or ".join(f'"{key}" ({side}×{side})' for key, side in SIDES.items())
    wanted = f"send an object with {keys}, rows of whole numbers from 0 to 255"
    if not isinstance(content, Mapping) or len(content.keys() & SIDES.keys()) != 1:
        raise RequestError(422, f"The JSON holds no picture; {wanted}.")
    (key,) = content.keys() & SIDES.keys()
    many = content[key] if most > 1 else [content[key]]
    if not isinstance(many, list) or not many:
        raise RequestError(422, f'"{key}" is no list of pictures; {wanted}.')
    if len(many) > most:
        raise too_many(len(many), most)
    return [(key, _array(rows, key)) for rows in many]


def _array(rows: Any, key: str) -> Array:
    side = SIDES[key]
    try:
        array = np.array(rows)
    except (ValueError, TypeError, OverflowError):  # rows of unequal length
        array = np.array(None)
    if array.shape != (side, side) or not np.issubdtype(array.dtype, np.number):
        shape = "×".join(map(str, array.shape)) or "something else"
        raise RequestError(422, f'"{key}" must be {side} rows of {side} numbers, not {shape:.40}.')
    outside = array[(array < 0) | (array > 255) | (array != np.floor(array))]
    if outside.size:
        raise RequestError(
            422, f'"{key}" must hold whole numbers from 0 to 255, not {outside[0]!s:.24}.'
        )
    return array.astype(np.uint8)


def files(body: bytes, boundary: bytes, most: int) -> list[bytes]:
    """Content of the fields `file` of a form.

    Raises:
        RequestError: 400, it is no such form; 422, it has none of them; 413, it has too many.
    """
    if not boundary:
        raise RequestError(400, "The form's content type names no boundary; let a library send it.")
    found: list[bytearray] = []
    names: list[str] = []
    header = bytearray(), bytearray()

    def header_end() -> None:
        field, value = (bytes(part) for part in header)
        if field.lower() == b"content-disposition":
            _, options = parse_options_header(value)
            names[-1] = options.get(b"name", b"").decode("utf-8", "replace")
        for part in header:
            part.clear()

    def headers_finished() -> None:
        if names[-1] == "file":
            found.append(bytearray())

    def part_data(data: bytes, start: int, end: int) -> None:
        if names[-1] == "file":
            found[-1].extend(data[start:end])

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": lambda: names.append(""),
                "on_header_field": lambda data, start, end: header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: header[1].extend(data[start:end]),
                "on_header_end": header_end,
                "on_headers_finished": headers_finished,
                "on_part_data": part_data,
            },
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise RequestError(400, f"The body is no multipart form ({error!s:.120}).") from None
    if not found:
        others = f", only {', '.join(map(repr, names[:5]))}" if names else ""
        raise RequestError(
            422, f"The form has no field 'file'{others:.120}; send the picture in it."
        )
    if len(found) > most:
        raise too_many(len(found), most)
    return [bytes(content) for content in found]


def too_many(count: int, most: int) -> RequestError:
    several = "" if most > 1 else "; several go to /predict/batch"
    return RequestError(
        413, f"{count} pictures are more than the {most} that are read at once{several}."
    )


def _too_large() -> RequestError:
    return RequestError(
        413,
        f"The body has more than {LARGEST_BODY >> 20} MB; make the picture smaller.",
        {"Connection": "close"},
    )
