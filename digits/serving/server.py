"""Runs the service: the addresses that it listens on, and one process or several."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from digits.bundle import Bundle
from digits.errors import DigitsError, explained
from digits.reading.reader import Reader
from digits.serving import browser_runtime, site, telemetry
from digits.serving.app import create_app
from digits.serving.connections import workers
from digits.serving.connections.access import Access
from digits.serving.connections.listening import Address, listening
from digits.serving.connections.protocol import SETTINGS, Server
from digits.terminal import note, own_words_only, say

# Bytes: the processes that read are asked for over a socket below it, whose path may have 107.
LONGEST_PLACE = 75


@dataclass(frozen=True)
class Service:
    """What is served, and how.

    Attributes:
        address: where it listens.
        workers: how many processes have the application.
        root_path: the path below which a proxy has the service, which the proxy takes off.
        access: who may ask for what.
        collect: the folder into which corrected digits are taken, if any.
        browser: whether to open the page.
    """

    address: Address = field(default_factory=Address)
    workers: int = 1
    root_path: str = ""
    access: Access = field(default_factory=Access)
    collect: Path | None = None
    browser: bool = False


def serve(bundle: Bundle, service: Service) -> None:
    """Serves until a signal stops it.

    Raises DigitsError if the address cannot be listened on, there is no folder for temporary files,
    or the service cannot start.
    """
    with (
        _ended_by_sigterm(),
        listening(service.address) as (listeners, of_metrics),
        _temporary_folder() as temporary,
    ):
        page = temporary / "site"
        with explained(f"{page} cannot be written", "make room, or set TMPDIR"):
            site.build(page, bundle, runtime=browser_runtime.is_cached())
        access = service.access
        if of_metrics:
            access = replace(access, metrics_port=of_metrics[0].getsockname()[1])
        places = [_url(one, service.address) for one in listeners]
        also = f" (metrics on port {access.metrics_port})" if of_metrics else ""
        say(
            f"Listening on {' and '.join(places)}{also} with the model in {bundle.folder}; "
            "press Ctrl-C to stop."
        )
        with _fetching(page, bundle.folder):
            if service.browser and service.address.uds is None:
                _open(places[0], access)
            app = partial(_application, bundle.folder, page, replace(service, access=access))
            settings = SETTINGS | {"factory": True, "root_path": service.root_path}
            if service.address.uds is not None:  # only a proxy of this machine can reach it
                settings["forwarded_allow_ips"] = "*"
            every = [*listeners, *of_metrics]
            if service.workers == 1:
                server = Server(uvicorn.Config(app, **settings))
                server.run(every)
                started = server.started
            else:
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(temporary)
                config = workers.Config(app, workers=service.workers, **settings)
                started = workers.serve(config, every)
    if not started:
        raise DigitsError("The service cannot start; the lines above say why.")


def _application(folder: Path, page: Path, service: Service) -> FastAPI:
    """The application of one process; uvicorn makes it there."""
    silence = ExitStack()
    silence.enter_context(own_words_only())
    reader = Reader(folder)
    app = create_app(reader, page, service.workers, service.access, service.collect)
    app.state.silence = silence  # lasts as long as the application
    return app


def _open(place: str, access: Access) -> None:
    """Opens the page in a browser, unless it would be refused by this name.

    The path of --root-path is not added: a proxy takes it off, and here is none.
    """
    if access.goes_by(urlsplit(place).netloc):
        webbrowser.open(f"{place}/")


def _url(listener: socket.socket, address: Address) -> str:
    if address.uds is not None:
        return address.uds
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Makes SIGTERM end the block as an exit with status 0 does, with all that is to be cleared
    away; uvicorn sends it to itself again once all is answered."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, workers.leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="digits-", ignore_cleanup_errors=True)
    except OSError as error:
        raise DigitsError(
            f"There is no folder for temporary files ({error.strerror or error}); set TMPDIR to "
            "one that can be written."
        ) from None
    with folder as name:
        place = os.path.dirname(name)
        if len(os.fsencode(place)) > LONGEST_PLACE:
            raise DigitsError(
                f"The path of the folder for temporary files, {place}, has more than "
                f"{LONGEST_PLACE} bytes; set TMPDIR to a shorter one."
            )
        yield Path(name)


@contextmanager
def _fetching(page: Path, model: Path) -> Iterator[None]:
    """Fetches the runtime for browsers during the block, if it is not there, and builds the page
    with it then; until that, the page asks the server."""
    if browser_runtime.is_cached():
        yield
        return
    note("Fetching the runtime for browsers with npm, once; until then the page asks this server.")
    command = [sys.executable, "-m", "digits.cli", "site", str(page), "--model", str(model)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )

    def report() -> None:
        _, said = process.communicate()
        lines = said.decode(errors="replace").splitlines()
        if process.returncode and not stopped.is_set():
            message = lines[-1] if lines else f"status {process.returncode}"
            telemetry.log("page", message=f"{message[:300]} The page asks this server.")

    stopped = threading.Event()
    reporting = threading.Thread(target=report, daemon=True)
    reporting.start()
    try:
        yield
    finally:
        stopped.set()
        process.send_signal(signal.SIGINT)  # upon which it clears away what npm has begun
        reporting.join(5)
        process.kill()
