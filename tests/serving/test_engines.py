"""The core of the page in Chromium, Firefox and WebKit: what must work for everybody.

The other tests of the page run in Chromium alone.
"""

import base64
import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from engines import ENGINES, Engine, Strokes, Window, wait_until
from visits import FOUR, GIVE, ONE, SEVEN, answering, png, written_again

from benchmarks.harness.browser import Host, hosted
from digits.data.mnist import Mnist

ZERO = [
    [
        (110 + 35 * math.sin(turn), 125 - 65 * math.cos(turn))
        for turn in np.linspace(0, 2 * math.pi, 13)
    ]
]
ON_DEVICE = "Your writing is read on this device."
# What Firefox does to resist fingerprinting, for engines that have no such setting.
NOISE = """
const { getImageData } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.getImageData = function (...area) {
  const image = getImageData.apply(this, area);
  image.data.forEach((_, i) => { image.data[i] = 256 * Math.random(); });
  return image;
};"""


@pytest.fixture(scope="module", params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.param
    if missing := engine.missing():
        reason = f"not installed: {', '.join(missing)}"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    return engine


@pytest.fixture(scope="module")
def window(engine: Engine) -> Iterator[Window]:
    """One for all tests: each has its host on a port of its own, hence storage of its own."""
    with engine.start(False) as command:
        yield Window(command)


@pytest.fixture(scope="module")
def strict_window(engine: Engine) -> Iterator[Window]:
    """Of a browser that lets pages store nothing and, in Firefox, see no pixels of canvases."""
    with engine.start(True) as command:
        yield Window(command)


def placed(strokes: Strokes, x: float, y: float, scale: float) -> Strokes:
    return [[(x + scale * a, y + scale * b) for a, b in stroke] for stroke in strokes]


def drop(window: Window, content: bytes) -> None:
    encoded = base64.b64encode(content).decode()
    window.run(f"({GIVE})(arguments[0])", ["drop", encoded, "image/png"])


def wait_until_kept(window: Window) -> None:
    """Waits until the page would open without a network."""
    window.run("return navigator.serviceWorker.ready.then(() => null)")


def test_loads_and_reads_on_the_device(window: Window, host: Host) -> None:
    window.load(host.url)
    window.expect("state", ON_DEVICE)
    assert "leaves this device" in window.text("privacy")
    wait_until_kept(window)
    sent = len(host.sent)
    window.draw(SEVEN + FOUR)
    window.expect("number", "74")
    assert window.text("spoken").startswith("Read: 74.")
    assert len(host.sent) == sent  # nothing left the device


def test_reads_digits_drawn_slowly_and_fast_small_and_large(window: Window, host: Host) -> None:
    window.load(host.url)
    for scale, milliseconds, steps in ((0.5, 0, 1), (1.2, 10, 4)):
        number = [
            *placed(FOUR, -120 * scale, 0, scale),
            *placed(ZERO, 60 * scale, 0, scale),
            *placed(SEVEN, 220 * scale, 0, scale),
        ]
        window.draw(number, milliseconds, steps)
        window.expect("number", "407")
        window.press("Escape")
        window.expect("number", "–")


def test_a_tap_leaves_visible_ink(window: Window, host: Host) -> None:
    window.load(host.url)
    window.draw([[(100, 100)]])
    visible = """
      const board = document.getElementById("board");
      const scale = board.width / board.clientWidth;
      const { data } = board.getContext("2d").getImageData(98 * scale, 98 * scale, 5, 5);
      return data.filter((value, i) => i % 4 === 3 && value > 200).length;"""
    assert window.run(visible) == 25
    assert window.text("number") != "–"


def test_undo_redo_and_clear(window: Window, host: Host) -> None:
    window.load(host.url)
    window.draw(SEVEN + ONE)
    window.expect("number", "71")
    window.click("undo")
    window.expect("number", "7")
    window.click("redo")
    window.expect("number", "71")
    window.click("clear")
    window.expect("number", "–")
    window.press("Control", "z")
    window.expect("number", "71")


def test_reads_what_the_keyboard_writes(window: Window, host: Host) -> None:
    window.load(host.url)
    window.press("Tab")
    window.press(" ")
    window.expect("spoken", "Pen down")
    for _ in range(5):
        window.press("Shift", "ArrowRight")
    for _ in range(7):
        window.press("ArrowLeft", "Shift", "ArrowDown")
    window.press(" ")
    window.expect("number", "7")


def test_reads_a_dropped_picture(window: Window, host: Host, mnist: Mnist) -> None:
    host.missing = ("predict",)
    window.load(host.url)
    drop(window, png(mnist.train_images[0]))
    window.expect("number", str(mnist.train_labels[0]))
    assert window.text("picture-state").startswith("Read on this device")
    drop(window, b"no picture")
    wait_until(lambda: "cannot open digit.png" in window.text("picture-state"))


def test_reads_without_a_network_after_the_first_visit(window: Window, site_folder: Path) -> None:
    with hosted(site_folder, base="/some/where/") as host:
        window.load(host.url)
        wait_until_kept(window)
    window.load(host.url)  # from a host that is no longer there
    window.expect("state", ON_DEVICE)
    window.draw(SEVEN)
    window.expect("number", "7")


def test_an_update_is_offered_and_loaded(
    window: Window, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.load(host.url)
    wait_until_kept(window)
    other = "Write any number"
    host.site = written_again(tmp_path, monkeypatch, "index.html", "{{headline}}", other)
    heading = "return document.querySelector('h1').innerText"
    assert window.run(heading) == "Write a number"
    window.run(
        "return navigator.serviceWorker.getRegistration().then((kept) => kept.update())"
        ".then(() => null)"
    )
    wait_until(lambda: window.run("return !document.getElementById('update').hidden"))
    window.draw(SEVEN)
    window.expect("number", "7")  # the old version still works
    window.click("update-now")
    wait_until(lambda: window.run(heading) == "Write any number")
    window.wait_until_loaded()
    window.expect("state", ON_DEVICE)


def test_says_that_the_server_reads_if_webassembly_is_blocked(
    window: Window, host: Host, service: str
) -> None:
    asked: list[str] = []
    host.policy = host.policy.replace("'wasm-unsafe-eval'", "")
    host.predict = answering(service, asked)
    window.load(host.url)
    window.expect(
        "state",
        "The model cannot run here (it could not be loaded), so the server reads what you draw.",
    )
    asked.clear()
    window.draw(ONE, milliseconds=20, steps=40)
    window.expect("number", "1")
    assert len(asked) == 1  # not one for each movement
    window.draw(FOUR)
    window.expect("number", "41")
    assert len(asked) <= 3
    text = window.run("return document.body.innerText")
    assert "sent to this site's server, which reads it" in text
    assert "your device" not in text
    assert "leaves this device" not in text


def test_reads_strokes_where_canvases_give_back_noise(
    engine: Engine, strict_window: Window, host: Host, mnist: Mnist
) -> None:
    window = strict_window
    host.missing = ("predict",)
    window.load(host.url)
    if engine.name != "firefox":
        window.run(NOISE)
    window.draw(SEVEN + FOUR)
    window.expect("number", "74")
    drop(window, png(mnist.train_images[0]))
    wait_until(lambda: "hides the pixels of digit.png" in window.text("picture-state"))
    window.expect("number", "74")  # nothing is made up


def test_reads_where_nothing_may_be_stored(strict_window: Window, host: Host) -> None:
    window = strict_window
    window.load(host.url)
    window.expect("state", ON_DEVICE)
    assert window.run("try { localStorage.x = 1 } catch { return true }")
    window.draw(SEVEN + FOUR)
    window.expect("number", "74")
    window.click("undo")
    wait_until(lambda: window.text("number") != "74")
