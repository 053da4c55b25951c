"""Read digits over HTTP, and serve the page on which to draw them."""

import argparse
import os
from pathlib import Path

from digits.commands import add_model_flag
from digits.errors import DigitsError, explained

MOST_WORKERS = 64


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "/docs lists the paths. Standard error gets one line of JSON for each request; "
        "nothing that is sent is kept, except with --collect. Ctrl-C or SIGTERM stops the service "
        "once it has answered every request that it has begun, within 12 seconds."
    )
    add = parser.add_argument
    add(
        "--host",
        default="127.0.0.1",
        help="address to listen on, or a name, at all of its addresses; :: is every address of "
        "this machine (%(default)s)",
    )
    add("--port", type=int, default=8000, help="0 for a free one (%(default)s)")
    add("--uds", metavar="PATH", help="listen on a Unix socket instead")
    add("--metrics-port", type=int, metavar="PORT", help="serve /metrics on a port of its own")
    add("--workers", type=int, default=1, metavar="N", help="processes that answer (1)")
    add_model_flag(parser)
    add("--no-browser", action="store_true", help="do not open the page")
    add("--root-path", default="", metavar="/PATH", help="where a proxy has the service")
    add(
        "--token",
        help="what must be sent as Authorization: Bearer TOKEN, except for the page and for "
        "health; @FILE reads it from a file",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that the service may be asked by, or *.NAME; may be repeated (default: any)",
    )
    add(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a web page elsewhere that may ask, as https://example.org, or * for all; may be "
        "repeated (default: none)",
    )
    add(
        "--collect",
        type=Path,
        metavar="DIR",
        help="take corrected digits into this folder, from which digits teach learns",
    )


def run(arguments: argparse.Namespace, prog: str) -> None:
    if not 1 <= arguments.workers <= MOST_WORKERS:
        raise DigitsError(f"--workers must be from 1 to {MOST_WORKERS}, not {arguments.workers}.")
    root_path: str = arguments.root_path.rstrip("/")
    if root_path and not root_path.startswith("/"):
        raise DigitsError(f"--root-path must begin with /, not be {root_path!r:.40}.")
    if arguments.uds and arguments.metrics_port is not None:
        raise DigitsError("--metrics-port needs --host and --port, which --uds takes the place of.")
    token = _token(arguments.token)
    if arguments.collect is not None:
        _check_folder(arguments.collect)
    from digits import bundle
    from digits.runtime import check, model_of
    from digits.serving import server
    from digits.serving.connections.access import Access
    from digits.serving.connections.listening import Address
    from digits.terminal import own_words_only

    model = bundle.read(arguments.model or bundle.SHIPPED)
    model.check_reads()
    with own_words_only():
        check(model_of(model))
    server.serve(
        model,
        server.Service(
            Address(arguments.host, arguments.port, arguments.uds, arguments.metrics_port),
            arguments.workers,
            root_path,
            Access(tuple(arguments.allow_host), token, None, tuple(arguments.allow_origin)),
            arguments.collect,
            browser=not arguments.no_browser,
        ),
    )


def _token(given: str | None) -> str | None:
    """The token itself, from a file if a file is named."""
    if given is None:
        return None
    token = given
    if given.startswith("@"):
        with explained(f"--token: {given[1:]} cannot be read"):
            try:
                token = Path(given[1:]).read_text("utf-8").strip()
            except UnicodeDecodeError:
                raise DigitsError(f"--token: {given[1:]} is not text.") from None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise DigitsError("--token must be visible ASCII characters without spaces, one or more.")
    return token


def _check_folder(folder: Path) -> None:
    """Raises DigitsError if digits cannot be kept in a folder, which is made if there is none."""
    with explained(f"--collect: {folder} cannot be made"):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DigitsError(f"--collect: {folder} cannot be written; choose another folder.")
