"""A file host for the site, and Debian's Chromium to open it in, for tests and benchmarks."""

import base64
import hashlib
import mimetypes
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright

from digits.errors import DigitsError
from digits.serving.app import POLICY

HASHED = re.compile(r"-[0-9a-f]{16}/")
TYPES = {".js": "text/javascript", ".wasm": "application/wasm", ".svg": "image/svg+xml"}
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


class Sent(NamedTuple):
    """An answer that was sent: its path, and the bytes of its headers and of its content."""

    path: str
    head: int
    content: int


Predict = Callable[[str, bytes], tuple[int, str]]  # content type, body -> status, JSON


@dataclass
class Host:
    """A running host.

    Attributes:
        url: of the page.
        site: the folder that it serves; may be changed at any time.
        predict: answers `POST /predict`; None answers 404, as a file host does.
        missing: paths that contain one of these answer 404, although the files exist.
        policy: the security policy of the pages.
        sent: every answer so far.
    """

    url: str
    site: Path
    predict: Predict | None = None
    missing: tuple[str, ...] = ()
    policy: str = POLICY
    sent: list[Sent] = field(default_factory=list)


@contextmanager
def hosted(site: Path, port: int = 0, base: str = "/") -> Iterator[Host]:
    """Serves a site with caching and compression, under the path `base` of a port (0: any port)."""
    host = Host("", site)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            name = path.removeprefix(base) or "index.html"
            file = host.site / name
            hidden = any(part in path for part in host.missing)
            if not path.startswith(base) or ".." in name or hidden or not file.is_file():
                return self.answer(404, b"not here", "text/plain")
            accepted = self.headers.get("Accept-Encoding", "")
            coding = next(
                (
                    coding
                    for coding, ending in (("br", ".br"), ("gzip", ".gz"))
                    if coding in accepted and file.with_name(file.name + ending).exists()
                ),
                None,
            )
            ending = {"br": ".br", "gzip": ".gz", None: ""}[coding]
            content = file.with_name(file.name + ending).read_bytes()
            kind = TYPES.get(file.suffix) or mimetypes.guess_type(name)[0] or "text/plain"
            return self.answer(200, content, kind, coding, bool(HASHED.search(path)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if host.predict is None:
                return self.answer(404, b"not here", "text/plain")
            status, content = host.predict(self.headers["Content-Type"], body)
            return self.answer(status, content.encode(), "application/json")

        def answer(
            self,
            status: int,
            content: bytes,
            kind: str,
            coding: str | None = None,
            hashed: bool = False,
        ) -> None:
            headers = {
                "Content-Type": kind,
                "Content-Length": str(len(content)),
                "Cache-Control": "max-age=31536000, immutable" if hashed else "no-cache",
                "Content-Security-Policy": host.policy,
                "X-Content-Type-Options": "nosniff",
            }
            if coding:
                headers |= {"Content-Encoding": coding, "Vary": "Accept-Encoding"}
            if self.command == "GET" and status == 200:
                headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
                if headers["ETag"] == self.headers.get("If-None-Match"):
                    status, content = 304, b""
                    del headers["Content-Length"]
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            head = [f"HTTP/1.1 {status} OK", *(f"{name}: {of}" for name, of in headers.items()), ""]
            host.sent.append(Sent(self.path, sum(len(line) + 2 for line in head), len(content)))
            with suppress(ConnectionError):  # the browser may have closed the connection
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    host.url = f"http://127.0.0.1:{server.server_port}{base}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def executable() -> str:
    """The path of Chromium.

    Raises:
        DigitsError: it is not installed.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise DigitsError("Chromium is not installed; install it, on Debian as package chromium.")
    return found


def arguments() -> list[str]:
    """The flags that Chromium is started with."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*ARGUMENTS, *(["--no-sandbox"] if root else [])]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A new browser, without a window.

    Raises:
        DigitsError: Chromium is not installed.
    """
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments())
        try:
            yield browser
        finally:
            browser.close()


def open_page(page: Page, host: Host) -> None:
    """Opens the page and waits until its model is loaded, or it knows that there is none."""
    page.goto(host.url)
    page.locator("body:not([data-state=loading])").wait_for(timeout=60_000)


def settle(page: Page) -> None:
    """Waits until everything that was drawn has been read."""
    page.locator("#reading[aria-busy=false]").wait_for()


def draw(page: Page, strokes: Sequence[Sequence[tuple[float, float]]], steps: int = 1) -> None:
    """Draws strokes with the mouse; points are in pixels of the drawing area."""
    box = page.locator("#board").bounding_box()
    assert box
    for (x, y), *points in strokes:
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        for x, y in points:
            page.mouse.move(box["x"] + x, box["y"] + y, steps=steps)
        page.mouse.up()
    settle(page)


def ask(page: Page, canvases: NDArray[np.uint8], repeat: int = 1) -> list[dict[str, Any]]:
    """Reads canvases with the page's own model.

    Args:
        canvases: uint8 of shape (n, 256, 256).
        repeat: how often each canvas is read.

    Returns:
        for each canvas `probabilities`, `accepted`, and the `milliseconds` of each time.
    """
    encoded = [base64.b64encode(canvas.tobytes()).decode() for canvas in canvases]
    return page.evaluate(ASK, [encoded, repeat])


# Imported by the same address as the page does, so that it is the module of the running page.
MAIN = "await import(document.querySelector('script[src$=\"/main.js\"]').src)"
CANVAS_URL = "document.querySelector('link[href$=\"/canvas.js\"]').href"
CANVAS = f"await import({CANVAS_URL})"
ASK = f"""async ([canvases, repeat]) => {{
  const reader = await ({MAIN}).ready;
  const answers = [];
  for (const canvas of canvases) {{
    const bytes = Uint8Array.from(atob(canvas), (sign) => sign.charCodeAt(0));
    const milliseconds = [];
    let answer;
    for (let i = 0; i < repeat; i += 1) {{
      const started = performance.now();
      answer = await reader.read(bytes);
      milliseconds.push(performance.now() - started);
    }}
    const {{ probabilities, accepted }} = answer;
    answers.push({{ probabilities, accepted, milliseconds }});
  }}
  return answers;
}}"""
OWN_CANVAS = f"""async () => {{
  const module = {MAIN};
  const {{ ofStrokes }} = {CANVAS};
  const bytes = Array.from(ofStrokes(module.strokes()));
  return btoa(bytes.map((byte) => String.fromCharCode(byte)).join(""));
}}"""


def own_canvas(page: Page) -> NDArray[np.uint8]:
    """The canvas (256, 256) that the page gives its model, of all that is drawn as one digit."""
    return np.frombuffer(base64.b64decode(page.evaluate(OWN_CANVAS)), np.uint8).reshape(256, 256)
