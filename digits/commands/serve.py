"""Read digits over HTTP, and serve the page on which to draw them."""

import argparse

from digits.commands import add_model_flag
from digits.errors import DigitsError

MOST_WORKERS = 64


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "/docs lists the paths. Standard error gets one line of JSON for each request; "
        "nothing that is sent is kept. Ctrl-C or SIGTERM stops the service once it has answered "
        "every request that it has begun."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="0 for a free one (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (1)")
    add_model_flag(parser)
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")


def run(arguments: argparse.Namespace, prog: str) -> None:
    if not 1 <= arguments.workers <= MOST_WORKERS:
        raise DigitsError(f"--workers must be from 1 to {MOST_WORKERS}, not {arguments.workers}.")
    from digits import bundle
    from digits.serving import server

    model = bundle.read(arguments.model or bundle.SHIPPED)
    model.check_reads()
    server.serve(
        model,
        arguments.host,
        arguments.port,
        arguments.workers,
        browser=not arguments.no_browser,
    )
