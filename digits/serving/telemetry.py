"""What is recorded of each HTTP request: a line of log, and counts for Prometheus.

The line has method, path, status, time and the client's address; neither has queries or bodies.
"""

import asyncio
import json
import logging
import os
import sys
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any

import prometheus_client as prometheus
from prometheus_client import Counter, Gauge, Histogram, multiprocess
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digits.serving import problems
from digits.serving.connections.protocol import GONE
from digits.serving.errors import RequestError

REQUESTS = Counter("digits_requests_total", "HTTP requests answered.", ["path", "status"])
TIMES = Histogram(
    "digits_request_seconds",
    "From the header of a request to the end of its answer.",
    ["path"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
READINGS = Counter(
    "digits_readings_total",
    "Pieces of ink read, by whether the reading was accepted.",
    ["accepted"],
)
ACCEPTED, REFUSED = READINGS.labels("yes"), READINGS.labels("no")
WAITING = Gauge(
    "digits_waiting_requests",
    "Requests that are read or wait for a process.",
    multiprocess_mode="livesum",
)

UNANSWERED = 0
HUNG_UP = 499  # as nginx logs a client that did not wait for the answer
STOPPING = "The service is stopping; try again soon."
MOST_MESSAGES, MESSAGE_SECONDS = 50, 10  # of the server itself, in so many seconds


def metrics() -> Response:
    """All counts, of all processes, in Prometheus's text format."""
    registry = prometheus.REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = prometheus.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    content_type = {"Content-Type": prometheus.CONTENT_TYPE_LATEST}
    return Response(prometheus.generate_latest(registry), headers=content_type)


class Middleware:
    """Counts and logs every request to an application, and adds headers to its answers."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self.app, self.headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = UNANSWERED

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except asyncio.CancelledError as cancelled:
            if status == UNANSWERED:
                gone = GONE in cancelled.args
                status = HUNG_UP if gone else 503
                if not gone:
                    error = RequestError(503, STOPPING, {"Retry-After": "1"})
                    await problems.response(scope, error)(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            # The path as it was declared: the number of others has no limit.
            path = getattr(scope.get("route"), "path", "other")
            status = status or 500
            REQUESTS.labels(path, status).inc()
            TIMES.labels(path).observe(seconds)
            log(
                "request",
                method=scope["method"],
                path=scope["path"][:200],
                status=status,
                milliseconds=round(seconds * 1e3, 3),
                client=(scope.get("client") or [None])[0],
            )


class JsonLines(logging.Handler):
    """Writes uvicorn's and asyncio's messages in the same form as ours; so many in a time, and
    counts the others, as when no more files can be opened."""

    def __init__(self) -> None:
        super().__init__()
        self._since, self._count = 0.0, 0

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now - self._since > MESSAGE_SECONDS:
            if self._count > MOST_MESSAGES:
                log("server", level="warning", left_out=self._count - MOST_MESSAGES)
            self._since, self._count = now, 0
        self._count += 1
        if self._count > MOST_MESSAGES:
            return
        more = {"error": repr(record.exc_info[1])[:500]} if record.exc_info else {}
        message = record.getMessage()[:500]
        log("server", level=record.levelname.lower(), message=message, **more)


def log(event: str, **details: Any) -> None:
    """Writes a line of JSON to standard error."""
    now = _at(int(time.time()))
    with suppress(OSError):  # a full disk must not end the service
        sys.stderr.write(json.dumps({"time": now, "event": event, **details}) + "\n")


@lru_cache(maxsize=2)
def _at(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
