"""The reader over HTTP, and the page that asks it: `create_app`, and the command `digits serve`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from numpy.typing import NDArray

from digits import bundle
from digits.errors import DigitsError
from digits.reading.page import Page, as_dict, page_of
from digits.reading.reader import Reader
from digits.serving import (
    connections,
    inference_protocol,
    openapi,
    problems,
    requests,
    site,
    static_files,
    telemetry,
)
from digits.serving.problems import RequestError
from digits.terminal import SHIPPED, note, own_words_only, say

MOST_WAITING = 16  # requests that wait for a reader, in each process
MOST_WORKERS = 64
OF_WORKER = "DIGITS_SERVE"  # what each of several processes serves
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
JSON = "application/json"
RETRY = {"Retry-After": "1"}
Answer = TypeVar("Answer")


def create_app(reader: Reader, page: Path | None = None, processes: int = 1) -> FastAPI:
    """The whole service as an ASGI application.

    Reading is done on threads, one for each core, each with an interpreter of its own, so that the
    event loop is free. At most `MOST_WAITING` requests wait for them; more are told to come again.

    Args:
        reader: what reads.
        page: the folder of the page, from `site.build`; without it there is none.
        processes: how many there are of this application, which share the cores.
    """
    able = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = max(1, (able or 1) // processes)
    pool = ThreadPoolExecutor(threads, "reader")
    memory = requests.Memory()
    waiting = 0

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        blank = np.zeros((bundle.CANVAS_SIDE, bundle.CANVAS_SIDE), np.uint8)
        list(pool.map(reader.canvas, [blank] * threads))  # nobody waits for the first load
        yield
        pool.shutdown()

    app = FastAPI(
        title="digits",
        description="Reads handwritten digits in pictures.",
        version=version("mnist-classification"),
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.router.route_class = Plain
    problems.install(app)
    app.add_middleware(telemetry.Watched, headers=HEADERS)

    async def worked(request: Request, work: Callable[[bytes], Answer]) -> Answer:
        """What `work` makes of the request's body, on another thread."""
        nonlocal waiting
        check_room()
        async with requests.received(request, memory) as body:
            check_room()
            waiting += 1
            telemetry.WAITING.inc()
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, work, body)
            finally:
                waiting -= 1
                telemetry.WAITING.dec()

    def check_room() -> None:
        if waiting >= MOST_WAITING:
            raise RequestError(503, "Too many requests wait already; try again soon.", RETRY)

    @app.post("/predict", **openapi.PREDICT)
    async def predict(request: Request) -> Response:
        """Reads one picture."""
        media = request.headers.get("content-type", "")

        def work(body: bytes) -> Response:
            ((kind, content),) = requests.pictures(media, body, most=1)
            return answer(as_dict(read(reader, kind, content)))

        return await worked(request, work)

    @app.post("/predict/batch", **openapi.BATCH)
    async def predict_batch(request: Request) -> Response:
        """Reads several pictures; one that cannot be read has an `error` in place of digits."""
        media = request.headers.get("content-type", "")

        def work(body: bytes) -> Response:
            told = []
            for kind, content in requests.pictures(media, body, requests.MOST_PICTURES):
                try:
                    told.append(as_dict(read(reader, kind, content)))
                except RequestError as problem:
                    told.append({"error": problem.detail})
            return answer({"pictures": told})

        return await worked(request, work)

    @app.get("/healthz", **openapi.HEALTH)
    async def healthz(request: Request) -> Response:
        """Whether the process lives, and which of them answers."""
        return answer({"status": "alive", "process": os.getpid()})

    @app.get("/readyz", **openapi.HEALTH)
    async def readyz(request: Request) -> Response:
        """Whether it reads, and with which model. Answered once the model is loaded."""
        return answer({"status": "ready", "model": reader.manifest["files"][bundle.MODEL]})

    @app.get("/metrics", **openapi.METRICS)
    async def metrics(request: Request) -> Response:
        """Counts for Prometheus."""
        content, media = telemetry.metrics("PROMETHEUS_MULTIPROC_DIR" in os.environ)
        return Response(content, headers={"Content-Type": media})

    @app.get("/docs", **openapi.PAGE)
    async def docs(request: Request) -> Response:
        """This interface, for people."""
        return openapi.page(app.openapi(), str(request.base_url).rstrip("/"))

    protocol(app, reader, worked)
    if page is not None:
        static_files.install(app, page)
    return app


class Plain(APIRoute):
    """A path whose function takes the request and gives the response. There are no parameters to
    look for, which takes as long as decoding a small picture does."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        return self.endpoint


def answer(content: Any) -> Response:
    """As JSON."""
    return Response(json.dumps(content), media_type=JSON)


def read(reader: Reader, kind: str, content: NDArray[np.uint8] | bytes) -> Page:
    """Reads what `requests.pictures` found.

    Raises:
        RequestError: 422, a file that is no picture.
    """
    try:
        if isinstance(content, bytes):
            page = reader.read(content)
        elif kind == "canvas":
            page = page_of([[reader.canvas(content)]])
        else:
            page = page_of([[reader.classify(content)]])
    except DigitsError as error:
        raise RequestError(422, str(error)) from None
    for reading in page.readings:
        telemetry.READINGS.labels("yes" if reading.accepted else "no").inc()
    return page


def protocol(
    app: FastAPI,
    reader: Reader,
    worked: Callable[[Request, Callable[[bytes], Any]], Awaitable[Any]],
) -> None:
    """Adds the Open Inference Protocol.

    Args:
        app: what it is added to.
        reader: whose model answers.
        worked: (request, work on its body) -> what that gives.
    """

    def run(model: str, image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        outputs = reader.outputs(model, image)
        return outputs | {"accepted": outputs["is_digit"] >= reader.threshold}

    @app.get("/v2", **openapi.V2)
    async def server(request: Request) -> Response:
        """What this server is and can."""
        return answer(inference_protocol.server_metadata(app.version))

    @app.get("/v2/health/live", **openapi.V2)
    async def live(request: Request) -> Response:
        """Whether the server lives."""
        return answer({"live": True})

    @app.get("/v2/health/ready", **openapi.V2)
    async def ready(request: Request) -> Response:
        """Whether it is ready."""
        return answer({"ready": True})

    for versioned in (False, True):
        path = "/v2/models/{model}" + "/versions/{version}" * versioned

        @app.get(path, **openapi.model(versioned))
        async def model_metadata(request: Request) -> Response:
            """Names, types and shapes of a model's tensors."""
            return answer(
                inference_protocol.metadata(inference_protocol.checked(**request.path_params))
            )

        @app.get(path + "/ready", **openapi.model(versioned))
        async def model_ready(request: Request) -> Response:
            """Whether a model is ready."""
            return answer(
                {"name": inference_protocol.checked(**request.path_params), "ready": True}
            )

        @app.post(path + "/infer", **openapi.infer(versioned))
        async def infer(request: Request) -> Response:
            """Runs a model."""
            model = inference_protocol.checked(**request.path_params)
            length = request.headers.get(inference_protocol.HEADER)
            body, json_bytes = await worked(
                request, lambda body: inference_protocol.infer(model, run, body, length)
            )
            if json_bytes is None:
                return Response(body, media_type=JSON)
            headers = {inference_protocol.HEADER: str(json_bytes)}
            return Response(body, headers=headers, media_type="application/octet-stream")


def command(argv: Sequence[str], prog: str) -> int:
    """Serves until it is told to stop.

    Returns:
        the exit status, 0.

    Raises:
        DigitsError: a model that cannot be used, or an address that cannot be had.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Read digits over HTTP, and serve the page on which they are drawn.",
        epilog="The paths are listed at /docs. A line of JSON for each request goes to standard "
        "error; nothing that is sent is kept. Ctrl-C, or SIGTERM, stops once everything that was "
        "begun is answered.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="0 for a free one (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (1)")
    parser.add_argument("--model", type=Path, metavar="BUNDLE", help=SHIPPED)
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")
    arguments = parser.parse_args(argv)
    if not 1 <= arguments.workers <= MOST_WORKERS:
        raise DigitsError(f"--workers must be from 1 to {MOST_WORKERS}, not {arguments.workers}.")
    found = bundle.read(arguments.model or bundle.SHIPPED)
    with listening(arguments.host, arguments.port) as listener, ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = temporary / "site"
        write_site(found, folder)
        address, port = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        say(f"Reading at http://{shown}:{port} with {found.folder}; Ctrl-C stops.")
        if not arguments.no_browser:
            webbrowser.open(f"http://{shown}:{port}/")
        if arguments.workers == 1:
            stack.enter_context(own_words_only())
            app = create_app(Reader(found.folder), folder)
            uvicorn.Server(uvicorn.Config(app, **connections.SETTINGS)).run([listener])
        else:
            (temporary / "counts").mkdir()
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(temporary / "counts")
            os.environ[OF_WORKER] = json.dumps([str(found.folder), str(folder), arguments.workers])
            config = uvicorn.Config(
                "digits.serving.app:of_worker",
                factory=True,
                workers=arguments.workers,
                **connections.OF_WORKERS,
            )
            connections.Workers(config, [listener]).run()
    return 0


def of_worker() -> FastAPI:
    """The application of one of several processes, which uvicorn starts."""
    model, page, processes = json.loads(os.environ[OF_WORKER])
    silence = ExitStack()
    silence.enter_context(own_words_only())
    app = create_app(Reader(model), Path(page), processes)
    app.state.silence = silence  # for as long as there is the application
    return app


def write_site(found: bundle.Bundle, folder: Path) -> None:
    """Writes the page; where the runtime for browsers cannot be had, one that asks this server."""
    try:
        site.build(folder, found)
    except DigitsError as error:
        note(f"{error} Until then the page asks this server.")
        site.build(folder, found, runtime=False)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens there.

    Raises:
        DigitsError: the address cannot be had.
    """
    if not 0 <= port < 1 << 16:
        raise DigitsError(f"--port must be from 0 to 65535, not {port}.")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=connections.BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DigitsError(
            f"{host}, port {port}, cannot be listened on ({reason}); "
            "choose another --port, or 0 for a free one."
        ) from None
    with listener:
        yield listener
