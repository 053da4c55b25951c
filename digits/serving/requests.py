"""Requests: how many are read at once, how large and slow they may be, and the pictures in them."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import anyio
import numpy as np
from fastapi import Request
from numpy.typing import NDArray
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from digits.bundle import CANVAS_SIDE, DIGIT_SIDE
from digits.serving import telemetry
from digits.serving.problems import RequestError

Array = NDArray[np.uint8]
Answer = TypeVar("Answer")

LARGEST_BODY = 16 << 20  # bytes
MOST_RECEIVED = 128 << 20  # bytes, of all bodies that are being received or read in a process
BODY_SECONDS = 10  # within which a body must arrive
MOST_WAITING = 16  # requests that are read or wait for a thread, in each process
MOST_PICTURES = 64  # in one request
PICTURES = (
    *(f"image/{kind}" for kind in ("png", "jpeg", "gif", "bmp", "x-ms-bmp", "webp", "tiff")),
    *("image/heic", "image/heif", "image/avif", "application/pdf"),
    *(f"image/x-portable-{kind}map" for kind in ("pix", "gray", "bit", "any")),
)
SIDES = {"pixels": DIGIT_SIDE, "canvas": CANVAS_SIDE}  # of the arrays that JSON may hold
RETRY = {"Retry-After": "1"}
CLOSE = {"Connection": "close"}  # the rest of the body is not received
TOO_LARGE = f"The body is larger than {LARGEST_BODY >> 20} MB; make the picture smaller."


class Body(NamedTuple):
    """A request with all bytes of its body, and its fields if that is a form."""

    headers: Headers
    content: bytes
    form: FormData


class ReadingThreads:
    """The threads that read, so that the event loop is free, and limits on what waits for them."""

    def __init__(self, count: int) -> None:
        self.pool = ThreadPoolExecutor(count, "reader")
        self.places = asyncio.Semaphore(MOST_WAITING)
        self.memory = MOST_RECEIVED  # bytes left for bodies

    async def run(self, request: Request, work: Callable[[Body], Answer]) -> Answer:
        """Runs `work` on a request's body in one of the threads, and returns its result.

        Raises:
            RequestError: 413, the body is too large; 408, too slow; 400, not the form that it
                claims to be; 503, there is too much else to do.
        """
        self._check_places()
        received, form = bytearray(), FormData()  # in memory until the answer is ready
        try:
            await self._receive(request, received)
            content = bytes(received)
            form = await _form(request.headers, content)
            self._check_places()
            async with self.places:
                with telemetry.WAITING.track_inprogress():
                    body, loop = Body(request.headers, content, form), asyncio.get_running_loop()
                    return await loop.run_in_executor(self.pool, work, body)
        finally:
            self.memory += len(received)
            await form.close()

    def _check_places(self) -> None:
        if self.places.locked():
            raise RequestError(503, "Too many requests are waiting; try again soon.", RETRY)

    async def _receive(self, request: Request, received: bytearray) -> None:
        """Appends the body of a request to `received`, and takes its length from `memory`."""
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > LARGEST_BODY:
            raise RequestError(413, TOO_LARGE, CLOSE)
        try:
            with anyio.fail_after(BODY_SECONDS):  # asyncio's would start a task
                async for chunk in request.stream():
                    if len(received) + len(chunk) > LARGEST_BODY:
                        raise RequestError(413, TOO_LARGE, CLOSE)
                    if len(chunk) > self.memory:
                        detail = "Too much is being sent at once; try again soon."
                        raise RequestError(503, detail, RETRY)
                    self.memory -= len(chunk)
                    received.extend(chunk)
        except TimeoutError:
            detail = f"The body did not arrive within {BODY_SECONDS} seconds; send it faster."
            raise RequestError(408, detail, CLOSE) from None


async def _form(headers: Headers, content: bytes) -> FormData:
    """The fields of a multipart form; none of any other body."""
    if _media_type(headers) != "multipart/form-data":
        return FormData()

    async def stream() -> AsyncGenerator[bytes, None]:
        yield content

    parser = MultiPartParser(headers, stream(), max_part_size=LARGEST_BODY)
    parser.spool_max_size = LARGEST_BODY + 1  # nothing goes to a temporary file
    try:
        return await parser.parse()
    except MultiPartException as error:
        reason = error.message.rstrip(".")
        raise RequestError(400, f"The body is not a valid multipart form ({reason}).") from None


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def pictures(body: Body, most: int) -> list[Array | bytes]:
    """The pictures in a request, `most` or fewer: of each picture file its bytes; of each array
    uint8 of shape (28, 28) or (256, 256). Raises a RequestError, 400, 413, 415 or 422."""
    media_type = _media_type(body.headers)
    if media_type == "application/json":
        return [*_arrays(parsed(body.content), most)]
    if media_type in PICTURES:
        found = [body.content]
    elif media_type == "multipart/form-data":
        found = _files(body.form, most)
    else:
        content_type = body.headers.get("content-type")
        given = f"content type {content_type!r:.80}" if content_type else "no content type"
        raise RequestError(
            415,
            f"The body has {given}; send a picture (image/png, image/jpeg, ...), "
            "multipart/form-data or application/json.",
        )
    if not all(found):
        raise RequestError(422, "The picture is empty; send the content of a picture file.")
    return [*found]


def _files(form: FormData, most: int) -> list[bytes]:
    """The content of the files of a form, which are in fields named `file`."""
    found = form.getlist("file")
    if not found:
        others = ", ".join(repr(name) for name, _ in form.multi_items()[:5])
        only = f", only {others}" if others else ""
        raise RequestError(422, f"The form has no field 'file'{only:.120}; send the picture in it.")
    check_number(len(found), most)
    contents = [field.file.read() for field in found if not isinstance(field, str)]
    if len(contents) < len(found):
        raise RequestError(
            422, "The form's field 'file' is not a file; send the picture with a file name."
        )
    return contents


def parsed(content: bytes) -> Any:
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
