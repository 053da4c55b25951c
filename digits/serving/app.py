"""The service as an ASGI application: what each path answers."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from typing_extensions import TypedDict

from digits import bundle
from digits.errors import DigitsError
from digits.reading import forms
from digits.reading.answers import PageAnswer
from digits.reading.page import page_of_one
from digits.reading.reader import Reader
from digits.serving import inference_protocol, openapi, problems, requests, static_files, telemetry
from digits.serving.openapi import Route
from digits.serving.problems import RequestError
from digits.serving.requests import MOST_PICTURES, Array, Body, ReadingThreads

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Unread(TypedDict):
    """Why a picture of a batch cannot be read; takes the place of its `PageAnswer`."""

    error: str


class BatchAnswer(TypedDict):
    """What was read in the pictures of a batch, in their order."""

    pictures: list[PageAnswer | Unread]


class Liveness(TypedDict):
    """The process is alive; its number."""

    status: str
    process: int


class Readiness(TypedDict):
    """The process can read; the SHA-256 of its model."""

    status: str
    model: str


PATTERN = "the form that each line is known to have: # for a digit, and any of . , - / : ( ) + ="
COUNT = "how many digits each line is known to have"
REGION = "x,y,width,height in pixels of what alone is read; may be repeated"


def create_app(reader: Reader, page: Path | None = None, processes: int = 1) -> FastAPI:
    """Builds the whole service.

    Args:
        reader: what reads.
        page: the folder of the web page, as `digits site` writes it; without it there is none.
        processes: how many processes with this application share the cores.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = max(1, (available or 1) // processes)
    threads = ReadingThreads(count)  # each with an interpreter of its own

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        blank = np.zeros((bundle.CANVAS_SIDE, bundle.CANVAS_SIDE), np.uint8)
        list(threads.pool.map(reader.canvas, [blank] * count))  # no request waits for loading
        yield
        threads.pool.shutdown()

    app = FastAPI(
        title="digits",
        description="Reads handwritten digits in pictures.",
        version=version("mnist-classification"),
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.router.route_class = Route
    problems.install(app)
    app.add_middleware(telemetry.Middleware, headers=HEADERS)

    @app.post(
        "/predict",
        tags=["reading"],
        **openapi.operation(*openapi.OF_BODY, body=openapi.pictures_body(most=1)),
    )
    async def predict(
        request: Request,
        pattern: Annotated[str | None, Query(description=PATTERN)] = None,
        count: Annotated[int | None, Query(description=COUNT)] = None,
        region: Annotated[list[str] | None, Query(description=REGION)] = None,
    ) -> PageAnswer:
        """Reads one picture."""

        def work(body: Body) -> PageAnswer:
            (picture,) = requests.pictures(body, most=1)
            return read(reader, picture, pattern, count, region or ())

        return await threads.run(request, work)

    @app.post(
        "/predict/batch",
        tags=["reading"],
        **openapi.operation(*openapi.OF_BODY, body=openapi.pictures_body(MOST_PICTURES)),
    )
    async def predict_batch(request: Request) -> BatchAnswer:
        """Reads several pictures; one that cannot be read gets an error instead of digits."""

        def work(body: Body) -> BatchAnswer:
            answers: list[PageAnswer | Unread] = []
            for picture in requests.pictures(body, MOST_PICTURES):
                try:
                    answers.append(read(reader, picture))
                except RequestError as error:
                    answers.append(Unread(error=error.detail))
            return BatchAnswer(pictures=answers)

        return await threads.run(request, work)

    @app.get("/healthz", tags=["operation"])
    async def healthz(request: Request) -> Liveness:
        """Whether the process is alive, and its number."""
        return Liveness(status="alive", process=os.getpid())

    @app.get("/readyz", tags=["operation"])
    async def readyz(request: Request) -> Readiness:
        """Whether the process has loaded its model and can read, and the model's SHA-256."""
        return Readiness(status="ready", model=reader.manifest["files"][bundle.MODEL])

    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """Counts for Prometheus."""
        return telemetry.metrics()

    @app.get("/docs", tags=["operation"], response_class=HTMLResponse)
    async def docs(request: Request) -> Response:
        """This description."""
        return openapi.page(app.openapi(), str(request.base_url).rstrip("/"))

    inference_protocol.install(app, reader, threads)
    if page is not None:
        static_files.install(app, page)
    return app


def read(
    reader: Reader,
    picture: bytes | Array,
    pattern: str | None = None,
    count: int | None = None,
    regions: Sequence[str] = (),
) -> PageAnswer:
    """Reads what `requests.pictures` found.

    Pattern, count and regions are for pictures; an array holds one digit. Raises a RequestError,
    422, if it is not a picture, or they cannot be.
    """
    try:
        if isinstance(picture, bytes):
            boxes = [forms.region_of(text) for text in regions]
            page = reader.read(picture, pattern=pattern, count=count, regions=boxes)
        elif picture.shape == (bundle.CANVAS_SIDE, bundle.CANVAS_SIDE):
            page = page_of_one(reader.canvas(picture))
        else:
            page = page_of_one(reader.classify(picture))
    except DigitsError as error:
        raise RequestError(422, str(error)) from None
    for reading in page.readings:
        telemetry.READINGS.labels("yes" if reading.accepted else "no").inc()
    return page.answer
