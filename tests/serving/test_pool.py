"""The service's side of the processes that read; here none is started."""

import asyncio
import json
import time

import pytest
from starlette.datastructures import Headers
from starlette.responses import Response

from digits.reading.reader import Reader
from digits.serving.errors import RequestError
from digits.serving.reading_processes import answers, pool
from digits.serving.reading_processes.memory import MB, Budget
from digits.serving.reading_processes.messages import Kind, Reply, Request
from digits.serving.reading_processes.pool import ReadingProcess, ReadingProcesses

BUDGET = Budget(processes=1, each=80 * MB, one=90 * MB, bodies=4 * MB)
BATCH = b"two pictures"  # of which `Busy` reads one


def test_a_process_that_cannot_start_is_started_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fork server that has ended gives EOFError, a lack of open files OSError."""
    errors = [EOFError(), OSError(24, "Too many open files"), RuntimeError("something else")]

    async def start(self: ReadingProcess, reader: Reader) -> None:
        if errors:
            raise errors.pop(0)
        self.data_received(Reply(Kind.READY).encoded())

    async def run() -> None:
        processes = ReadingProcesses(reader, BUDGET)
        await processes.start()
        assert processes.ready
        await processes.stop()

    monkeypatch.setattr(ReadingProcess, "start", start)
    monkeypatch.setattr(pool, "AGAIN", 0)
    monkeypatch.setattr(pool, "START_SECONDS", 5)
    asyncio.run(run())
    assert [line.count("reading process") for line in capsys.readouterr().err.splitlines()] == [
        1
    ] * 3


class Busy:
    """In place of a process: what it is asked takes too much memory, or else for ever."""

    def __init__(self, idle: asyncio.Queue[object]) -> None:
        self.idle, self.ended = idle, asyncio.get_running_loop().create_future()
        self.asked: list[Request] = []

    async def ask(self, head: Request, body: bytearray, parts: list[Reply], _: float) -> Reply:
        self.asked.append(head)
        if body == BATCH:
            parts += [Reply(Kind.COUNTED, total=2), Reply(Kind.PART, b'"read"')]
        await asyncio.sleep(60 if head.last else 0.1)
        self.idle.put_nowait(self)
        return Reply(Kind.TOO_LARGE)


def test_waiting_to_take_more_memory_has_an_end(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of large pictures, one is read at a time, and the others wait for that, too."""
    monkeypatch.setattr(pool, "WAITING_SECONDS", 0.5)

    async def run() -> None:
        processes = ReadingProcesses(reader, BUDGET)
        both = [Busy(processes._idle) for _ in range(2)]  # type: ignore[arg-type] # as a process
        for one in both:
            one.idle.put_nowait(one)

        async def send(body: bytes = b"") -> Response:
            return await processes._answer(Headers(), bytearray(body), answers.predict_batch)

        first = asyncio.create_task(send())
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        error, batch = await asyncio.gather(send(), send(BATCH), return_exceptions=True)
        assert isinstance(error, RequestError)
        assert error.status_code == 503
        assert isinstance(batch, Response)  # what was read before is answered
        read, unread = json.loads(bytes(batch.body))["pictures"]
        assert read == "read"
        assert "not read within" in unread["error"]
        assert 0.5 <= time.monotonic() - begun < 5
        (larger,) = (head for one in both for head in one.asked if head.last)
        assert larger.seconds <= pool.READING_SECONDS - 0.1  # of which a part is over
        first.cancel()

    asyncio.run(asyncio.wait_for(run(), 10))
