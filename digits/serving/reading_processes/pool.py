"""The processes that read, as the service sees them: which is free, and what each may take."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import pickle
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from digits.reading.reader import Reader
from digits.serving import problems, telemetry
from digits.serving.errors import RequestError
from digits.serving.reading_processes import answers, child
from digits.serving.reading_processes.bodies import Bodies
from digits.serving.reading_processes.memory import Budget, pixels
from digits.serving.reading_processes.messages import (
    INFERENCE_LENGTH,
    REPLY,
    REQUEST,
    Kind,
    Reply,
    Request,
    Work,
)

MOST_WAITING = 12  # requests that are read or wait for a process, in each service
READING_SECONDS = 10  # for each request, while a process has it
WAITING_SECONDS = 10  # for each request, while none has it
AT_ONCE = 64 << 10  # bytes, which are worth a copy to be sent with what precedes them
GRACE = 0.25  # seconds for what nobody waits for any more; then its process is replaced
START_SECONDS = 60
# What reading imports only when it needs it, besides the module that reads.
IMPORTED = ("cc3d", "PIL.PngImagePlugin", "PIL.JpegImagePlugin", answers.__name__)
AGAIN = 1.0  # seconds after which a process that did not start is started again
RETRY = {"Retry-After": "1"}


class Ended(Exception):  # noqa: N818 - what happened to a process; the client is told in other words
    """A process that read has ended; `late` says that it was our doing, after its time."""

    def __init__(self, late: bool) -> None:
        super().__init__(late)
        self.late = late


class ReadingProcess(asyncio.Protocol):
    """A process that reads, and our end of the connection to it."""

    def __init__(self, on_idle: Callable[[ReadingProcess], None]) -> None:
        self._on_idle = on_idle
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._answer: asyncio.Future[Reply] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._killed = self._late = False
        self._parts: list[Reply] = []
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self.ready = False

    async def start(self, reader: Reader) -> None:
        """Starts the process, which says by itself when it is ready."""
        methods = multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context(
            "forkserver" if "forkserver" in methods else "spawn"
        )
        if "forkserver" in methods:  # it imports what reads once, for all
            context.set_forkserver_preload([child.__name__, *IMPORTED])
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = context.Process(target=child.run, args=(reader, theirs), daemon=True)
            try:
                self._process.start()
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        await self._loop.create_connection(lambda: self, sock=ours)

    async def ask(
        self, head: Request, body: bytes | bytearray, parts: list[Reply], grace: float
    ) -> Reply:
        """The last reply to a request; of a batch, `parts` gets those before it.

        Cancelled, it gives the process `grace` seconds more. Raises Ended.
        """
        self._answer, self._parts = self._loop.create_future(), parts
        pickled = pickle.dumps(head)
        before = REQUEST.pack(len(pickled), len(body)) + pickled
        if len(body) < AT_ONCE:
            self._transport.write(before + body)
        else:
            self._transport.write(before)
            self._transport.write(body)
        self._timer = self._loop.call_later(head.seconds, self._too_late)
        try:
            return await self._answer
        except asyncio.CancelledError:
            if self._timer is not None:  # it has not answered yet
                self._timer.cancel()
                self._timer = self._loop.call_later(grace, self.kill)
            raise

    def kill(self) -> None:
        self._killed = True
        with suppress(AttributeError, ValueError):  # never started, or ended already
            self._process.kill()

    def _too_late(self) -> None:
        self._late = True
        self.kill()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= REPLY.size:
            length, kind, *fields = REPLY.unpack_from(self._received)
            end = REPLY.size + length
            if len(self._received) < end:
                return
            content = bytes(self._received[REPLY.size : end])
            del self._received[:end]
            self._got(Reply(Kind(kind), content, *fields))

    def _got(self, reply: Reply) -> None:
        if reply.kind in (Kind.COUNTED, Kind.PART):
            self._parts.append(reply)
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)
        self._answer = None
        self.ready = True
        if not self._killed:
            self._on_idle(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Ended(self._late))
        self.kill()
        if not self.ended.done():
            self.ended.set_result(None)


class ReadingProcesses:
    """All processes that read for a service, and the limits on what waits for them."""

    def __init__(self, reader: Reader, budget: Budget) -> None:
        self.budget = budget
        self._reader = reader
        self._bodies = Bodies(budget.bodies)
        self._places = asyncio.Semaphore(MOST_WAITING)
        self._large = asyncio.Lock()  # one at a time takes more memory than the others
        self._idle: asyncio.LifoQueue[ReadingProcess] = asyncio.LifoQueue()
        self._keepers: list[asyncio.Task[None]] = []
        self._processes: set[ReadingProcess] = set()

    @property
    def ready(self) -> bool:
        """Whether any process can read."""
        return any(process.ready for process in self._processes)

    async def start(self) -> None:
        """Starts the processes, and returns when all can read. Raises TimeoutError."""
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self.budget.processes)]
        with anyio.fail_after(START_SECONDS):
            while self._idle.qsize() < self.budget.processes:
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Ends the processes, whatever they are at."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _keep(self) -> None:
        """Keeps one process there, whatever becomes of it."""
        while True:
            process = ReadingProcess(self._idle.put_nowait)
            self._processes.add(process)
            try:
                await process.start(self._reader)
                await asyncio.shield(process.ended)
            except Exception as error:  # too many processes (EOFError of the fork server) or files
                telemetry.log("reading process", error=repr(error))
            finally:
                self._processes.discard(process)
                process.kill()
            if not process.ready:
                await asyncio.sleep(AGAIN)

    async def run(self, request: HttpRequest, work: Work) -> Response:
        """Runs `work` on a request's body in one of the processes, and returns the answer.

        Raises:
            RequestError: what the work raises; 413, the body is too large, or takes too much memory
                or time to read; 408, it comes too slowly; 503, there is too much else to do.
        """
        self._check_places()
        async with self._bodies.received(request) as body:
            self._check_places()
            async with self._places:
                with telemetry.WAITING.track_inprogress():
                    return await self._answer(request.headers, body, work)

    def _check_places(self) -> None:
        if self._places.locked():
            raise RequestError(503, "Too many requests are waiting; try again soon.", RETRY)

    async def _answer(self, headers: Headers, body: bytearray, work: Work) -> Response:
        parts: list[Reply] = []
        clock = asyncio.get_running_loop().time

        def head(memory: int, seconds: float, last: bool) -> Request:
            return Request(
                work,
                content_type=headers.get("content-type", ""),
                encoding=headers.get("content-encoding", ""),
                inference_length=headers.get(INFERENCE_LENGTH, ""),
                memory=memory,
                most_pixels=pixels(memory),
                seconds=seconds,
                done=sum(part.kind == Kind.PART for part in parts),
                last=last,
            )

        each, one = self.budget.each, self.budget.one
        try:
            end = clock() + WAITING_SECONDS
            process = await self._free(end)
            begun = clock()
            reply = await process.ask(head(each, READING_SECONDS, each == one), body, parts, GRACE)
            if reply.kind == Kind.TOO_LARGE:
                read = clock() - begun
                end += read  # of the waiting, which goes on
                async with self._alone(end):
                    process = await self._free(end)
                    again = head(one, READING_SECONDS - read, True)
                    reply = await process.ask(again, body, parts, 0)
        except (Ended, RequestError) as error:
            if not any(part.kind == Kind.PART for part in parts):
                raise _unanswered(error) if isinstance(error, Ended) else error from None
            reply = Reply(Kind.ANSWER)
        if reply.kind == Kind.FAILED:
            telemetry.log("fault", traceback=reply.content.decode())
            raise RequestError(500, problems.FAULT)
        if reply.status >= 400:
            raise RequestError(reply.status, reply.content.decode())
        replies = (*parts, reply)
        telemetry.ACCEPTED.inc(sum(one.accepted for one in replies))
        telemetry.REFUSED.inc(sum(one.refused for one in replies))
        if parts:
            return _of_batch(parts)
        if reply.json_length:
            extra = {INFERENCE_LENGTH: str(reply.json_length)}
            return Response(reply.content, headers=extra, media_type="application/octet-stream")
        return Response(reply.content, media_type="application/json")

    @asynccontextmanager
    async def _alone(self, end: float) -> AsyncIterator[None]:
        """The place of the one that takes more memory, when it is free. Raises RequestError."""
        with _until(end):
            await self._large.acquire()
        try:
            yield
        finally:
            self._large.release()

    async def _free(self, end: float) -> ReadingProcess:
        """A process that has nothing to do, when there is one. Raises RequestError."""
        while True:
            try:
                process = self._idle.get_nowait()
            except asyncio.QueueEmpty:
                with _until(end):
                    process = await self._idle.get()
            if not process.ended.done():
                return process


@contextmanager
def _until(end: float) -> Iterator[None]:
    """Waits in the block until a time of the loop's clock. Raises a RequestError, 503, then."""
    try:
        with anyio.fail_after(end - asyncio.get_running_loop().time()):
            yield
    except TimeoutError:
        detail = "Other requests take all the time there is; try again soon."
        raise RequestError(503, detail, RETRY) from None


def _unanswered(error: Ended) -> RequestError:
    if error.late:
        detail = f"The request takes more than {READING_SECONDS} seconds to read"
        return RequestError(413, f"{detail}; send less, or a smaller picture.")
    detail = (
        "The process that read this ended, perhaps because memory ran out; try again, with a "
        "smaller picture if this happens again."
    )
    return RequestError(503, detail, RETRY)


def _of_batch(parts: list[Reply]) -> Response:
    """What was read of a batch, in the order of its pictures."""
    total = next(part.total for part in parts if part.kind == Kind.COUNTED)
    read = [part.content for part in parts if part.kind == Kind.PART]
    unread = (
        f"The picture was not read within the {READING_SECONDS} seconds of a request; send it "
        "again, with fewer others."
    )
    read += [json.dumps({"error": unread}).encode()] * (total - len(read))
    return Response(b'{"pictures": [' + b", ".join(read) + b"]}", media_type="application/json")
