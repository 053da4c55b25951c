"""Runs the service: the address that it listens on, and one process or several."""

import os
import socket
import tempfile
import webbrowser
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from digits.bundle import Bundle
from digits.errors import DigitsError
from digits.reading.reader import Reader
from digits.serving import connections, site
from digits.serving.app import create_app
from digits.terminal import note, own_words_only, say


def serve(bundle: Bundle, host: str, port: int, workers: int, browser: bool) -> None:
    """Serves until a signal stops it, in `workers` processes.

    Port 0 is any free one; `browser` opens the page. Raises DigitsError if the address cannot be
    listened on.
    """
    with listening(host, port) as listener, tempfile.TemporaryDirectory() as temporary:
        page = Path(temporary) / "site"
        try:
            site.build(page, bundle)
        except DigitsError as error:
            note(f"{error} Until then the page asks this server.")
            site.build(page, bundle, runtime=False)
        address, port = listener.getsockname()[:2]
        url = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
        say(f"Listening on {url} with the model in {bundle.folder}; press Ctrl-C to stop.")
        if browser:
            webbrowser.open(f"{url}/")
        app = partial(_application, bundle.folder, page, workers)
        if workers == 1:
            config = uvicorn.Config(app, factory=True, **connections.SETTINGS)
            uvicorn.Server(config).run([listener])
        else:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = temporary
            settings = connections.WORKER_SETTINGS | {"workers": workers, "factory": True}
            connections.Workers(uvicorn.Config(app, **settings), [listener]).run()


def _application(folder: Path, page: Path, processes: int) -> FastAPI:
    """The application of one process; uvicorn makes it there."""
    silence = ExitStack()
    silence.enter_context(own_words_only())
    app = create_app(Reader(folder), page, processes)
    app.state.silence = silence  # lasts as long as the application
    return app


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises DigitsError if the address cannot be listened on."""
    if not 0 <= port < 1 << 16:
        raise DigitsError(f"--port must be from 0 to 65535, not {port}.")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=connections.BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DigitsError(
            f"Cannot listen on {host}, port {port} ({reason}); "
            "choose another --port, or 0 for a free one."
        ) from None
