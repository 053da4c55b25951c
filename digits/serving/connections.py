"""Connections that may take only so long and so much to say what they want, and a stop that lets
nobody down."""

import asyncio
import socket
from typing import Any, ClassVar
from weakref import WeakSet

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from uvicorn.supervisors import Multiprocess

HEADER_SECONDS = 10  # from a connection's beginning, or a request's, to the end of its header
LARGEST_HEADER = 32 << 10  # bytes
BACKLOG = 2048  # connections that wait to be accepted
LINGER = 0.5  # seconds that an idle connection stays open after the order to stop
REFUSED = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain\r\ncontent-length: 21\r\nconnection: close\r\n\r\n"
    b"The header is too big"
)


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which waits without end for a header and cuts off who has just begun
    to speak when the server stops."""

    header_timer: asyncio.TimerHandle | None = None
    header_bytes = 0
    # A connection that is accepted while its server stops is told by nobody but the others.
    stopping: ClassVar[WeakSet[ServerState]] = WeakSet()

    def connection_made(  # type: ignore[override] # asyncio declares one that cannot be written to
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        # asyncio does so only on sockets that were made for TCP by number; without it the second
        # half of an answer waits 40 ms for the client to acknowledge the first.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await_header()
        if self.server_state in self.stopping:
            self.loop.call_later(LINGER, self._close_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._header_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.header_timer is not None:  # what came is of a header that has not ended
            self.header_bytes += len(data)
            if self.header_bytes > LARGEST_HEADER:
                self.transport.write(REFUSED)
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.header_timer is None:
            self._await_header()

    def on_headers_complete(self) -> None:
        self._header_came()
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

    def _header_came(self) -> None:
        if self.header_timer is not None:
            self.header_timer.cancel()
            self.header_timer = None

    def _close_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class Workers(Multiprocess):
    """uvicorn's, which listens until its last worker has ended, though none of them accepts."""

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        for listener in self.sockets:
            listener.listen(BACKLOG)  # OF_WORKERS has made the queue short

    def terminate_all(self) -> None:
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


SETTINGS: dict[str, Any] = {  # of uvicorn
    "http": Connection,
    "ws": "none",
    "access_log": False,  # ours tells more
    "log_config": {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"lines": {"class": "digits.serving.telemetry.Lines"}},
        "loggers": {"uvicorn": {"handlers": ["lines"], "level": "WARNING", "propagate": False}},
    },
    "server_header": False,
    "timeout_keep_alive": 30,
    "timeout_graceful_shutdown": 30,
    "limit_concurrency": 1000,
    "backlog": BACKLOG,
}
# asyncio accepts as many connections at once as the queue is said to have; a worker that took all
# that wait would leave none to the others.
OF_WORKERS = SETTINGS | {"backlog": 8}
