"""The service as an ASGI application: what each path answers."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from typing_extensions import TypedDict

from digits import bundle
from digits.reading.answers import PageAnswer
from digits.reading.reader import Reader
from digits.serving import collecting, openapi, problems, static_files, telemetry
from digits.serving.connections import access as access_module
from digits.serving.connections.access import Access
from digits.serving.errors import RequestError
from digits.serving.inference_protocol import paths
from digits.serving.openapi import Route
from digits.serving.reading_processes import answers, memory
from digits.serving.reading_processes.memory import Budget
from digits.serving.reading_processes.messages import INFERENCE_LENGTH
from digits.serving.reading_processes.pool import RETRY, ReadingProcesses
from digits.serving.reading_processes.requests import MOST_PICTURES

FLUSH_SECONDS = 0.1
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
    """Why a picture of a batch was not read; takes the place of its `PageAnswer`."""

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


def create_app(
    reader: Reader,
    page: Path | None = None,
    processes: int = 1,
    access: Access = Access(),  # noqa: B008 - it is frozen
    collect: Path | None = None,
) -> FastAPI:
    """Builds the whole service.

    Args:
        reader: what reads, in processes of its own; they get a copy of it.
        page: the folder of the web page, as `digits site` writes it; without it there is none.
        processes: how many processes with this application share the machine.
        access: who may ask for what.
        collect: a folder that digits are taken into, see `collecting`; without it none are.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    budget = Budget.of(memory.available() // processes, max(1, (cores or 1) // processes))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await pool.start()
        yield
        await asyncio.sleep(FLUSH_SECONDS)  # for answers to what uvicorn has just cancelled
        await pool.stop()

    pool = ReadingProcesses(reader, budget)
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
    is_public = static_files.install(app, page) if page is not None else lambda path: False
    if access.limited:
        app.add_middleware(access_module.Middleware, access=access, is_public=is_public)
    if access.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=access.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["Retry-After", INFERENCE_LENGTH],
        )
    app.add_middleware(telemetry.Middleware, headers=HEADERS)

    @app.post(
        "/predict",
        tags=["reading"],
        response_model=PageAnswer,
        **openapi.operation(*openapi.OF_BODY, body=openapi.pictures_body(most=1)),
    )
    async def predict(
        request: Request,
        # For the description alone: `Route` hands over the request as it is.
        pattern: Annotated[str | None, Query(description=PATTERN)] = None,
        count: Annotated[int | None, Query(description=COUNT)] = None,
        region: Annotated[list[str] | None, Query(description=REGION)] = None,
    ) -> Response:
        """Reads one picture."""
        query = request.query_params
        work = partial(
            answers.predict,
            pattern=query.get("pattern"),
            count=_whole_number(query.get("count")),
            regions=query.getlist("region"),
        )
        return await pool.run(request, work)

    @app.post(
        "/predict/batch",
        tags=["reading"],
        response_model=BatchAnswer,
        **openapi.operation(*openapi.OF_BODY, body=openapi.pictures_body(MOST_PICTURES)),
    )
    async def predict_batch(request: Request) -> Response:
        """Reads several pictures; one that cannot be read gets an error instead of digits."""
        return await pool.run(request, answers.predict_batch)

    @app.get("/healthz", tags=["operation"])
    async def healthz(request: Request) -> Liveness:
        """Whether the process is alive, and its number."""
        return Liveness(status="alive", process=os.getpid())

    @app.get("/readyz", tags=["operation"], **openapi.operation(503))
    async def readyz(request: Request) -> Readiness:
        """Whether the service can read, and the SHA-256 of its model."""
        if not pool.ready:
            raise RequestError(503, "No process can read at the moment; try again soon.", RETRY)
        return Readiness(status="ready", model=reader.manifest["files"][bundle.MODEL])

    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """Counts for Prometheus."""
        return telemetry.metrics()

    @app.get("/docs", tags=["operation"], response_class=HTMLResponse)
    async def docs(request: Request) -> Response:
        """This description."""
        return openapi.page(app.openapi(), str(request.base_url).rstrip("/"))

    if collect is not None:
        collecting.install(app, collect, pool, access.origins)
    paths.install(app, pool)
    return app


def _whole_number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 0 < len(text) < 6:
        raise RequestError(422, f"count must be a whole number, not {text!r:.40}.")
    return int(text)
