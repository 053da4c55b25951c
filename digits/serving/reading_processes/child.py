"""A process that reads: takes one request after another, and answers each within its memory."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from digits.bundle import CANVAS_SIDE, DIGIT_SIDE
from digits.pictures.grey import PictureTooLarge
from digits.reading.reader import Reader
from digits.serving.errors import RequestError
from digits.serving.reading_processes.memory import MB, trimming
from digits.serving.reading_processes.messages import (
    REQUEST,
    Body,
    Kind,
    Reply,
    Request,
    Task,
)
from digits.terminal import own_words_only

AT_ONCE = 64 << 10  # bytes, of most requests with their bodies
FREED = 4 * MB  # more than at rest; from this much on, what is free goes back to the system
BRIEF = 0.05  # seconds, in which a request takes little memory
FIRST_TO_DIE = 500  # for the kernel, when memory runs out: a process that reads, not the service


def run(reader: Reader, connection: socket.socket) -> None:
    """Answers what comes by the connection, until its other end is closed."""
    for name in ("SIGINT", "SIGTERM"):  # which may go to all processes; the service ends us
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(FIRST_TO_DIE))
    with own_words_only(), suppress(OSError, EOFError), connection:
        _load(reader)  # no request waits for it
        connection.sendall(Reply(Kind.READY).encoded())
        allow, trim = _memory_limit(), trimming()
        at_rest = _resident()
        while received := connection.recv(AT_ONCE):
            request, body = _request(connection, received)
            allow(request.memory)
            begun = time.monotonic()
            _answer(reader, request, body, lambda reply: connection.sendall(reply.encoded()))
            del body
            if time.monotonic() - begun > BRIEF and _resident() > at_rest + FREED:
                trim()


def _load(reader: Reader) -> None:
    """Reads a stroke, with everything that reads."""
    page = np.full((DIGIT_SIDE, DIGIT_SIDE), 255, np.uint8)
    page[6:22, 13:16] = 0
    reader.canvas(np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8))
    reader.classify(page)
    reader.read(page)


def _answer(
    reader: Reader, request: Request, content: bytearray, send: Callable[[Reply], None]
) -> None:
    body = Body(content, request.content_type, request.encoding, request.inference_length)
    deadline = time.monotonic() + request.seconds
    task = Task(reader, body, request.most_pixels, deadline, request.done)
    try:
        for reply in request.work(task):
            send(reply)
    except RequestError as error:
        send(Reply(Kind.ANSWER, error.detail.encode(), error.status_code))
    except (MemoryError, PictureTooLarge) as error:
        if not request.last:
            send(Reply(Kind.TOO_LARGE))
            return
        detail = str(error)
        if isinstance(error, MemoryError):
            detail = (
                f"The request takes more than the {request.memory // MB} MB of memory that there "
                "are for one; make the picture smaller."
            )
        send(Reply(Kind.ANSWER, detail.encode(), 413))
    except Exception:
        send(Reply(Kind.FAILED, traceback.format_exc().encode()))


def _request(connection: socket.socket, received: bytes) -> tuple[Request, bytearray]:
    """A request and its body, whose beginning has been received. Raises EOFError if the connection
    is closed before its end."""
    start = bytearray(received)
    while len(start) < REQUEST.size:
        start += _more(connection, REQUEST.size - len(start))
    length, size = REQUEST.unpack_from(start)
    before = REQUEST.size + length
    while len(start) < before:
        start += _more(connection, before - len(start))
    request: Request = pickle.loads(memoryview(start)[REQUEST.size : before])
    at = len(start) - before
    del start[:before]
    if at == size:
        return request, start
    body = bytearray(size)
    body[:at] = start
    view = memoryview(body)
    while at < size:
        count = connection.recv_into(view[at:])
        if not count:
            raise EOFError
        at += count
    return request, body


def _more(connection: socket.socket, size: int) -> bytes:
    received = connection.recv(size)
    if not received:
        raise EOFError
    return received


def _memory_limit() -> Callable[[int], None]:
    """A function that allows the process so many bytes more than it has now.

    Beyond them, Python raises a MemoryError. Only Linux counts what a process has of its own.
    """
    at_rest = _status("VmData")
    if not at_rest:
        return lambda memory: None
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    before = 0

    def allow(memory: int) -> None:
        nonlocal before
        if memory != before:
            limit = at_rest + memory
            if hard != resource.RLIM_INFINITY:
                limit = min(limit, hard)
            resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
            before = memory

    return allow


def _resident() -> int:
    """The bytes of memory that the process has; 0 if that is not known."""
    with suppress(OSError), open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _status(name: str) -> int:
    """A size in bytes of /proc/self/status; 0 if there is none."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) << 10
    return 0
