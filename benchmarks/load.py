"""Requests over HTTP/1.1, many of them, by no more than is needed to write and read them."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

LIMIT = 1000  # connections


@dataclass(frozen=True)
class Answer:
    """One request's fate.

    Attributes:
        status: of HTTP; 0 if the connection ended without an answer.
        seconds: from when it was due to the end of the answer.
    """

    status: int
    seconds: float


@dataclass(frozen=True)
class Line:
    """A connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


def post(path: str, content_type: str, body: bytes) -> bytes:
    """The bytes of a request."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def connect(address: tuple[str, int]) -> Line:
    return Line(*await asyncio.open_connection(*address))


async def ask(line: Line, request: bytes) -> tuple[int, bytes]:
    """Status and body of an answer, which must tell its length."""
    line.writer.write(request)
    head = await line.reader.readuntil(b"\r\n\r\n")
    fields = head.lower().split(b"\r\n")
    status = int(fields[0].split()[1])
    length = next(int(one.split(b":")[1]) for one in fields if one.startswith(b"content-length:"))
    body = await line.reader.readexactly(length)
    if b"connection: close" in fields:
        line.writer.close()
    return status, body


async def one_after_another(address: tuple[str, int], requests: Sequence[bytes]) -> list[Answer]:
    """Over one connection, each when the one before is answered."""
    line = await connect(address)
    answers = []
    for request in requests:
        started = time.perf_counter()
        status, _ = await ask(line, request)
        answers.append(Answer(status, time.perf_counter() - started))
    line.writer.close()
    return answers


async def as_many_as_possible(
    address: tuple[str, int], request: bytes, connections: int, seconds: float
) -> float:
    """Good answers a second over so many connections, each always waiting for one."""
    end = time.perf_counter() + seconds
    count = 0

    async def ask_on() -> None:
        nonlocal count
        line = await connect(address)
        while time.perf_counter() < end:
            status, _ = await ask(line, request)
            count += status == 200
        line.writer.close()

    await asyncio.gather(*(ask_on() for _ in range(connections)))
    return count / seconds


async def at_a_rate(
    address: tuple[str, int], request: bytes, rate: float, seconds: float
) -> list[Answer]:
    """So many requests a second, whether or not those before are answered yet, as from people who
    know nothing of each other. A request that finds no free connection opens one."""
    free: list[Line] = []
    answers: list[Answer] = []
    started = time.perf_counter()

    async def send(due: float) -> None:
        status = 0
        try:
            line = free.pop() if free else await connect(address)
            status, _ = await ask(line, request)
            if not line.writer.is_closing():
                free.append(line)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            pass
        answers.append(Answer(status, time.perf_counter() - due))

    tasks: set[asyncio.Task[None]] = set()
    for number in range(int(rate * seconds)):
        due = started + number / rate
        while (wait := due - time.perf_counter()) > 0 or len(tasks) >= LIMIT:
            await asyncio.sleep(max(wait, 0.001))
        task = asyncio.create_task(send(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    for line in free:
        line.writer.close()
    return answers
