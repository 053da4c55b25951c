"""No request takes more memory, pixels or time than it may, and none keeps the others waiting."""

import gzip
import io
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image
from services import PNG, png, running
from slow_reading import DIE, FAIL, HANG, TAKE, SlowReader, order

from benchmarks.attacks import __main__ as attacks
from benchmarks.attacks import files
from digits.reading.reader import Reader
from digits.serving.app import create_app
from digits.serving.reading_processes import pool
from digits.serving.reading_processes.memory import MB, Budget, pixels

# A lossless WebP of 8191 × 8191 pixels of one colour, whole.
WEBP = bytes.fromhex("524946461a000000574542505650384c0e0000002ffe9fff07071011fd0f4444ff03")
SECONDS = 2.0  # for a request, in these tests


@pytest.fixture(scope="module")
def busy() -> Iterator[str]:
    """The address of a service with two processes that read, and little of everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "READING_SECONDS", SECONDS)
        patch.setattr(pool, "WAITING_SECONDS", SECONDS)
        budget = Budget(processes=2, each=80 * MB, one=90 * MB, bodies=4 * MB)
        patch.setattr(Budget, "of", lambda *_: budget)
        with running(create_app(SlowReader())) as (host, port):
            yield f"http://{host}:{port}"


@pytest.fixture
def ask(busy: str) -> Iterator[Any]:
    with httpx.Client(base_url=busy, timeout=30) as client:

        def send(number: int) -> httpx.Response:
            return client.post("/predict", content=png(order(number)), headers=PNG)

        yield send


def test_a_picture_that_takes_too_long_is_given_up(ask: Any, busy: str, picture: bytes) -> None:
    started = time.monotonic()
    answer = ask(HANG)
    assert answer.status_code == 413
    assert "more than 2.0 seconds" in answer.json()["detail"]
    assert time.monotonic() - started < 30
    assert httpx.post(f"{busy}/predict", content=picture, headers=PNG).json()["digits"] == "72"


def test_a_picture_that_takes_too_much_memory_is_refused(ask: Any) -> None:
    answer = ask(TAKE)
    assert answer.status_code == 413
    assert "more than the 90 MB of memory" in answer.json()["detail"]


def test_a_process_that_dies_takes_nothing_with_it(ask: Any, busy: str, picture: bytes) -> None:
    answer = ask(DIE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert ask(FAIL).status_code == 500
    assert ask(FAIL).headers["content-type"] == "application/problem+json"
    assert httpx.post(f"{busy}/predict", content=picture, headers=PNG).json()["digits"] == "72"


def test_a_picture_with_too_many_pixels_is_not_decoded(busy: str) -> None:
    """34 bytes of WebP hold 8191 × 8191 pixels."""
    content = io.BytesIO()
    Image.new("1", (8191, 8191)).save(content, "PNG")
    answer = httpx.post(f"{busy}/predict", content=content.getvalue(), headers=PNG, timeout=30)
    assert answer.status_code == 413
    assert f"more than the limit of {pixels(90 * MB):,}" in answer.json()["detail"]
    batch = httpx.post(f"{busy}/predict/batch", files=[("file", content.getvalue())], timeout=30)
    assert batch.status_code == 413


def test_attacks_change_nothing_with_1_gib(reader: Reader, picture: bytes) -> None:
    """The quick ones of `python -m benchmarks.attacks`."""
    budget = Budget.of(1 << 30, 2)
    bombs = [
        files.predict(WEBP, "image/webp"),
        files.predict(files.png(1, 64_000_000)),
        files.predict(files.png(8192, 8192, bits=1)),
        files.predict(gzip.compress(bytes(64 << 20)), "image/bmp", "gzip"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Budget, "of", lambda *_: budget)
        app = create_app(reader)
    with running(app) as address:
        assert [attacks.ask(address, bomb) for bomb in bombs] == ["413"] * 4
        assert {*attacks.headers(address)} <= {"0", "200", "400", "431"}
        assert {*attacks.trailers(address)} <= {"0", "431"}
        assert attacks.ask(address, files.predict(picture)) == "200"


def test_a_larger_picture_is_read_by_one_process_at_a_time(ask: Any, busy: str) -> None:
    between = (pixels(80 * MB) + pixels(90 * MB)) // 2
    content = io.BytesIO()
    Image.new("L", (1000, between // 1000), 255).save(content, "PNG")

    def send(_: int) -> int:
        answer = httpx.post(f"{busy}/predict", content=content.getvalue(), headers=PNG, timeout=30)
        return answer.status_code

    with ThreadPoolExecutor(2) as threads:
        assert set(threads.map(send, range(2))) <= {200, 413}  # on a slow machine out of time


def test_of_a_batch_out_of_time_what_was_read_is_answered(busy: str, picture: bytes) -> None:
    parts = [("file", one) for one in (picture, b"?", png(order(HANG)), picture)]
    answer = httpx.post(f"{busy}/predict/batch", files=parts, timeout=30)
    first, broken, *unread = answer.json()["pictures"]
    assert first["digits"] == "72"
    assert "not a picture" in broken["error"]
    assert [list(one) for one in unread] == [["error"]] * 2
    assert "not read within" in unread[0]["error"]


def test_who_hangs_up_keeps_nobody_waiting(busy: str, picture: bytes) -> None:
    """As many batches as may wait, of pictures that hang, and nobody who waits for the answers."""
    parts = [("file", png(order(HANG)))] * 16
    request = httpx.Request("POST", f"{busy}/predict/batch", files=parts)
    head = "".join(f"{key}: {value}\r\n" for key, value in request.headers.items())
    body = f"POST /predict/batch HTTP/1.1\r\n{head}\r\n".encode() + request.read()
    lines = []
    for _ in range(pool.MOST_WAITING):
        line = socket.create_connection((request.url.host, request.url.port or 80))
        line.sendall(body)
        lines.append(line)
    time.sleep(0.3)  # two are being read, the others wait
    for line in lines:
        line.close()
    started, status = time.monotonic(), 503
    while status == 503:
        status = httpx.post(f"{busy}/predict", content=picture, headers=PNG, timeout=30).status_code
    assert status == 200
    assert time.monotonic() - started < pool.MOST_WAITING * SECONDS / 2 / 2  # if all were read


def test_waiting_has_an_end(ask: Any) -> None:
    with ThreadPoolExecutor(16) as threads:
        statuses = [*threads.map(lambda _: ask(HANG).status_code, range(10))]
    assert set(statuses) == {413, 503}  # out of time, or never begun
