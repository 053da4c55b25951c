"""A running service, for the tests that send requests to it."""

import asyncio
import io
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image
from processes import ROOT

from digits.data.mnist import Mnist
from digits.reading.reader import Reader
from digits.serving.app import create_app
from digits.serving.connections.protocol import SETTINGS, Server
from digits.serving.reading_processes.messages import Body, Task

JSON = {"Content-Type": "application/json"}
PNG = {"Content-Type": "image/png"}
Client = httpx.Client
Started = Callable[..., tuple[subprocess.Popen[str], str]]  # see `started`
FILES = {
    "index.html": b"<!doctype html><title>page</title>",
    "app-0123456789ab.js": b"export {}\n" * 100,
    "app-0123456789ab.js.gz": b"compressed",
    "app-0123456789ab.js.br": b"compressed more",
    "sw.js": b"self",
    "wasm-89abcdef/run.wasm": b"\0asm",
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def picture(mnist: Mnist) -> bytes:
    """Two test digits, dark on white, as PNG."""
    both = np.hstack([np.pad(255 - mnist.test_images[i], 8, constant_values=255) for i in (0, 1)])
    return png(both.repeat(3, axis=0).repeat(3, axis=1))


def png(pixels: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    check = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + check


@pytest.fixture(scope="module")
def address(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Host and port of a real server in a thread, with a folder of files in place of the page."""
    site = tmp_path_factory.mktemp("site")
    for name, content in FILES.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_bytes(content)
    (site.parent / "secret.txt").write_text("not for all")
    with running(create_app(reader, site)) as at:
        yield at


def task(reader: Reader, content: bytes, content_type: str, pixels: int = 1 << 20) -> Task:
    """A request as the work on it sees it, for work that is done in this process."""
    body = Body(content, content_type, "", "")
    return Task(reader, body, pixels, time.monotonic() + 60, 0)


def ask(app: Any, path: str, root_path: str = "", **request: Any) -> httpx.Response:
    """What an application answers that no server runs."""

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://digits") as client:
            return await client.get(path, **request)

    return asyncio.run(get())


@contextmanager
def running(app: Any, another: int | None = None) -> Iterator[tuple[str, int]]:
    """Serves an application within the block, at the host and port that it gives, and at `another`
    port."""
    server = Server(uvicorn.Config(app, **SETTINGS))
    with ExitStack() as stack:
        ports = [0] if another is None else [0, another]
        listeners = [
            stack.enter_context(socket.create_server(("127.0.0.1", port))) for port in ports
        ]
        listener = listeners[0]
        thread = threading.Thread(target=server.run, args=(listeners,))
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join(60)
    assert not thread.is_alive()


@pytest.fixture
def client(address: tuple[str, int]) -> Iterator[Client]:
    with httpx.Client(base_url="http://{}:{}".format(*address), timeout=60) as client:
        yield client


@pytest.fixture
def started() -> Iterator[Started]:
    """Starts `digits serve` as a user does: `process, url = started("--workers", "2")`."""
    processes = []

    def start(
        *arguments: str,
        limit_files: int | None = None,
        temporary: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "digits.cli", "serve", "--no-browser", "--port", "0"]
        if limit_files is not None:
            command = ["sh", "-c", f'ulimit -n {limit_files}; exec "$0" "$@"', *command]
        more = {} if temporary is None else {"TMPDIR": str(temporary)}
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env={**os.environ, **more, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"Listening on (http://[\d.:]+|/\S+)", line)
        assert found, line
        return process, found[1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()
