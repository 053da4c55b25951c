"""Requests over HTTP/1.1, many of them, by no more than is needed to write and read them."""

import asyncio
import socket
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


async def ask(line: Line, request: bytes) -> int:
    """The status of an answer, which must tell its length and is read to its end."""
    line.writer.write(request)
    status, length, last = told(await line.reader.readuntil(b"\r\n\r\n"))
    await line.reader.readexactly(length)
    if last:
        line.writer.close()
    return status


def told(head: bytes) -> tuple[int, int, bool]:
    """Of an answer's head: status, length of the body, whether the connection ends with it."""
    fields = head.lower().split(b"\r\n")
    length = next(int(one.split(b":")[1]) for one in fields if one.startswith(b"content-length:"))
    return int(fields[0].split()[1]), length, b"connection: close" in fields


def one_after_another(address: tuple[str, int], requests: Sequence[bytes]) -> list[Answer]:
    """Over one connection, each when the one before is answered.

    By the socket itself, since an event loop on this side would take a tenth of what is measured.
    """
    answers = []
    with socket.create_connection(address) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            started = time.perf_counter()
            line.sendall(request)
            answer = received(line)
            while (end := answer.find(b"\r\n\r\n")) < 0:
                answer += received(line)
            status, length, _ = told(answer[:end])
            while len(answer) < end + 4 + length:
                answer += received(line)
            answers.append(Answer(status, time.perf_counter() - started))
    return answers


def received(line: socket.socket) -> bytes:
    """What has come, of what must come."""
    content = line.recv(1 << 16)
    if not content:
        raise EOFError("The connection ended before the answer did.")
    return content


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
            status = await ask(line, request)
            count += status == 200  # not in one: others count while this one waits
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
            status = await ask(line, request)
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
