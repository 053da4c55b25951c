"""Does the page read what people draw, in a real browser, on their device, with and without a
network?"""

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
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FilePayload, Page, expect
from test_serve import running

from benchmarks import browser as browsing
from benchmarks.browser import Host, draw, hosted, open_page, settle
from digits import bundle, data, site
from digits.errors import DigitsError
from digits.reader import Reader
from digits.serve import create_app

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
    """A file host with the site, not at the root, and no server that reads."""
    with hosted(site_folder, base="/some/where/") as host:
        yield host


@pytest.fixture
def visit(chromium: Browser, host: Host) -> Iterator[Visit]:
    """Opens the page: `visit(width, height, **context)`. Afterwards nothing may have gone wrong in
    any of the pages: no error, no breach of the security policy, nothing on the console."""
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
    if host.missing or host.predict:  # the browser itself calls it an error if a host refuses
        wrong = [text for text in wrong if not text.startswith(REFUSED)]
    assert wrong == []


def number(page: Page) -> str:
    return page.locator("#number").inner_text()


def spoken(page: Page) -> str:
    return page.locator("#spoken").inner_text()


def caches(page: Page) -> list[str]:
    return page.evaluate("caches.keys()")


# Looks for a newer site, and waits until that is installed or given up.
UPDATE = """async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  await registration.update();
  const worker = registration.installing;
  await new Promise((done) => {
    const look = () => worker?.state === "installing" || done();
    worker?.addEventListener("statechange", look);
    look();
  });
}"""


def wait_until_kept(page: Page) -> None:
    """Waits until the page is there without a network, too."""
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")


# Writing.


def test_reads_a_number_written_with_the_mouse(visit: Visit, host: Host) -> None:
    page = visit()
    expect(page.locator("#state")).to_have_text("Read on this device.")
    wait_until_kept(page)
    sent = len(host.sent)
    for strokes, expected in ((SEVEN, "7"), (FOUR, "74"), (ONE, "741")):
        draw(page, strokes, steps=5)
        assert number(page) == expected
    assert spoken(page).startswith("Read: 741. 7, 9")
    cards = page.locator("#cards > li")
    assert cards.count() == 3
    assert (cards.nth(1).get_attribute("aria-label") or "").startswith("4, 9")
    bars = cards.nth(1).locator(".bars li").all_inner_texts()
    shares = [float(bar.split(":")[1].removesuffix("\u00a0%")) for bar in bars]
    assert len(shares) == 10
    assert np.argmax(shares) == 4
    assert sum(shares) == pytest.approx(100, abs=1)
    assert len(host.sent) == sent  # nothing left the device


def test_reads_while_a_stroke_is_being_written(visit: Visit) -> None:
    page = visit()
    box = page.locator("#board").bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 110, box["y"] + 60, steps=5)
    page.mouse.move(box["x"] + 60, box["y"] + 190, steps=5)
    expect(page.locator("#number")).to_have_text("7")
    assert spoken(page) == ""  # who listens is not told of every pixel
    page.mouse.up()
    settle(page)
    assert spoken(page).startswith("Read: 7.")


def test_reads_what_a_finger_wrote_and_ignores_a_second_one(visit: Visit) -> None:
    page = visit(390, 700, has_touch=True, is_mobile=True)
    box = page.locator("#board").bounding_box()
    assert box
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": box["x"] + x, "y": box["y"] + y, "id": i} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    for first, *points in FOUR:
        touch("touchStart", first)
        for point in points:
            touch("touchMove", point)
        touch("touchStart", points[-1], (300, 20))
        touch("touchMove", points[-1], (310, 180))
        touch("touchEnd")
    settle(page)
    assert number(page) == "4"
    assert page.evaluate("scrollY") == 0  # writing is not scrolling


def test_reads_what_the_keyboard_wrote(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("Tab")
    expect(page.locator("#board")).to_be_focused()
    page.keyboard.press(" ")
    assert spoken(page) == "Pen down"
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.down("ArrowLeft")
    for _ in range(7):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.up("ArrowLeft")
    page.keyboard.press(" ")
    expect(page.locator("#number")).to_have_text("7")
    settle(page)
    assert "Read: 7." in spoken(page)
    names = []
    for _ in range(7):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.id"))
    assert names[:5] == ["undo", "clear", "pen", "file", "why"]  # redo can do nothing yet
    page.locator("#why").press(" ")
    expect(page.locator("#why-note")).to_be_visible()


def test_undo_redo_and_clear(visit: Visit) -> None:
    page = visit()
    undo, redo, clear = (page.locator(f"#{name}") for name in ("undo", "redo", "clear"))
    for button in (undo, redo, clear):
        expect(button).to_be_disabled()
    expect(page.locator("#hint")).to_be_visible()
    draw(page, SEVEN + ONE)
    assert number(page) == "71"
    undo.click()
    expect(page.locator("#number")).to_have_text("7")
    redo.click()
    expect(page.locator("#number")).to_have_text("71")
    expect(redo).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator("#number")).to_have_text("–")
    expect(page.locator("#hint")).to_be_visible()
    assert page.locator("#cards > li").count() == 0
    page.keyboard.press("Control+z")
    expect(page.locator("#number")).to_have_text("71")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#number")).to_have_text("71")
    undo.click()
    draw(page, FOUR)  # another way on: what was undone is gone
    assert number(page) == "74"
    expect(redo).to_be_disabled()
    clear.click()
    expect(clear).to_be_disabled()


def test_the_pens_width_is_that_of_the_slider(visit: Visit) -> None:
    page = visit()
    board = page.locator("#board").bounding_box()
    assert board
    unit = min(board["width"], board["height"]) / 500
    widths = []
    for value in (4, 36):
        page.locator("#pen").fill(str(value))
        page.locator("#clear").evaluate("button => button.click()")
        draw(page, [[(100, 50), (100, 180)]])
        canvas = browsing.own_canvas(page)
        widths.append(np.count_nonzero(canvas[128]) / np.count_nonzero(canvas.any(axis=1)))
    assert widths[0] == pytest.approx(0.1, rel=0.2)  # no finer than MNIST's pens
    assert widths[1] == pytest.approx(36 * unit / (130 + 36 * unit), rel=0.1)


def test_a_scribble_is_not_sure(visit: Visit) -> None:
    page = visit()
    draw(page, SCRIBBLE)
    assert number(page) == "?"
    assert page.locator("#cards > li.refused").count() == 1
    assert page.locator(".card-name").inner_text() == "? not sure"
    assert spoken(page) == "Not sure, or not a digit."


def test_strokes_become_the_digits_that_were_meant(visit: Visit) -> None:
    page = visit()
    five = [(50, 40), (46, 100), (90, 100), (100, 140), (70, 180), (40, 170)]
    left = [(90, 40), (60, 60), (50, 110), (60, 160), (92, 180)]
    right = [(90, 40), (120, 60), (130, 110), (120, 160), (90, 180)]
    above = [[(50, 20), (48, 100)], [(90, 20), (140, 20), (100, 100)]]
    below = [[(50, 140), (100, 140), (60, 230)], [(130, 140), (128, 230)]]
    for strokes, expected in (
        ([five, [(52, 40), (105, 38)]], "5"),  # the roof comes last
        ([[(x, 40), (x, 180)] for x in (50, 75, 100)], "111"),  # close together
        ([left, right], "0"),
        (above + below, "1771"),
        ([*ONE, *SEVEN, *FOUR], "741"),  # not written in reading order
    ):
        draw(page, strokes, steps=6)
        assert number(page) == expected
        page.keyboard.press("Escape")


# Reading.


def test_answers_are_pythons(visit: Visit) -> None:
    page = visit()
    golden = np.load(bundle.SHIPPED / "golden.npz")
    answers = browsing.ask(page, golden["canvas_input"])
    found = np.array([answer["probabilities"] for answer in answers])
    assert np.abs(found - golden["canvas_probabilities"]).max() < 1e-4
    accepted = golden["canvas_is_digit"] >= bundle.read().threshold
    assert [answer["accepted"] for answer in answers] == accepted.tolist()
    assert {True, False} == {*accepted.tolist()}


def test_shows_which_ink_decided(visit: Visit) -> None:
    page = visit()
    pixels = "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 28, 28).data)"
    page.locator("#why").check()
    draw(page, SEVEN, steps=5)
    seen = page.locator("#cards canvas")
    image = np.array(seen.evaluate(pixels), int).reshape(28, 28, 4)
    orange = image[..., 0] - image[..., 2]
    patches = orange.reshape(7, 4, 7, 4).max(axis=(1, 3))
    assert 0 < np.count_nonzero(patches > 60) < 25  # some ink, not all
    assert page.locator("#why-note").is_visible()
    page.locator("#why").uncheck()
    image = np.array(seen.evaluate(pixels), int).reshape(28, 28, 4)
    assert np.abs(image[..., 0] - image[..., 2]).max() == 0


def test_says_what_it_runs(visit: Visit) -> None:
    page = visit()
    metrics = bundle.read().manifest["metrics"]
    text = page.locator("#about").inner_text()
    assert f"{metrics['parameters']:,} weights" in text
    assert f"{metrics['test_accuracy']:.2%}".replace("%", "\u00a0%") in text


# Pictures.


def png(digit: data.Bytes, enlarged: int = 6) -> bytes:
    """A digit of MNIST as a picture: dark on white."""
    whole = np.pad(
        255 - np.kron(digit, np.ones((enlarged, enlarged), np.uint8)), 20, constant_values=255
    )
    file = BytesIO()
    Image.fromarray(whole.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def give(page: Page, how: str, content: bytes, kind: str = "image/png") -> None:
    """Drops or pastes a file."""
    page.evaluate(
        """([how, content, kind]) => {
          const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "digit.png", { type: kind }));
          const events = {
            drop: () => new DragEvent("drop", { dataTransfer: transfer, bubbles: true }),
            paste: () => new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }),
          };
          document.body.dispatchEvent(events[how]());
        }""",
        [how, base64.b64encode(content).decode(), kind],
    )


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """Where our service is."""
    with running(create_app(Reader())) as (address, port):
        yield f"http://{address}:{port}"


def answering(service: str, asked: list[str]) -> browsing.Predict:
    """What our service says to pictures and canvases."""

    def predict(kind: str, body: bytes) -> tuple[int, str]:
        asked.append(kind)
        headers = {"Content-Type": kind}
        answer = httpx.post(f"{service}/predict", content=body, headers=headers, timeout=60)
        return answer.status_code, answer.text

    return predict


def test_a_picture_is_read_on_the_device_where_there_is_no_server(
    visit: Visit, host: Host, mnist: data.Mnist
) -> None:
    host.missing = ("predict",)
    page = visit()
    said = page.locator("#picture-state")
    draw(page, ONE)
    for i, how in enumerate(("drop", "paste", "choose")):
        content = png(mnist.train_images[i])
        if how == "choose":
            file = FilePayload(name="digit.png", mimeType="image/png", buffer=content)
            page.locator("#file").set_input_files(file)
        else:
            give(page, how, content)
        expect(said).to_have_text(
            "Read on this device, as one digit: there is no server that reads (it answers 404)."
        )
        assert number(page) == str(mnist.train_labels[i])
        draw(page, SEVEN)  # and one can write again
        assert number(page) == "7"
        expect(said).to_have_text("")


def test_a_picture_is_read_by_the_server_where_there_is_one(
    visit: Visit, host: Host, service: str, mnist: data.Mnist
) -> None:
    asked: list[str] = []
    host.predict = answering(service, asked)
    page = visit()
    pair = np.hstack([np.pad(digit, 4) for digit in mnist.train_images[[7, 1]]])
    give(page, "drop", png(pair))
    expect(page.locator("#picture-state")).to_have_text("Read by the server.")
    assert number(page) == "".join(map(str, mnist.train_labels[[7, 1]]))
    assert asked == ["image/png"]
    assert page.locator("#cards canvas").locator("visible=true").count() == 0
    page.locator("#clear").click()
    expect(page.locator("#hint")).to_be_visible()
    give(page, "drop", b"no picture")
    expect(page.locator("#picture-state")).to_contain_text("is text, not a picture; save")


def test_words_for_pictures_that_cannot_be_read(visit: Visit, host: Host) -> None:
    host.missing = ("predict",)
    page = visit()
    said = page.locator("#picture-state")
    give(page, "drop", b"no picture")
    expect(said).to_have_text(
        "digit.png is no picture that this browser can open. Save it as PNG or JPEG."
    )
    give(page, "drop", png(np.zeros((28, 28), np.uint8)))
    expect(said).to_contain_text("There is no ink in digit.png")


# The server in place of the device.


def test_the_server_reads_where_the_runtime_cannot_load(
    visit: Visit, host: Host, service: str
) -> None:
    asked: list[str] = []
    host.missing, host.predict = ("litert_wasm",), answering(service, asked)
    page = visit()
    expect(page.locator("#state")).to_have_text(
        "The model cannot run here (it could not be loaded), so the server reads what you draw."
    )
    expect(page.locator("#privacy")).to_contain_text("sent to this site's server")
    expect(page.locator("#why")).to_be_disabled()
    draw(page, SEVEN + ONE)
    assert number(page) == "71"
    assert {*asked} == {"application/json"}
    draw(page, [[(x + 330, y) for x, y in stroke] for stroke in SCRIBBLE])
    assert number(page) == "71?"


def test_says_so_where_nothing_can_read(visit: Visit, host: Host) -> None:
    host.missing = ("litert_wasm", "predict")
    page = visit()
    expect(page.locator("#state")).to_have_text(
        "Nothing can be read: the model cannot run here (it could not be loaded), and there is no "
        "server that reads (it answers 404). Load the page again, or try another browser."
    )
    draw(page, ONE)
    assert number(page) == "–"


def test_a_site_without_the_runtime_asks_the_server(
    visit: Visit, host: Host, service: str, tmp_path: Path
) -> None:
    site.build(tmp_path / "site", bundle.read(), runtime=False)
    host.site, host.predict = tmp_path / "site", answering(service, [])
    page = visit()
    expect(page.locator("#state")).to_contain_text("(this site comes without it)")
    draw(page, FOUR)
    assert number(page) == "4"
    wait_until_kept(page)
    assert not any("runtime" in one.path for one in host.sent)


def test_digits_serve_serves_the_page(chromium: Browser, site_folder: Path) -> None:
    """With its own headers, and reads pictures for it."""
    wrong: list[str] = []
    with running(create_app(Reader(), site_folder)) as (address, port):
        page = chromium.new_page()
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        page.goto(f"http://{address}:{port}/")
        page.locator("body[data-state=ready]").wait_for(timeout=60_000)
        draw(page, SEVEN + FOUR)
        assert number(page) == "74"
        give(page, "drop", png(np.zeros((60, 60), np.uint8)))
        expect(page.locator("#picture-state")).to_have_text("Read by the server.")
        page.close()
    assert not wrong


# Offline, and up to date.


def test_reads_without_a_network_after_the_first_visit(
    chromium: Browser, site_folder: Path
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    with hosted(site_folder, base="/some/where/") as host:
        open_page(page, host)
        page.evaluate("caches.open('of another site on this host')")
        wait_until_kept(page)
        wasm = [one.path for one in host.sent if one.path.endswith(".wasm")]
        assert len(wasm) == 1  # and that was downloaded once
    open_page(page, host)  # which is gone
    expect(page.locator("#state")).to_have_text("Read on this device.")
    draw(page, SEVEN)
    assert number(page) == "7"
    assert len(caches(page)) == 2
    context.close()


def test_an_update_is_offered_to_an_open_tab_and_is_whole_or_not_at_all(
    visit: Visit, host: Host, site_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit()
    wait_until_kept(page)
    page.evaluate("caches.open('of another site on this host')")
    before = caches(page)
    web = tmp_path / "web"
    shutil.copytree(site.WEB, web)
    words = (web / "words.js").read_text()
    (web / "words.js").write_text(words.replace('"Write a number"', '"Write any number"'))
    monkeypatch.setattr(site, "WEB", web)
    site.build(tmp_path / "site", bundle.read())
    host.site, host.missing = tmp_path / "site", ("grouping.js",)  # not all of it is there yet
    sent = len(host.sent)
    page.evaluate(UPDATE)
    assert any("grouping.js" in one.path for one in host.sent[sent:])
    assert caches(page) == before
    expect(page.locator("#update")).to_be_hidden()
    draw(page, SEVEN)
    assert number(page) == "7"

    host.missing = ()
    sent = len(host.sent)
    page.evaluate(UPDATE)
    expect(page.locator("#update")).to_be_visible()
    again = [one.path for one in host.sent[sent:]]
    assert not any("/runtime-" in path or "/model-" in path for path in again)
    draw(page, ONE)
    assert number(page) == "71"  # the old one, still at work
    expect(page.locator("h1")).to_have_text("Write a number")
    other = page.context.new_page()
    open_page(other, host)
    expect(other.locator("h1")).to_have_text("Write a number")
    expect(other.locator("#update")).to_be_visible()
    page.locator("#update-now").click()
    expect(page.locator("h1")).to_have_text("Write any number")
    expect(page.locator("#update")).to_be_hidden()
    expect(other.locator("#update")).to_be_visible()
    draw(other, FOUR)
    assert number(other) == "4"
    after = caches(page)
    assert len(after) == len(before) == 2
    assert "of another site on this host" in after
    assert after != before


# Looks.


def test_fits_every_screen_by_day_and_by_night(visit: Visit) -> None:
    page = visit()
    for width, height in ((320, 568), (768, 1024), (1400, 900)):
        page.set_viewport_size({"width": width, "height": height})
        for i in range(7):
            x = 20 + i * (min(width, 900) - 80) / 14
            draw(page, [[(x, 40), (x - 2, 150)]])
        assert number(page) == "1111111"
        board, read = (page.locator(name).bounding_box() for name in ("#board", "#number"))
        assert board
        assert read
        assert board["width"] * board["height"] > 0.25 * width * min(height, width)
        assert read["y"] + read["height"] < height  # is seen without scrolling
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(OVERFLOW) == 0
            text, paper = (
                page.evaluate(f"getComputedStyle(document.body).{name}")
                for name in ("color", "backgroundColor")
            )
            bright = [sum(map(float, colour[4:-1].split(","))) for colour in (text, paper)]
            assert (bright[0] > bright[1]) == (scheme == "dark")
        page.keyboard.press("Escape")


OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_who_wants_no_motion_gets_none(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    draw(page, ONE)
    duration = "getComputedStyle(document.querySelector('.column span')).transitionDuration"
    assert page.evaluate(duration) == "0s"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(duration) != "0s"


def test_what_was_drawn_stays_in_sight_when_the_screen_turns(visit: Visit) -> None:
    page = visit(900, 500)
    draw(page, [[(x, y) for x, y in stroke] for stroke in SEVEN])
    draw(page, [[(700, 60), (698, 190)]])
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_timeout(100)
    dark = page.locator("#board").evaluate(
        """board => {
          const { width, height } = board;
          const { data } = board.getContext("2d").getImageData(width * 0.75, 0, width / 4, height);
          return data.some((value, i) => i % 4 === 3 && value > 200);
        }"""
    )
    assert dark
    draw(page, [[(250, 60), (249, 170)]])
    assert number(page) == "711"
