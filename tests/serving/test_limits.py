"""Limits on slow, large and many requests; a stop answers every request that was begun."""

import asyncio
import http.client
import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import uvicorn
from services import PNG, Client, Started, png, running
from slow_reading import WAIT, SlowReader, order
from uvicorn.server import ServerState

from digits.reading.reader import Reader
from digits.serving.app import create_app
from digits.serving.connections import protocol
from digits.serving.reading_processes import bodies, pool
from digits.serving.reading_processes.memory import MB, Budget


def test_an_answer_is_not_held_back_until_acknowledged(client: Client) -> None:
    """Without TCP_NODELAY the kernel holds back the second part of every answer for 40 ms."""
    client.get("/healthz")
    seconds = []
    for _ in range(50):
        started = time.perf_counter()
        client.get("/healthz")
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.03


def test_a_slow_body_is_refused(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.3)
    with running(create_app(reader)) as at:
        slow = http.client.HTTPConnection(*at, timeout=30)
        slow.putrequest("POST", "/predict")
        slow.putheader("Content-Type", "image/png")
        slow.putheader("Content-Length", "1000")
        slow.endheaders()
        slow.send(b"\x89PNG")
        answer = slow.getresponse()
        assert answer.status == 408
        assert "did not arrive within" in json.loads(answer.read())["detail"]
        slow.close()


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_slow_header_ends_the_connection(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 0.3)
    with running(create_app(reader)) as at, socket.create_connection(at, timeout=30) as slow:
        slow.sendall(sent)
        started = time.monotonic()
        assert slow.recv(1000) == b""
        assert time.monotonic() - started < 10


def test_an_endless_header_is_refused(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=30) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\n")
        answer = b""
        try:
            for _ in range(100):
                endless.sendall(b"X-More: " + b"0" * 10_000 + b"\r\n")
            answer = endless.recv(1000)
        except OSError:  # it was closed while we wrote
            pass
    assert not answer or answer.startswith(b"HTTP/1.1 431")


def test_a_body_may_arrive_in_one_piece_with_its_header(address: tuple[str, int]) -> None:
    body = json.dumps({"canvas": [[0] * 256] * 256}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection(address, timeout=30) as line:
        line.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        assert line.recv(100).startswith(b"HTTP/1.1 200")


def test_more_requests_than_may_wait_are_refused_and_the_others_answered(
    picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MOST_WAITING", 3)
    with running(create_app(SlowReader(), processes=1000)) as (host, port):  # one reads

        def ask(content: bytes) -> httpx.Response:
            url = f"http://{host}:{port}/predict"
            return httpx.post(url, content=content, headers=PNG, timeout=60)

        with ThreadPoolExecutor(10) as threads:
            answers = [*threads.map(ask, [png(order(WAIT))] * 10)]
        later = ask(picture)
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 503}
    assert sum(answer.status_code == 200 for answer in answers) >= 3
    for answer in answers:
        if answer.status_code == 503:
            assert answer.headers["retry-after"] == "1"
            assert "try again" in answer.json()["detail"]
    assert later.status_code == 200


def test_memory_for_bodies_is_limited(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget(processes=1, each=100 * MB, one=100 * MB, bodies=1000)
    monkeypatch.setattr(Budget, "of", lambda *_: budget)
    with running(create_app(reader)) as (host, port):

        def send(count: int) -> httpx.Response:
            return httpx.post(f"http://{host}:{port}/predict", content=b"0" * count, headers=PNG)

        assert send(1001).status_code == 503
        assert send(1001).headers["retry-after"] == "1"
        assert [send(900).status_code for _ in range(3)] == [422] * 3


def _talk(at: tuple[str, int], *pieces: bytes, seconds: float = 30) -> bytes:
    """All that comes back until the connection ends, for what is sent in pieces."""
    with socket.create_connection(at, timeout=seconds) as line:
        received = b""
        try:
            for piece in pieces:
                line.sendall(piece)
            while more := line.recv(1 << 16):
                received += more
        except (BrokenPipeError, ConnectionResetError):  # it was closed while we wrote
            pass
        return received


def test_trailers_are_limited_and_change_nothing(address: tuple[str, int]) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nConnection: close\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    some = _talk(address, chunked + b"Content-Type: text/plain\r\n\r\n")
    assert b"HTTP/1.1 422" in some[:20]  # image/png still, and not a picture
    lines = b"X-More: " + b"0" * 10_000 + b"\r\n"
    endless = _talk(address, chunked, *[lines] * 1000)
    assert not endless or endless.startswith(b"HTTP/1.1 431")


def test_what_is_idle_is_closed_whatever_was_sent(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(protocol.SETTINGS, "timeout_keep_alive", 0.5)
    with running(create_app(reader)) as at, socket.create_connection(at, timeout=30) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert line.recv(1 << 16).startswith(b"HTTP/1.1 200")
        line.sendall(b"\r\n")
        started = time.monotonic()
        while line.recv(1000):
            pass
        assert time.monotonic() - started < 10


def test_idle_connections_make_room_and_busy_ones_are_told(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "most_connections", lambda: 3)
    with running(create_app(reader)) as at, ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(at, timeout=30)) for _ in range(9)]
        assert httpx.get("http://{}:{}/readyz".format(*at)).status_code == 200
        assert silent[0].recv(10) == b""
        half = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        busy = [stack.enter_context(socket.create_connection(at, timeout=30)) for _ in range(3)]
        for line in busy:
            line.sendall(half)
        time.sleep(0.3)
        refused = _talk(at, b"")
    head, _, body = refused.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1" in head
    assert b"application/problem+json" in head
    assert json.loads(body)["detail"].endswith(".")


def test_what_is_no_http_gets_a_problem(address: tuple[str, int]) -> None:
    answer = _talk(address, b"\x16\x03\x01 hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer


def test_few_open_files_are_enough_and_the_log_stays_json(started: Started) -> None:
    process, url = started("--port", "0", limit_files=64)
    at = httpx.URL(url)
    lines = []
    try:
        for _ in range(100):
            lines.append(socket.create_connection((at.host, at.port or 80), timeout=30))
        time.sleep(1.5)
        assert httpx.get(f"{url}/readyz", timeout=30).status_code == 200
    finally:
        for line in lines:
            line.close()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert len(errors) < 100_000
    for text in errors.splitlines():
        if "npm" not in text:
            json.loads(text)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_under_load_answers_every_accepted_request(
    started: Started, workers: str, picture: bytes
) -> None:
    process, url = started("--workers", workers)
    answering: set[int] = set()
    while len(answering) < int(workers):  # every process
        answering.add(httpx.get(f"{url}/healthz", timeout=60).json()["process"])
    statuses: list[int] = []
    stop = threading.Event()

    def load() -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not stop.is_set():
                try:
                    answer = client.post("/predict", content=picture, headers=PNG)
                except httpx.HTTPError:  # it no longer listens; what it had accepted is counted
                    return
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    while len(statuses) < 30:
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert process.returncode == 0
    lines = errors.splitlines()
    if "npm" in lines[0]:  # this was the first to need the runtime for browsers
        lines.pop(0)
    requests = [json.loads(line) for line in lines]  # nothing else
    accepted = [line for line in requests if line.get("path") == "/predict"]
    assert set(statuses) == {200} == {line["status"] for line in accepted}
    assert len(accepted) == len(statuses)
    assert max(map(len, lines)) < 400  # nothing of the pictures


def test_a_connection_accepted_during_the_stop_is_closed_too() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        length = [(b"content-length", b"3")]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": b"yes"})

    async def talk() -> list[bytes]:
        config = uvicorn.Config(app, **protocol.SETTINGS)
        config.load()
        state = ServerState()
        made: list[protocol.Connection] = []

        def connection() -> protocol.Connection:
            made.append(protocol.Connection(config, state, {}))
            return made[-1]

        listening = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
        at = listening.sockets[0].getsockname()
        early = await asyncio.open_connection(*at)
        while not state.connections:
            await asyncio.sleep(0.01)
        made[0].shutdown()  # as uvicorn does with every connection it knows
        late, silent = [await asyncio.open_connection(*at) for _ in range(2)]
        late[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        lines = early, late, silent
        received = await asyncio.wait_for(asyncio.gather(*(line[0].read() for line in lines)), 5)
        for _, writer in lines:
            writer.close()
        listening.close()
        return received

    early, late, silent = asyncio.run(talk())
    assert early == silent == b""
    assert b"connection: close" in late
    assert late.endswith(b"yes")
