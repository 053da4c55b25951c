"""uvicorn's connections, with limits on the time and size of headers, and a graceful stop.

The methods overridden here are not part of uvicorn's public interface, so pyproject.toml pins its
minor version.
"""

import asyncio
import json
import socket
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from typing import Any, ClassVar
from weakref import WeakSet

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

HEADER_SECONDS = 10  # from the start of a connection or of a request to the end of its header
LARGEST_HEADER = 32 << 10  # bytes, of a header, and of trailers
MOST_CONNECTIONS = 1000
OTHER_FILES = 48  # that a service has open besides its connections
BACKLOG = 2048  # connections that may wait to be accepted
# asyncio would accept as many at once as may wait: one worker would take all, and there would be
# more than may be open.
ACCEPTED = 8
IDLE_SECONDS = 30  # between requests, and for a client that takes nothing of its answer
LINGER = 0.5  # seconds for which an idle connection stays open after the order to stop
STOP_SECONDS = 7  # from that order on, for answering what was begun
GONE = "The client has hung up."  # why a request is cancelled


class Connection(HttpToolsProtocol):
    """A connection of uvicorn, which by itself waits for a header without limit, takes trailers
    without limit, forgets that a connection is idle when anything comes, goes on for a client that
    has hung up, and closes a connection on which a request has just started when the server stops.
    """

    header_timer: asyncio.TimerHandle | None = None
    header_bytes = 0
    writing_timer: asyncio.TimerHandle | None = None
    task: asyncio.Task[None] | None = None
    idle_since = 0.0  # on the loop's clock; only of an idle connection
    # uvicorn does not notify a connection that it accepts while it stops; that one looks here.
    stopping: ClassVar[WeakSet[ServerState]] = WeakSet()

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    # What asyncio calls.

    def connection_made(  # type: ignore[override] # asyncio declares a transport without write
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        with suppress(OSError):  # a Unix socket has no such option
            # asyncio sets this only on sockets that were created with IPPROTO_TCP. Without it, the
            # second half of an answer waits 40 ms for the client to acknowledge the first.
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.idle_since = self.loop.time()
        if len(self.connections) > most_connections() and not self._make_room():
            self._refuse(503, "There are too many connections; try again soon.")
            return
        self._await_header()
        if self.server_state in self.stopping:
            self.loop.call_later(LINGER, self._close_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._header_ended()
        self.resume_writing()
        super().connection_lost(exc)
        if self.task is not None and not self.cycle.response_complete:
            self.task.cancel(GONE)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        # uvicorn would take anything, such as an empty line, for the start of a request.
        timer, self.timeout_keep_alive_task = self.timeout_keep_alive_task, None
        self.header_bytes += len(data)
        super().data_received(data)
        if timer is not None:
            if self.header_timer is None and self.idle:
                self.timeout_keep_alive_task = timer
            else:
                timer.cancel()
        if self.header_bytes > LARGEST_HEADER and not self.transport.is_closing():
            self._refuse(431, "The header is too large; send less in it.")

    def pause_writing(self) -> None:
        super().pause_writing()
        self.writing_timer = self.loop.call_later(IDLE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        if self.writing_timer is not None:
            self.writing_timer.cancel()
            self.writing_timer = None
        super().resume_writing()

    # What the parser calls.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.header_timer is None:
            self._await_header()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.header_timer is not None:  # or it is a trailer, of which nothing is used
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._header_ended()
        super().on_headers_complete()
        if self.server_state in self.stopping:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self.header_bytes = 0  # what follows the last piece is trailers
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.header_bytes = 0
        super().on_message_complete()

    # What uvicorn calls.

    def on_response_complete(self) -> None:
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "This is not a valid HTTP request.")

    def shutdown(self) -> None:
        self.stopping.add(self.server_state)
        if self.cycle is not None and not self.cycle.response_complete:
            super().shutdown()
        else:
            self.loop.call_later(LINGER, self._close_if_idle)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.task = self.loop.create_task(cycle.run_asgi(app))
        self.task.add_done_callback(self.tasks.discard)
        self.tasks.add(self.task)

    # Our own.

    def _await_header(self) -> None:
        self.header_bytes = 0
        self.header_timer = self.loop.call_later(HEADER_SECONDS, self.timeout_keep_alive_handler)

    def _header_ended(self) -> None:
        self.header_bytes = 0
        if self.header_timer is not None:
            self.header_timer.cancel()
            self.header_timer = None

    def _close_if_idle(self) -> None:
        if self.idle:
            self.transport.close()

    def _make_room(self) -> bool:
        """Closes the connection that has been idle for longest. Returns whether there was one."""
        others = (one for one in self.connections if one is not self)
        idle = [one for one in others if isinstance(one, Connection) and one.idle]
        if not idle:
            return False
        longest = min(idle, key=lambda one: one.idle_since)
        longest.transport.abort()
        self.connections.discard(longest)  # not when the loop comes to it: more may be waiting
        return True

    def _refuse(self, status: int, detail: str) -> None:
        """Answers for the application, and closes the connection."""
        self._header_ended()
        title = HTTPStatus(status).phrase
        problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        content = json.dumps(problem).encode()
        head = f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\n"
        if status == 503:
            head += "retry-after: 1\r\n"
        head += f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode() + content)
        self.transport.close()


@cache
def most_connections() -> int:
    """How many connections may be open: fewer where the system allows few open files."""
    try:
        import resource
    except ImportError:  # Windows
        return MOST_CONNECTIONS
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(4, min(MOST_CONNECTIONS, files - OTHER_FILES))


SETTINGS: dict[str, Any] = {  # of uvicorn, for one process
    "http": Connection,
    "ws": "none",
    "access_log": False,  # telemetry.py has a better one
    "log_config": {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"lines": {"class": "digits.serving.telemetry.JsonLines"}},
        "loggers": {
            name: {"handlers": ["lines"], "level": "WARNING", "propagate": False}
            for name in ("uvicorn", "asyncio")
        },
    },
    "server_header": False,
    "timeout_keep_alive": IDLE_SECONDS,
    "timeout_graceful_shutdown": STOP_SECONDS,
    "backlog": ACCEPTED,
}


class Server(uvicorn.Server):
    """uvicorn's server, with a long queue of connections of which it takes few at once."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)
