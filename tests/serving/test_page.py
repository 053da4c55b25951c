"""The page in a real browser: it reads on the device what is drawn."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect
from visits import FOUR, ONE, SCRIBBLE, SEVEN, Visit, number, spoken, wait_until_kept

from benchmarks.harness import browser as browsing
from benchmarks.harness.browser import Host, draw, open_page, settle
from digits import bundle
from digits.bundle import CANVAS_SIDE as SIDE

# Writing.


def test_reads_a_number_written_with_the_mouse(visit: Visit, host: Host) -> None:
    page = visit()
    expect(page.locator("#state")).to_have_text("Your writing is read on this device.")
    assert page.evaluate(DOWNLOAD_THAT_STOPS) == [
        "The download has stopped at 45\u00a0%. Check the connection, or reload the page.",
        "Loading the model: 46\u00a0%. You can start writing.",
    ]
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


# What is said of a download that stops at 45 % and goes on; the 20 seconds are not waited for.
DOWNLOAD_THAT_STOPS = """async () => {
  const { loading } = await import(document.querySelector('link[href$="/loading.js"]').href);
  const { setTimeout } = window;
  const timers = [];
  let now = 0;
  window.setTimeout = (act) => timers.push(act);
  performance.now = () => now;
  const said = [];
  const progress = loading(100, (text) => said.push(text));
  progress.got(45);
  now = 20_000;
  timers.at(-1)();
  progress.got(46);
  progress.got(47);
  window.setTimeout = setTimeout;
  delete performance.now;
  return said;
}"""


def test_reads_while_a_stroke_is_being_written(visit: Visit) -> None:
    page = visit()
    box = page.locator("#board").bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 110, box["y"] + 60, steps=5)
    page.mouse.move(box["x"] + 60, box["y"] + 190, steps=5)
    expect(page.locator("#number")).to_have_text("7")
    assert spoken(page) == ""  # a screen reader does not announce every pixel
    page.mouse.up()
    settle(page)
    assert spoken(page).startswith("Read: 7.")


def test_reads_what_a_finger_writes_and_ignores_a_second_one(visit: Visit) -> None:
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


def test_reads_what_the_keyboard_writes(visit: Visit) -> None:
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
    digit = ""
    assert names == ["undo", "clear", "pen", "file", digit, "copy", "why"]  # redo is disabled
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
    draw(page, FOUR)  # what was undone cannot be redone any more
    assert number(page) == "74"
    expect(redo).to_be_disabled()
    clear.click()
    expect(clear).to_be_disabled()


def test_the_slider_sets_the_width_of_the_pen(visit: Visit) -> None:
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


def test_strokes_become_the_pixels_that_a_canvas_would_draw(visit: Visit) -> None:
    page = visit()
    wave = [(20 + x, 128 + 60 * np.sin(x / 30)) for x in range(0, 200, 9)]
    drawings = {
        "even": [[(x, y, 16.0) for x, y in wave]],
        "pressed": [[(x, y, 8 + x / 12) for x, y in wave]],
        "corners": [[(40, 40, 20.0), (200, 40, 20.0), (60, 220, 20.0)]],
        "a point": [[(100.0, 100.0, 24.0)]],
        "a point, held": [[(100.0, 100.0, 24.0)] * 3],
        "a point, pressed": [[(100.0, 100.0, 24.0), (100.0, 100.0, 26.0)]],
        "beyond the edges": [[(-30, 128, 20.0), (300, 128, 20.0)], [(128, 300, 20.0)]],
    }
    for name, strokes in drawings.items():
        ours, theirs, apart = page.evaluate(INK_OF_BOTH, strokes)
        assert theirs > 300 * 255, name
        assert ours == pytest.approx(theirs, rel=0.02), name
        assert apart < 0.03 * theirs, name
    draw(page, [[(20 + x, 128 + 60 * np.sin(x / 9)) for x in range(0, 200, 4)]])
    page.evaluate(COUNT_LINES)
    draw(page, [[(300, 60), (300, 80)]])
    assert 0 < page.evaluate("lines") < 20  # what is finished is not drawn again


COUNT_LINES = """() => {
  const { lineTo } = CanvasRenderingContext2D.prototype;
  window.lines = 0;
  let moved = 0;
  CanvasRenderingContext2D.prototype.lineTo = function (...at) {
    if (moved) window.lines += 1;
    lineTo.apply(this, at);
  };
  // Not when the stroke begins or ends, but while it grows.
  for (const [type, now] of [["pointermove", 1], ["pointerup", 0]]) {
    document.getElementById("board").addEventListener(type, () => { moved = now; }, true);
  }
}"""


INK_OF_BOTH = f"""async (drawing) => {{
  const from = (name) => document.querySelector(`link[href$="/${{name}}"]`).href;
  const {{ trace }} = await import(from("strokes.js"));
  const {{ rasterised }} = await import(from("raster.js"));
  const strokes = drawing.map((points, id) =>
    ({{ id, points: points.map(([x, y, width]) => ({{ x, y, width }})) }}));
  const context = new OffscreenCanvas({SIDE}, {SIDE}).getContext("2d");
  context.strokeStyle = "#f00";
  trace(context, strokes);
  const {{ data }} = context.getImageData(0, 0, {SIDE}, {SIDE});
  const view = {{ scale: 1, left: 0, top: 0, least: 0 }};
  const ours = rasterised(strokes, {SIDE}, {SIDE}, view);
  const sum = (of) => ours.reduce((all, value, i) => all + of(value, data[4 * i + 3]), 0);
  return [sum((a) => a), sum((_, b) => b), sum((a, b) => Math.abs(a - b))];
}}"""


def test_a_scribble_is_not_sure(visit: Visit) -> None:
    page = visit()
    draw(page, SCRIBBLE)
    assert number(page) == "?"
    assert page.locator("#cards > li.refused").count() == 1
    assert page.locator(".card-name").inner_text() == "? not sure"
    assert spoken(page) == "Not sure, or not a digit."


# Reading.


def test_an_older_browser_runs_the_other_build(chromium: Browser, host: Host) -> None:
    page = chromium.new_page()
    page.add_init_script("WebAssembly.validate = () => false")  # as if without relaxed SIMD
    open_page(page, host)
    asked = [Path(one.path).name for one in host.sent if one.path.endswith(".wasm")]
    assert asked == ["litert_wasm_compat_internal.wasm"]
    draw(page, SEVEN)
    assert number(page) == "7"
    page.close()


def test_shows_which_ink_decided_the_result(visit: Visit) -> None:
    page = visit()
    pixels = "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 28, 28).data)"
    page.locator("#why").check()
    draw(page, SEVEN, steps=5)
    seen = page.locator("#cards canvas")
    coloured = "(value, i, all) => i % 4 === 0 && value > all[i + 2] + 60"
    coloured = f"canvas => ({pixels})(canvas).some({coloured})"
    page.wait_for_function(coloured, arg=seen.element_handle())  # each patch takes a reading
    image = np.array(seen.evaluate(pixels), int).reshape(28, 28, 4)
    orange = image[..., 0] - image[..., 2]
    patches = orange.reshape(7, 4, 7, 4).max(axis=(1, 3))
    assert 0 < np.count_nonzero(patches > 60) < 25  # some ink, not all
    assert page.locator("#why-note").is_visible()
    page.locator("#why").uncheck()
    image = np.array(seen.evaluate(pixels), int).reshape(28, 28, 4)
    assert np.abs(image[..., 0] - image[..., 2]).max() == 0


def test_says_which_model_it_runs(visit: Visit) -> None:
    page = visit()
    metrics = bundle.read().manifest["metrics"]
    text = page.locator("#about").inner_text()
    assert f"{metrics['parameters']:,} weights" in text
    assert f"{metrics['test_accuracy']:.2%}".replace("%", "\u00a0%") in text


# Layout.


def test_fits_every_screen_in_light_and_dark_mode(visit: Visit) -> None:
    page = visit()
    for width, height, text in (
        *((320, 568, 1), (768, 1024, 1), (1400, 900, 1), (844, 390, 1), (667, 375, 1)),
        *((390, 844, 2), (1280, 800, 2)),
    ):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(f"document.documentElement.style.fontSize = '{100 * text}%'")
        for i in range(7):
            x = 20 + i * (min(width, 900) - 80) / 14
            draw(page, [[(x, 40), (x - 2, 130)]])
        assert number(page) == "1111111"
        board, read = (page.locator(name).bounding_box() for name in ("#board", "#number"))
        assert board
        assert read
        assert board["width"] * board["height"] > 0.25 * width * min(height, width)
        assert board["y"] >= 0
        assert board["y"] + board["height"] < height  # visible without scrolling
        assert read["y"] + read["height"] < height
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(OVERFLOW) == 0
            color, paper = (
                page.evaluate(f"getComputedStyle(document.body).{name}")
                for name in ("color", "backgroundColor")
            )
            bright = [sum(map(float, colour[4:-1].split(","))) for colour in (color, paper)]
            assert (bright[0] > bright[1]) == (scheme == "dark")
        page.keyboard.press("Escape")


OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_nothing_moves_if_reduced_motion_is_preferred(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    draw(page, ONE)
    duration = "getComputedStyle(document.querySelector('.column span')).transitionDuration"
    assert page.evaluate(duration) == "0s"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(duration) != "0s"


def test_the_drawing_stays_visible_when_the_screen_rotates(visit: Visit) -> None:
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
    draw(page, [[(250, 32), (249, 98)]])
    assert number(page) == "711"
