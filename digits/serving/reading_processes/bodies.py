"""The bodies of requests while they arrive: how large, how slow, and how many at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from digits.serving.errors import RequestError
from digits.serving.reading_processes.memory import trimming

LARGEST_BODY = 16 << 20  # bytes, as sent and as unpacked
LARGE_BODY = 2 << 20  # bytes, which go back to the system at once
BODY_SECONDS = 10  # within which a body must arrive
CLOSE = {"Connection": "close"}  # the rest of the body is not received
LATE = f"The body did not arrive within {BODY_SECONDS} seconds; send it faster."
TOO_LARGE = f"The body is larger than {LARGEST_BODY >> 20} MB; make the picture smaller."


class Bodies:
    """All bodies that are received or wait to be read, within so many bytes together."""

    def __init__(self, memory: int) -> None:
        self._left = memory
        self._trim = trimming()

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[bytearray]:
        """The body of a request, which counts until the block ends.

        Raises:
            RequestError: 413, it is too large; 408, it comes too slowly; 503, there are too many.
        """
        body = bytearray()
        try:
            await self._receive(request, body)
            yield body
        finally:
            size = len(body)
            self._left += size
            body.clear()
            if size > LARGE_BODY:
                self._trim()

    async def _receive(self, request: Request, body: bytearray) -> None:
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > LARGEST_BODY:
            raise RequestError(413, TOO_LARGE, CLOSE)
        task = asyncio.current_task()
        assert task is not None
        # Timeouts of asyncio and anyio take as long as the rest.
        timer = asyncio.get_running_loop().call_later(BODY_SECONDS, task.cancel, LATE)
        try:
            async for chunk in request.stream():
                if len(body) + len(chunk) > LARGEST_BODY:
                    raise RequestError(413, TOO_LARGE, CLOSE)
                if len(chunk) > self._left:
                    detail = "Too much is being sent at once; try again soon."
                    raise RequestError(503, detail, {"Retry-After": "1"})
                self._left -= len(chunk)
                body += chunk
        except asyncio.CancelledError as cancelled:
            if LATE not in cancelled.args:
                raise
            if hasattr(task, "uncancel"):  # from Python 3.11 on
                task.uncancel()
            raise RequestError(408, LATE, CLOSE) from None
        except ClientDisconnect:
            raise RequestError(400, "The connection ended before the body did.", CLOSE) from None
        finally:
            timer.cancel()
