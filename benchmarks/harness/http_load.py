"""A small HTTP/1.1 client for many requests, which does no more than the measurement needs."""

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

MAX_CONNECTIONS = 1000

Address = tuple[str, int]


@dataclass(frozen=True)
class Answer:
    """What became of one request.

    Attributes:
        status: of HTTP; 0 if the connection ended without an answer.
        seconds: from when the request was due to the end of the answer.
    """

    status: int
    seconds: float


@dataclass(frozen=True)
class Connection:
    """An open connection to a server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


def post(path: str, content_type: str, body: bytes) -> bytes:
    """The bytes of a POST request."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def connect(address: Address) -> Connection:
    """Opens a connection."""
    return Connection(*await asyncio.open_connection(*address))


async def ask(connection: Connection, request: bytes) -> int:
    """Sends a request and reads the whole answer, which must have a Content-Length.

    Returns:
        the status of the answer.
    """
    connection.writer.write(request)
    status, length, last = parse_head(await connection.reader.readuntil(b"\r\n\r\n"))
    await connection.reader.readexactly(length)
    if last:
        connection.writer.close()
    return status


def parse_head(head: bytes) -> tuple[int, int, bool]:
    """The status of an answer, the length of its body, and whether the server then closes."""
    fields = head.lower().split(b"\r\n")
    length = next(int(one.split(b":")[1]) for one in fields if one.startswith(b"content-length:"))
    return int(fields[0].split()[1]), length, b"connection: close" in fields


def one_after_another(address: Address, requests: Sequence[bytes]) -> list[Answer]:
    """Sends requests over one connection, each when the one before has been answered.

    It uses the socket itself: an event loop on this side would be a tenth of what is measured.

    Raises:
        EOFError: the connection ended before the last answer.
    """
    answers = []
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            started = time.perf_counter()
            connection.sendall(request)
            answer = _receive(connection)
            while (end := answer.find(b"\r\n\r\n")) < 0:
                answer += _receive(connection)
            status, length, _ = parse_head(answer[:end])
            while len(answer) < end + 4 + length:
                answer += _receive(connection)
            answers.append(Answer(status, time.perf_counter() - started))
    return answers


def _receive(connection: socket.socket) -> bytes:
    """The bytes that have arrived."""
    content = connection.recv(1 << 16)
    if not content:
        raise EOFError("The connection ended before the answer did.")
    return content


async def as_many_as_possible(
    address: Address, request: bytes, connections: int, seconds: float
) -> float:
    """Sends a request over several connections again and again, each as soon as it has an answer.

    Returns:
        answers of status 200 a second.
    """
    end = time.perf_counter() + seconds
    count = 0

    async def keep_asking() -> None:
        nonlocal count
        connection = await connect(address)
        while time.perf_counter() < end:
            status = await ask(connection, request)
            count += status == 200  # after the await: other tasks count during it
        connection.writer.close()

    await asyncio.gather(*(keep_asking() for _ in range(connections)))
    return count / seconds


async def at_a_rate(address: Address, request: bytes, rate: float, seconds: float) -> list[Answer]:
    """Sends `rate` requests a second, whether or not the earlier ones have been answered.

    This is how independent clients behave (an open workload). A request that finds no free
    connection opens one.
    """
    free: list[Connection] = []
    answers: list[Answer] = []
    started = time.perf_counter()

    async def send(due: float) -> None:
        status = 0
        try:
            connection = free.pop() if free else await connect(address)
            status = await ask(connection, request)
            if not connection.writer.is_closing():
                free.append(connection)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            pass
        answers.append(Answer(status, time.perf_counter() - due))

    tasks: set[asyncio.Task[None]] = set()
    for number in range(int(rate * seconds)):
        due = started + number / rate
        while (wait := due - time.perf_counter()) > 0 or len(tasks) >= MAX_CONNECTIONS:
            await asyncio.sleep(max(wait, 0.001))
        task = asyncio.create_task(send(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    for connection in free:
        connection.writer.close()
    return answers
