"""The work of the processes that read: the body of a request -> what is written in its pictures."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

from digits import pictures
from digits.bundle import CANVAS_SIDE
from digits.errors import DigitsError
from digits.pictures.grey import PictureTooLarge
from digits.reading import forms
from digits.reading.page import Page, page_of_one
from digits.serving.errors import RequestError
from digits.serving.reading_processes import requests
from digits.serving.reading_processes.messages import Kind, Reply, Task
from digits.serving.reading_processes.requests import MOST_PICTURES, Array


def predict(
    task: Task, pattern: str | None, count: int | None, regions: Sequence[str]
) -> Iterator[Reply]:
    """Answers with what is written in one picture, as JSON.

    Pattern, count and regions are for pictures; an array holds one digit. Raises a RequestError,
    422, if it is not a picture, or they cannot be.
    """
    (picture,) = requests.pictures(task.body, most=1)
    yield _answer(_read(task, picture, pattern, count, regions))


def predict_batch(task: Task) -> Iterator[Reply]:
    """Replies with what is written in each of several pictures as soon as it is read; one that
    cannot be read gets an error instead."""
    found = requests.pictures(task.body, MOST_PICTURES)
    if not task.done:
        yield Reply(Kind.COUNTED, total=len(found))
    for picture in found[task.done :]:
        if time.monotonic() > task.deadline:
            break
        try:
            yield _answer(_read(task, picture), Kind.PART)
        except RequestError as error:
            yield Reply(Kind.PART, json.dumps({"error": error.detail}).encode())
    yield Reply(Kind.ANSWER)


def _read(
    task: Task,
    picture: bytes | Array,
    pattern: str | None = None,
    count: int | None = None,
    regions: Sequence[str] = (),
) -> Page:
    """Reads what `requests.pictures` found."""
    reader = task.reader
    try:
        if isinstance(picture, bytes):
            boxes = [forms.region_of(text) for text in regions]
            grey = pictures.load(picture, task.most_pixels)
            return reader.examine(grey, pattern=pattern, count=count, regions=boxes)[0]
        if picture.shape == (CANVAS_SIDE, CANVAS_SIDE):
            return page_of_one(reader.canvas(picture))
        return page_of_one(reader.classify(picture))
    except PictureTooLarge:
        raise
    except DigitsError as error:
        raise RequestError(422, str(error)) from None


def _answer(page: Page, kind: Kind = Kind.ANSWER) -> Reply:
    accepted = sum(reading.accepted for reading in page.readings)
    content = json.dumps(page.answer, default=vars).encode()
    return Reply(kind, content, accepted=accepted, refused=len(page.readings) - accepted)
