"""The service under attacks of many kinds, with 1 GiB of memory.

    python -m benchmarks.attacks               writes benchmarks/results/attacks.jsonl
    python -m benchmarks.attacks bombs         measures one of the kinds again
    python -m benchmarks.attacks --summary     prints what was measured

`digits serve` runs in a control group of 1 GiB, which takes root, or else with `ulimit -v` of 1 GiB
for each of its processes. Each line has the statuses of the answers (0: the connection was closed
without one), the largest memory of all processes together while it was attacked (proportional set
sizes, looked at every 20 ms), the seconds from the end of the attack until a digit was read again,
and whether a process of the service was killed. Run nothing else meanwhile. It takes five minutes.
"""

import contextlib
import gzip
import json
import os
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks import RESULTS_FOLDER
from benchmarks.attacks.files import batch, blank, png, predict, striped
from benchmarks.attacks.service import Watch, limited, memory
from benchmarks.harness import command_line, http_load
from benchmarks.harness.http_load import Address
from benchmarks.harness.json_lines import Line, Lines
from benchmarks.harness.service import get
from benchmarks.serve import pictures

RESULTS = RESULTS_FOLDER / "attacks.jsonl"
LIMIT = 1 << 30  # bytes
PATIENCE = 90  # seconds for an answer
AT_ONCE = 8  # clients
SOCKETS = 1005  # that stay idle
TRAILERS = 100 << 20  # bytes

Statuses = Counter[str]


def ask(address: Address, request: bytes) -> str:
    """The status of the answer to a request, on a connection of its own."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(address, timeout=PATIENCE) as line,
    ):
        line.sendall(request)
        if found := re.match(rb"HTTP/1.1 (\d+)", line.recv(1 << 16)):
            return found[1].decode()
    return "0"


def ask_all(address: Address, requests: Sequence[bytes]) -> Statuses:
    """The statuses of the answers to requests that several clients send at once."""
    with ThreadPoolExecutor(AT_ONCE) as clients:
        return Counter(clients.map(lambda request: ask(address, request), requests))


def bombs(address: Address) -> Statuses:
    """Small files that hold many pixels, or much of something else."""
    pages = gzip.compress(bytes(64 << 20))
    files = [
        predict(blank("WEBP", 8191, 8191, lossless=True), "image/webp"),
        predict(png(1, 64_000_000)),
        predict(png(64_000_000, 1)),
        predict(png(8192, 8192)),
        predict(png(8192, 8192, colour_type=6)),
        predict(png(8192, 8192, colour_type=2, bits=16)),
        predict(png(4000, 3000, colour_type=6)),
        predict(png(20_000, 20_000)),
        predict(blank("TIFF", 8000, 8000, compression="tiff_lzw"), "image/tiff"),
        predict(blank("GIF", 8000, 8000), "image/gif"),
        predict(blank("JPEG", 8000, 8000), "image/jpeg"),
        predict(pages, "image/bmp", "gzip"),
        http_load.post("/predict", "application/json", b"[" * 1_000_000),
        http_load.post("/predict", "application/json", b'{"pixels": [' + b"1," * 5_000_000),
        http_load.post("/v2/models/digit/infer", "application/json", b'{"inputs":' * 300_000),
    ]
    return ask_all(address, files * 2)


def bodies(address: Address) -> Statuses:
    """As many large bodies as there can be."""
    return ask_all(address, [predict(os.urandom(16 << 20))] * 24)


def abandoned(address: Address) -> Statuses:
    """Sixteen batches of sixteen pictures that take long, and nobody who waits for them."""
    request, lines = batch(striped(), 16), []
    for _ in range(16):
        line = socket.create_connection(address, timeout=PATIENCE)
        line.sendall(request)
        lines.append(line)
    for line in lines:
        line.close()
    return Counter()


def slow_pictures(address: Address) -> Statuses:
    """Pictures that take long, from clients that do wait."""
    return ask_all(address, [predict(striped())] * 24)


def trailers(address: Address) -> Statuses:
    """Trailers without end."""
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    line_of_trailers = b"X-More: " + b"0" * 60_000 + b"\r\n"
    return ask_all(address, [head + line_of_trailers * (TRAILERS // 16 // 60_000)] * 16)


def idle(address: Address) -> Statuses:
    """A thousand connections that send an empty line after an answer, and stay."""
    statuses: Statuses = Counter()
    with contextlib.ExitStack() as stack:
        for _ in range(SOCKETS):
            with contextlib.suppress(OSError):
                line = stack.enter_context(socket.create_connection(address, timeout=PATIENCE))
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                line.recv(4096)
                line.sendall(b"\r\n")
        for _ in range(20):
            statuses[ask(address, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")] += 1
    return statuses


def headers(address: Address) -> Statuses:
    """Headers that are too long, too many, or not what they should be."""
    infer = http_load.post("/v2/models/digit/infer", "application/octet-stream", b"{}")
    length = b"\r\nInference-Header-Content-Length: "
    requests = [
        infer.replace(b"\r\n", length + b"5" * 5001 + b"\r\n", 1),
        infer.replace(b"\r\n", length + "²".encode() + b"\r\n", 1),
        infer.replace(b"\r\n", length + b"-1\r\n", 1),
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01" + os.urandom(500),
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HEAD /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    return ask_all(address, requests * 4)


ATTACKS: dict[str, Callable[[Address], Statuses]] = {
    one.__name__: one for one in (bombs, bodies, abandoned, slow_pictures, trailers, idle, headers)
}
STOPPED = "stopped"  # SIGTERM with a full queue


def attacked(name: str, limit: int = LIMIT) -> Line:
    """What one kind of attack does to a service that has been started for it."""
    digit = predict(pictures()[0])
    with limited(limit) as (process, address, how):
        number = json.loads(get(address, "/healthz"))["process"]
        at_rest = memory(process.pid)
        with Watch(process.pid) as watch:
            started = time.perf_counter()
            statuses = ATTACKS[name](address)
            ended = time.perf_counter()
            while (status := ask(address, digit)) != "200":
                assert status in ("0", "503"), status
                assert time.perf_counter() < ended + PATIENCE, "it never answered again"
                time.sleep(0.02)
            ready = time.perf_counter() - ended
        time.sleep(1)
        after = memory(process.pid)
        killed = json.loads(get(address, "/healthz"))["process"] != number
    return {
        "statuses": dict(sorted(statuses.items())),
        "seconds": ended - started,
        "ready_seconds": ready,
        "rest_mb": at_rest / 1e6,
        "peak_mb": watch.peak / 1e6,
        "after_mb": after / 1e6,
        "killed": killed,
        "limited_by": how,
    }


def stopped(limit: int = LIMIT) -> Line:
    """How the service ends by SIGTERM while pictures that take long fill every place."""
    request = batch(striped(), 16)
    with limited(limit) as (process, address, how), ThreadPoolExecutor(24) as clients:
        answers = [clients.submit(ask, address, request) for _ in range(24)]
        time.sleep(2)
        started = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        status = process.wait(PATIENCE)
        seconds = time.perf_counter() - started
        statuses = Counter(answer.result() for answer in answers)
    return {
        "statuses": dict(sorted(statuses.items())),
        "seconds": seconds,
        "exit_status": status,
        "limited_by": how,
    }


PARTS = {name: partial(attacked, name) for name in ATTACKS} | {STOPPED: stopped}


def summary(lines: Lines) -> str:
    """What was measured, a line each."""
    text = []
    for one in lines:
        end = (
            f"ended after {one['seconds']:.1f} s with status {one['exit_status']}"
            if one["what"] == STOPPED
            else f"memory {one['rest_mb']:.0f} MB, at most {one['peak_mb']:.0f}, "
            f"{one['after_mb']:.0f} afterwards; a digit is read after "
            f"{one['ready_seconds']:.2f} s{'; KILLED' if one['killed'] else ''}"
        )
        text.append(f"{one['what']}: {one['statuses']}; {end}")
    return "\n".join(text) or command_line.NOTHING


if __name__ == "__main__":
    command_line.main_of_parts(__doc__, RESULTS, PARTS, summary)
