"""uvicorn's connections, with limits on the time and size of headers, and a graceful stop.

The methods overridden here are not part of uvicorn's public interface, so pyproject.toml pins its
minor version.
"""

import asyncio
import socket
from typing import Any, ClassVar
from weakref import WeakSet

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from uvicorn.supervisors import Multiprocess

HEADER_SECONDS = 10  # from the start of a connection or of a request to the end of its header
LARGEST_HEADER = 32 << 10  # bytes
BACKLOG = 2048  # connections that may wait to be accepted
LINGER = 0.5  # seconds for which an idle connection stays open after the order to stop
REFUSED = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain\r\ncontent-length: 24\r\nconnection: close\r\n\r\n"
    b"The header is too large."
)


class Connection(HttpToolsProtocol):
    """A connection of uvicorn, which by itself waits for a header without limit, and closes a
    connection on which a request has just started when the server stops."""

    header_timer: asyncio.TimerHandle | None = None
    header_bytes = 0
    # uvicorn does not notify a connection that it accepts while it stops; that one looks here.
    stopping: ClassVar[WeakSet[ServerState]] = WeakSet()

    def connection_made(  # type: ignore[override] # asyncio declares a transport without write
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        # asyncio sets this only on sockets that were created with IPPROTO_TCP. Without it, the
        # second half of an answer waits 40 ms for the client to acknowledge the first.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await_header()
        if self.server_state in self.stopping:
            self.loop.call_later(LINGER, self._close_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._header_ended()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.header_timer is not None:  # the header has not ended yet
            self.header_bytes += len(data)
            if self.header_bytes > LARGEST_HEADER:
                self.transport.write(REFUSED)
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.header_timer is None:
            self._await_header()

    def on_headers_complete(self) -> None:
        self._header_ended()
        super().on_headers_complete()
        if self.server_state in self.stopping:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        self.stopping.add(self.server_state)
        if self.cycle is not None and not self.cycle.response_complete:
            super().shutdown()
        else:
            self.loop.call_later(LINGER, self._close_if_idle)

    def _await_header(self) -> None:
        self.header_bytes = 0
        self.header_timer = self.loop.call_later(HEADER_SECONDS, self.timeout_keep_alive_handler)

    def _header_ended(self) -> None:
        if self.header_timer is not None:
            self.header_timer.cancel()
            self.header_timer = None

    def _close_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class Workers(Multiprocess):
    """uvicorn's processes, which would listen until the last has ended, though none accepts."""

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        for listener in self.sockets:
            listener.listen(BACKLOG)  # WORKER_SETTINGS made the queue short

    def terminate_all(self) -> None:
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


SETTINGS: dict[str, Any] = {  # of uvicorn, for one process
    "http": Connection,
    "ws": "none",
    "access_log": False,  # telemetry.py has a better one
    "log_config": {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"lines": {"class": "digits.serving.telemetry.JsonLines"}},
        "loggers": {"uvicorn": {"handlers": ["lines"], "level": "WARNING", "propagate": False}},
    },
    "server_header": False,
    "timeout_keep_alive": 30,
    "timeout_graceful_shutdown": 30,
    "limit_concurrency": 1000,
    "backlog": BACKLOG,
}
# asyncio accepts as many connections at once as the queue may hold. With a long queue one worker
# would take all that wait, and leave none to the others.
WORKER_SETTINGS = SETTINGS | {"backlog": 8}
