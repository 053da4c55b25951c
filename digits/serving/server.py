"""Runs the service: the address that it listens on, and one process or several."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from digits.bundle import Bundle
from digits.errors import DigitsError
from digits.reading.reader import Reader
from digits.serving import connections, site
from digits.serving.app import create_app
from digits.terminal import note, own_words_only, say

WORKER = "DIGITS_SERVE"  # environment variable: what each of several processes serves


def serve(bundle: Bundle, host: str, port: int, workers: int, browser: bool) -> None:
    """Serves until a signal stops it.

    Args:
        bundle: the model that reads.
        host: address to listen on.
        port: 0 for any free one.
        workers: processes.
        browser: whether to open the page.

    Raises:
        DigitsError: the address cannot be listened on.
    """
    with listening(host, port) as listener, ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        page = temporary / "site"
        _write_site(bundle, page)
        address, port = listener.getsockname()[:2]
        url = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
        say(f"Listening on {url} with the model in {bundle.folder}; press Ctrl-C to stop.")
        if browser:
            webbrowser.open(f"{url}/")
        if workers == 1:
            stack.enter_context(own_words_only())
            app = create_app(Reader(bundle.folder), page)
            uvicorn.Server(uvicorn.Config(app, **connections.SETTINGS)).run([listener])
        else:
            counts = temporary / "counts"
            counts.mkdir()
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counts)
            os.environ[WORKER] = json.dumps([str(bundle.folder), str(page), workers])
            config = uvicorn.Config(
                f"{__name__}:worker_app",
                factory=True,
                workers=workers,
                **connections.WORKER_SETTINGS,
            )
            connections.Workers(config, [listener]).run()


def worker_app() -> FastAPI:
    """The application of one of several processes, which uvicorn starts."""
    folder, page, processes = json.loads(os.environ[WORKER])
    silence = ExitStack()
    silence.enter_context(own_words_only())
    app = create_app(Reader(folder), Path(page), processes)
    app.state.silence = silence  # lasts as long as the application
    return app


def _write_site(bundle: Bundle, folder: Path) -> None:
    """Writes the page; if the runtime for browsers is not available, one that asks this server."""
    try:
        site.build(folder, bundle)
    except DigitsError as error:
        note(f"{error} Until then the page asks this server.")
        site.build(folder, bundle, runtime=False)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens.

    Raises:
        DigitsError: the address cannot be listened on.
    """
    if not 0 <= port < 1 << 16:
        raise DigitsError(f"--port must be from 0 to 65535, not {port}.")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=connections.BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DigitsError(
            f"Cannot listen on {host}, port {port} ({reason}); "
            "choose another --port, or 0 for a free one."
        ) from None
    with listener:
        yield listener
