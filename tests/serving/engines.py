"""The engines of today's browsers, each driven as WebDriver says: Blink in Chromium, Gecko in
Firefox, and WebKit in the MiniBrowser of WebKitGTK.

Chromium and WebKit come with a driver that takes commands over HTTP. Firefox takes the same
commands itself, over a socket (its Marionette protocol). Geckodriver, which would translate, is not
in Debian.
"""

import json
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.harness import browser as browsing

Command = Callable[[str, Mapping[str, Any]], Any]  # name in WebDriver, parameters -> value
Strokes = Sequence[Sequence[tuple[float, float]]]
PATIENCE = 30  # seconds, for a machine that is busy with other things
HTTP = {  # by the command's name
    "Navigate": "url",
    "ExecuteScript": "execute/sync",
    "PerformActions": "actions",
}
MINI_BROWSER = f"/usr/lib/{platform.machine()}-linux-gnu/webkit2gtk-4.1/MiniBrowser"
STORES = ("CacheAPI", "IndexedDBAPI", "LocalStorage", "ServiceWorkers")  # WebKit's names


@dataclass(frozen=True)
class Engine:
    """An engine, and how a browser with it is started.

    Attributes:
        packages: Debian's, by the programs that are needed from them.
        start: starts a browser and gives what takes commands for its window. A strict one lets
            pages store nothing and, if it can, gives them noise in place of a canvas's pixels.
    """

    name: str
    packages: Mapping[str, str]
    start: Callable[[bool], AbstractContextManager[Command]]

    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [package for name, package in self.packages.items() if shutil.which(name) is None]


@contextmanager
def chromium(strict: bool) -> Iterator[Command]:
    settings = {"profile.default_content_setting_values.cookies": 2} if strict else {}
    options = {
        "binary": browsing.executable(),
        "args": [*browsing.arguments(), "--headless=new", "--window-size=1200,900"],
        "prefs": settings,
    }
    with driven("chromedriver", {"goog:chromeOptions": options}) as command:
        yield command


@contextmanager
def webkit(strict: bool) -> Iterator[Command]:
    """On a screen of its own, since it cannot do without one."""
    features = ["--features=" + ",".join(f"-{name}" for name in STORES)] if strict else []
    options = {"binary": MINI_BROWSER, "args": ["--automation", *features]}
    with ExitStack() as until:
        read, write = os.pipe()
        screen = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24"]
        until.enter_context(process([*screen, "-nolisten", "tcp"], pass_fds=[write]))
        os.close(write)
        with os.fdopen(read) as number:
            display = f":{number.readline().strip()}"
        environment = {"DISPLAY": display, "WEBKIT_DISABLE_COMPOSITING_MODE": "1"}  # half the time
        capabilities = {"webkitgtk:browserOptions": options}
        yield until.enter_context(driven("WebKitWebDriver", capabilities, **environment))


@contextmanager
def firefox(strict: bool) -> Iterator[Command]:
    settings = {
        "marionette.port": 0,  # any; Firefox writes the one that it took into the profile
        "network.cookie.cookieBehavior": 2 if strict else 0,  # 2 blocks every storage
        "privacy.resistFingerprinting": strict,  # as in Tor Browser and LibreWolf
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, ExitStack() as until:
        lines = [f'user_pref("{name}", {json.dumps(value)});' for name, value in settings.items()]
        (Path(profile) / "user.js").write_text("\n".join(lines))
        until.enter_context(
            process(["firefox-esr", "--headless", "--marionette", "--profile", profile])
        )
        file = Path(profile) / "MarionetteActivePort"
        wait_until(lambda: file.exists() and file.read_text())
        connection = until.enter_context(
            socket.create_connection(("127.0.0.1", int(file.read_text())), PATIENCE)
        )
        received = until.enter_context(connection.makefile("rb"))

        def message() -> Any:
            """One message: its length, a colon, and JSON."""
            length = b""
            while (sign := received.read(1)) not in (b":", b""):
                length += sign
            return json.loads(received.read(int(length)))

        message()  # its greeting

        def command(name: str, parameters: Mapping[str, Any]) -> Any:
            sent = json.dumps([0, 1, f"WebDriver:{name}", parameters]).encode()
            connection.sendall(b"%d:%s" % (len(sent), sent))
            _, _, error, result = message()
            assert error is None, error["message"]
            return result.get("value")

        command("NewSession", {})
        yield command


ENGINES = (
    Engine("chromium", {"chromium": "chromium", "chromedriver": "chromium-driver"}, chromium),
    Engine("firefox", {"firefox-esr": "firefox-esr"}, firefox),
    Engine(
        "webkit",
        {
            "WebKitWebDriver": "webkit2gtk-driver",
            MINI_BROWSER: "libwebkit2gtk-4.1-0",
            "Xvfb": "xvfb",
        },
        webkit,
    ),
)


@contextmanager
def process(arguments: Sequence[str], **options: Any) -> Iterator[None]:
    """A program that runs within the block, without output."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(arguments, stdout=quiet, stderr=quiet, **options) as running:
        try:
            yield
        finally:
            running.terminate()


@contextmanager
def driven(driver: str, capabilities: Mapping[str, Any], **environment: str) -> Iterator[Command]:
    """A session with a driver that takes commands over HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        process([driver, f"--port={port}"], env=os.environ | environment),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client,
    ):

        def send(method: str, path: str, content: Any = None) -> Any:
            answer = client.request(method, path, json=content).json()["value"]
            assert not (isinstance(answer, dict) and "error" in answer), answer
            return answer

        def listening() -> bool:
            try:
                return bool(send("GET", "/status"))
            except httpx.TransportError:
                return False

        wait_until(listening)
        wanted = {"capabilities": {"alwaysMatch": capabilities}}
        session = f"/session/{send('POST', '/session', wanted)['sessionId']}"
        try:
            yield lambda name, parameters: send("POST", f"{session}/{HTTP[name]}", parameters)
        finally:
            send("DELETE", session)  # ends the browser, too


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass(frozen=True)
class Window:
    """A window of a browser, as its user sees it."""

    command: Command

    def load(self, url: str) -> None:
        """Opens the page and waits until its model is loaded, or it knows that there is none."""
        self.command("Navigate", {"url": url})
        self.wait_until_loaded()

    def wait_until_loaded(self) -> None:
        state = "return document.body?.dataset.state"
        wait_until(lambda: self.run(state) not in (None, "loading"))

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of a function's body in the page, once it is there if it is a promise."""
        return self.command("ExecuteScript", {"script": script, "args": arguments})

    def text(self, name: str) -> str:
        """What the element with this id says."""
        return self.run("return document.getElementById(arguments[0]).innerText.trim()", name)

    def expect(self, name: str, text: str) -> None:
        """Waits until the element with this id says exactly this."""
        deadline = time.monotonic() + PATIENCE
        while (said := self.text(name)) != text and time.monotonic() < deadline:
            time.sleep(0.02)
        assert said == text

    def draw(self, strokes: Strokes, milliseconds: int = 0, steps: int = 1) -> None:
        """Draws strokes with the mouse, and waits until they have been read.

        Points are in pixels of the drawing area. On the way to each point are `steps` movements,
        each of which takes some `milliseconds`.
        """
        left, top = self.run(
            "const box = document.getElementById('board').getBoundingClientRect();"
            "return [box.left, box.top]"
        )
        actions: list[dict[str, Any]] = []
        for stroke in strokes:
            before = stroke[0]
            actions += [moved(left + before[0], top + before[1]), DOWN]
            for point in stroke[1:]:
                for step in range(1, steps + 1):
                    x, y = (a + (b - a) * step / steps for a, b in zip(before, point, strict=True))
                    actions.append(moved(left + x, top + y))
                    if milliseconds:
                        actions.append({"type": "pause", "duration": milliseconds})
                before = point
            actions.append(UP)
        self.act({"type": "pointer", "id": "mouse", "actions": actions})
        self.settle()

    def click(self, name: str) -> None:
        """Clicks the middle of the element with this id."""
        x, y = self.run(
            "const box = document.getElementById(arguments[0]).getBoundingClientRect();"
            "return [(box.left + box.right) / 2, (box.top + box.bottom) / 2]",
            name,
        )
        self.act({"type": "pointer", "id": "mouse", "actions": [moved(x, y), DOWN, UP]})

    def press(self, *keys: str) -> None:
        """Presses keys, each while those before it are held, and releases them."""
        actions = [{"type": "keyDown", "value": KEYS.get(key, key)} for key in keys]
        actions += [{"type": "keyUp", "value": KEYS.get(key, key)} for key in reversed(keys)]
        self.act({"type": "key", "id": "keyboard", "actions": actions})

    def act(self, source: Mapping[str, Any]) -> None:
        self.command("PerformActions", {"actions": [source]})

    def settle(self) -> None:
        """Waits until everything that was drawn has been read."""
        busy = "return document.getElementById('reading').ariaBusy"
        wait_until(lambda: self.run(busy) == "false")


DOWN, UP = ({"type": f"pointer{way}", "button": 0} for way in ("Down", "Up"))
KEYS = {  # WebDriver's signs for keys that write none
    "Control": "\ue009",
    "Shift": "\ue008",
    "Escape": "\ue00c",
    "Tab": "\ue004",
    "ArrowLeft": "\ue012",
    "ArrowRight": "\ue014",
    "ArrowDown": "\ue015",
}


def moved(x: float, y: float) -> dict[str, Any]:
    return {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
