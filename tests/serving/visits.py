"""Visits of the page in a real browser, strokes to draw on it, and what it then says."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from benchmarks.harness import browser as browsing
from benchmarks.harness.browser import Host, hosted, open_page
from digits.errors import DigitsError

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
