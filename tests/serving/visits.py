"""Visits of the page in a real browser, strokes to draw on it, and what it then says."""

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from services import running

from benchmarks.harness import browser as browsing
from benchmarks.harness.browser import Host, hosted, open_page
from digits import bundle
from digits.data.mnist import Bytes
from digits.errors import DigitsError
from digits.reading.reader import Reader
from digits.serving import site
from digits.serving.app import create_app

# In pixels of the drawing area.
SEVEN = [[(40, 60), (110, 58), (70, 190)], [(45, 120), (105, 118)]]
FOUR = [[(160, 60), (150, 130), (220, 130)], [(200, 80), (198, 190)]]
ONE = [[(275, 60), (270, 190)]]
SCRIBBLE = [
    [(30, 30), (200, 150), (40, 160), (210, 40), (30, 100), (220, 100), (120, 20), (110, 190)]
]

REFUSED = ("Failed to load resource: the server responded with", "Refused to execute script")

Visit = Callable[..., Page]
expect.set_options(timeout=20_000)  # milliseconds; a machine may have other work


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    try:
        browsing.executable()
    except DigitsError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(str(error))
    with browsing.chromium() as browser:
        yield browser


@pytest.fixture
def host(site_folder: Path) -> Iterator[Host]:
    """A file host with the site, which is not at the root, and no server that reads."""
    with hosted(site_folder, base="/some/where/") as host:
        yield host


@pytest.fixture
def visit(chromium: Browser, host: Host) -> Iterator[Visit]:
    """Opens the page: `visit(width, height, **context)`.

    At the end the test fails if a page had an error, a breach of the security policy, or anything
    else on the console.
    """
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            wrong.append(message.text)

    def open_one(width: int = 1000, height: int = 700, **options: object) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type] # of every kind
        context.set_default_timeout(20_000)
        contexts.append(context)
        context.on("console", heard)
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        page = context.new_page()
        open_page(page, host)
        return page

    yield open_one
    for context in contexts:
        context.close()
    if host.missing or host.predict:  # the browser logs an error when a host refuses
        wrong = [text for text in wrong if not text.startswith(REFUSED)]
    assert wrong == []


def number(page: Page) -> str:
    return page.locator("#number").inner_text()


def spoken(page: Page) -> str:
    return page.locator("#spoken").inner_text()


def wait_until_kept(page: Page) -> None:
    """Waits until the page would open without a network."""
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")


def written_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, before: str, after: str
) -> Path:
    """A site of which one file has other words; `site.WEB` is its source for the rest of the
    test."""
    web = folder / "web"
    shutil.copytree(site.WEB, web)
    file = web / name
    file.write_text(file.read_text().replace(before, after))
    monkeypatch.setattr(site, "WEB", web)
    site.build(folder / "site", bundle.read())
    return folder / "site"


def png(digit: Bytes, enlarged: int = 6) -> bytes:
    """A digit of MNIST as a picture: dark on white."""
    whole = np.pad(
        255 - np.kron(digit, np.ones((enlarged, enlarged), np.uint8)), 20, constant_values=255
    )
    file = BytesIO()
    Image.fromarray(whole.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def give(page: Page, how: str, content: bytes, kind: str = "image/png") -> None:
    """Drops or pastes a file."""
    page.evaluate(GIVE, [how, base64.b64encode(content).decode(), kind])


GIVE = """([how, content, kind]) => {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "digit.png", { type: kind }));
  const events = {
    drop: () => new DragEvent("drop", { dataTransfer: transfer, bubbles: true }),
    paste: () => new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }),
  };
  document.body.dispatchEvent(events[how]());
}"""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The URL of a running service."""
    with running(create_app(Reader())) as (address, port):
        yield f"http://{address}:{port}"


def answering(service: str, asked: list[str]) -> browsing.Predict:
    """Answers the page with what a service answers."""

    def predict(kind: str, body: bytes) -> tuple[int, str]:
        asked.append(kind)
        headers = {"Content-Type": kind}
        answer = httpx.post(f"{service}/predict", content=body, headers=headers, timeout=60)
        return answer.status_code, answer.text

    return predict
