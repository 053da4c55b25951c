"""Digits that people have corrected, taken into a folder from which `digits teach` learns.

Only a service that was started with `--collect` does. Each digit becomes DIR/7/HASH.png, named for
its pixels, so that the same digit is there once however often it is sent.
"""

import base64
import binascii
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import numpy as np
from fastapi import FastAPI, Request, Response
from PIL import Image
from typing_extensions import TypedDict

from digits import pictures
from digits.bundle import CANVAS_SIDE, DIGIT_SIDE
from digits.files import replacing
from digits.pictures.grey import Grey
from digits.serving import openapi
from digits.serving.errors import RequestError
from digits.serving.reading_processes import requests
from digits.serving.reading_processes.messages import Kind, Reply, Task
from digits.serving.reading_processes.pool import ReadingProcesses

LABELS = (*map(str, range(10)), "none")  # of the folders that `digits teach` reads
SIDES = (DIGIT_SIDE, CANVAS_SIDE)
MOST_IN_REQUEST = 500
MOST_KEPT = 50_000  # digits in the folder, some 100 MB
BEFORE = "data:image/png;base64,"

DIGIT = openapi.object_of(
    ["label", "picture"],
    label=openapi.one_of(LABELS),
    picture={"type": "string", "pattern": f"^{BEFORE}", "description": "28×28 or 256×256, grey"},
)
FORM = {"type": "object", "properties": dict.fromkeys(LABELS, openapi.FILE)}
BODY = {
    "application/json": {
        "schema": openapi.object_of(["digits"], digits=openapi.array_of(DIGIT, 1, MOST_IN_REQUEST))
    },
    "multipart/form-data": {"schema": FORM},
}


class Collected(TypedDict):
    """How many digits there are, all or those of a request, and in which folder."""

    kept: int
    folder: str


def install(app: FastAPI, folder: Path, pool: ReadingProcesses, origins: Sequence[str]) -> None:
    """Adds the path to an application; pages of other origins than `origins` may not send."""

    @app.get("/collect", tags=["collecting"])
    async def collection(request: Request) -> Collected:
        """Where corrected digits are taken, and how many are there. 404 if none are taken."""
        return Collected(kept=await anyio.to_thread.run_sync(count, folder), folder=str(folder))

    @app.post(
        "/collect",
        tags=["collecting"],
        response_model=Collected,
        **openapi.operation(403, *openapi.OF_BODY, body=BODY),
    )
    async def collect(request: Request) -> Response:
        """Keeps digits, ink bright on black, with what they are: in a form, each file's field is
        its label. Answers with how many of them are in the folder now. Of a request that gets 503,
        or no answer, some may be kept; send it again: the same digit is there once."""
        origin = request.headers.get("origin")
        own = not origin or urlsplit(origin).netloc == request.headers.get("host")
        if not own and "*" not in origins and origin not in origins:
            raise RequestError(403, f"Pages of {origin:.80} may not send digits here.")
        return await pool.run(request, partial(keep, folder=folder))


def count(folder: Path) -> int:
    """How many digits are in a folder."""
    found = 0
    for label in LABELS:
        if (folder / label).is_dir():
            with os.scandir(folder / label) as files:
                found += sum(file.name.endswith(".png") for file in files)
    return found


def keep(task: Task, folder: Path) -> Iterator[Reply]:
    """Writes the digits of a request into a folder, and answers with how many of them are there,
    which counts the same digit once.

    Raises a RequestError: 400, 413, 415 or 422, one of them is not a digit as it should be, or the
    folder is full, and none are written; 503, it cannot be written, and those before are kept, for
    another request may have counted on them.
    """
    found = [(label, _pixels(content)) for label, content in _digits(task)]
    files = {
        folder / label / f"{hashlib.sha256(digit.tobytes()).hexdigest()[:32]}.png": digit
        for label, digit in found
    }
    new = {path: digit for path, digit in files.items() if not path.exists()}
    if count(folder) + len(new) > MOST_KEPT:
        detail = f"{folder} holds {MOST_KEPT:,} digits, as many as are taken; empty it first."
        raise RequestError(413, detail)
    try:
        for path, digit in new.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                Image.fromarray(digit).save(file, "PNG")
    except OSError as error:
        detail = f"{folder} cannot be written ({error.strerror or error}); try again later."
        raise RequestError(503, detail) from None
    answer = Collected(kept=len(files), folder=str(folder))
    yield Reply(Kind.ANSWER, json.dumps(answer).encode())


def _digits(task: Task) -> list[tuple[str, bytes]]:
    """The label and the picture file of each digit in a request."""
    kind, content = requests.media_type(task.body), requests.content_of(task.body)
    if kind == "multipart/form-data":
        form = requests.form(task.body.content_type, content)
        found = [(key, field) for key, field in form.multi_items() if not isinstance(field, str)]
        digits = [(key, requests.content_of_file(field)) for key, field in found]
    elif kind == "application/json":
        digits = [*_of_json(requests.parsed(content))]
    else:
        raise RequestError(415, "Send digits as application/json or multipart/form-data.")
    if not digits:
        raise RequestError(422, 'There are no digits in the request; send {"digits": [...]}.')
    if len(digits) > MOST_IN_REQUEST:
        detail = f"The request has {len(digits):,} digits, more than the {MOST_IN_REQUEST} allowed."
        raise RequestError(413, detail)
    for label, _ in digits:
        if label not in LABELS:
            raise RequestError(422, f"A label is {label!r:.40}, not 0 to 9 or none.")
    return digits


def _of_json(content: Any) -> Iterator[tuple[str, bytes]]:
    wanted = f'send {{"digits": [{{"label": "7", "picture": "{BEFORE}..."}}, ...]}}'
    digits = content.get("digits") if isinstance(content, Mapping) else None
    if not isinstance(digits, list):
        raise RequestError(422, f"The JSON contains no digits; {wanted}.")
    for digit in digits:
        match digit:
            case {"label": str(label), "picture": str(picture)} if picture.startswith(BEFORE):
                try:
                    yield label, base64.b64decode(picture.removeprefix(BEFORE), validate=True)
                except (binascii.Error, ValueError):
                    raise RequestError(422, "A picture is not valid base64.") from None
            case _:
                raise RequestError(422, f"A digit is not as it should be; {wanted}.")


def _pixels(content: bytes) -> Grey:
    """The pixels of a digit's picture; raises a RequestError, 422."""
    wanted = "a picture must be a PNG of 28×28 or 256×256 pixels, ink bright on black"
    try:
        if not content.startswith(b"\x89PNG"):
            raise RequestError(422, f"A file is no PNG; {wanted}.")
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.size not in [(side, side) for side in SIDES]:
                given = f"{image.width}×{image.height}"
                raise RequestError(422, f"A picture is {given} pixels; {wanted}.")
        digit = pictures.load(content)
    except (RequestError, MemoryError):
        raise
    except Exception:  # on a damaged file a decoder raises anything
        raise RequestError(422, f"A picture is damaged; {wanted}.") from None
    if np.ptp(digit) == 0:
        raise RequestError(422, f"A picture is blank; {wanted}.")
    return digit
