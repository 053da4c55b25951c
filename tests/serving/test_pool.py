"""The service's side of the processes that read; here none is started."""

import asyncio

import pytest

from digits.reading.reader import Reader
from digits.serving.reading_processes import pool
from digits.serving.reading_processes.memory import MB, Budget
from digits.serving.reading_processes.messages import Kind, Reply
from digits.serving.reading_processes.pool import ReadingProcess, ReadingProcesses

BUDGET = Budget(processes=1, each=80 * MB, one=90 * MB, bodies=4 * MB)


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
