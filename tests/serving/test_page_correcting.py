"""On the page in a real browser: what was read is corrected, kept for teaching, and lasts."""

import base64
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, Route, expect
from visits import FOUR, ONE, SEVEN, Visit, number, png, spoken

from benchmarks.harness.browser import Host, draw, open_page, settle
from digits.data.mnist import Mnist
from digits.reading.reader import Reader
from digits.serving import site
from digits.studies.teaching import own_digits

NUMBER = [*SEVEN, *FOUR, *ONE]
CLEAR = "document.getElementById('clear').click()"


def tap(page: Page, place: int, name: str) -> None:
    """Taps a digit of the number, and then a button."""
    page.locator("#number button").nth(place).click()
    page.locator("#correcting").get_by_role("button", name=name, exact=True).click()
    settle(page)


def test_a_digit_is_corrected_and_kept_for_teaching(
    visit: Visit, host: Host, tmp_path: Path
) -> None:
    host.missing = ("predict",)  # a refusal of the server is on the console, as it should be
    page = visit()
    draw(page, NUMBER)
    assert number(page) == "741"
    page.locator("#number button").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="1", exact=True)).to_be_focused()
    page.keyboard.press("Escape")  # closes the choice, and leaves the drawing
    expect(page.locator("#number button").nth(2)).to_be_focused()
    for digit in "97":  # the second replaces the first
        tap(page, 2, digit)
        assert number(page) == f"74{digit}"
    assert "7, corrected by you" in (page.locator(".card").nth(2).get_attribute("aria-label") or "")
    tap(page, 0, "1")
    summary, samples = page.locator("#teaching summary"), page.locator("#taught li")
    expect(summary).to_have_text("Kept for teaching: 2")
    for keys, read, kept in (  # undo and redo take the sample with them
        ("Control+z", "747", ["7 ×"]),
        ("Control+z", "749", ["9 ×"]),
        ("Control+y", "747", ["7 ×"]),
        ("Control+y", "147", ["7 ×", "1 ×"]),
        ("Escape", "–", ["7 ×", "1 ×"]),
        ("Control+z", "147", ["7 ×", "1 ×"]),
    ):
        page.keyboard.press(keys)
        expect(page.locator("#number")).to_have_text(read)
        expect(samples).to_have_text(kept)
    page.reload()  # the drawing and what was chosen last
    expect(page.locator("#number")).to_have_text("147")
    expect(summary).to_have_text("Kept for teaching: 2")

    taken: list[dict[str, list[dict[str, str]]]] = []

    def collect(route: Route) -> None:
        """Takes what is sent, and nothing the second time."""
        kept = 0
        if route.request.method == "POST":
            taken.append(json.loads(route.request.post_data or ""))
            if len(taken) == 2:
                return route.fulfill(status=503, json={"detail": "The disk is full."})
            kept = len(taken[-1]["digits"])
        return route.fulfill(json={"folder": "/srv/digits", "kept": kept})

    page.route("**/collect", collect)
    summary.click()
    expect(page.locator("#taught-where")).to_contain_text("in its folder /srv/digits. Nothing is")
    with page.expect_download() as download:
        page.locator("#taught-download").click()
    download.value.save_as(tmp_path / "my-digits.zip")
    with zipfile.ZipFile(tmp_path / "my-digits.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    found = own_digits.collect(tmp_path / "my-digits", Reader())
    assert sorted(found.labels.tolist()) == [1, 7]
    assert not found.unreadable
    assert not taken
    page.evaluate(KEEP_MORE, 500)
    send, said = page.locator("#taught-send"), page.locator("#taught-said")
    send.click()
    expect(said).to_have_text(
        "Sent to /srv/digits on the server: 500. "
        "Those still here could not be sent (The disk is full.)."
    )
    expect(summary).to_have_text("Kept for teaching: 2")
    expect(page.locator("#privacy")).to_contain_text("Of what you drew, only the digits that you")
    send.click()
    expect(said).to_have_text("Sent to /srv/digits on the server: 2.")
    assert [len(one["digits"]) for one in taken] == [500, 2, 2]  # as many as a server takes
    assert [one["label"] for one in taken[0]["digits"][:3]] == ["7", "1", "3"]
    picture = base64.b64decode(
        taken[0]["digits"][0]["picture"].removeprefix("data:image/png;base64,")
    )
    assert np.asarray(Reader().classify(picture).digit) == 1
    expect(page.locator("#teaching")).to_be_hidden()  # they are gone from here


KEEP_MORE = """async (count) => {
  const { keep } = await import(document.querySelector('link[href$="/store.js"]').href);
  const seen = new Uint8Array(28 * 28);
  await Promise.all(Array.from({ length: count }, () => keep({ label: 3, seen })));
}"""


def test_a_digit_is_erased_in_four_ways(visit: Visit) -> None:
    page = visit()
    draw(page, NUMBER)
    tap(page, 1, "Erase")
    assert number(page) == "71"
    page.keyboard.press("Control+z")
    expect(page.locator("#number")).to_have_text("741")
    tap(page, 0, "Write it again")
    expect(page.locator("#board")).to_be_focused()
    draw(page, [[(75, 60), (70, 190)]])
    assert number(page) == "141"
    scratch = [(x, y) for y in (70, 100, 130, 160, 185) for x in (145, 235)]
    draw(page, [scratch], steps=4)
    assert number(page) == "11"
    point(page, "pen", 5, 32, [(230, 100), (275, 120)])  # the other end of a pen
    assert number(page) == "1"
    assert page.locator("#redo").is_disabled()


def point(
    page: Page,
    kind: str,
    button: int,
    buttons: int,
    points: Sequence[tuple[float, float]],
    up: bool = True,
) -> None:
    """Moves a pointer of some kind over the drawing area, in its pixels."""
    page.evaluate(POINT, [kind, button, buttons, points, up])
    settle(page)


POINT = """([pointerType, button, buttons, points, up]) => {
  const board = document.getElementById("board");
  const { left, top } = board.getBoundingClientRect();
  const ids = { mouse: 1, touch: 7, pen: 9 };
  board.setPointerCapture = () => {}; // of pointers that there are not
  const tell = (type, [x, y]) => board.dispatchEvent(new PointerEvent(type, {
    pointerId: ids[pointerType], pointerType, button, buttons, pressure: 0.5,
    clientX: left + x, clientY: top + y, bubbles: true,
  }));
  points.forEach((at, i) => tell(i ? "pointermove" : "pointerdown", at));
  if (up) tell("pointerup", points.at(-1));
}"""


def test_a_hand_that_rests_beside_the_pen_draws_nothing(visit: Visit) -> None:
    page = visit()
    point(page, "touch", 0, 1, [(300, 300), (320, 320)], up=False)  # before the pen is seen
    for stroke in SEVEN:
        point(page, "pen", 0, 1, stroke)
    point(page, "touch", 0, 1, [(300, 300), (320, 320)])
    assert number(page) == "7"
    page.locator("#board").focus()
    page.keyboard.press(" ")  # the keyboard's pen is down, and the mouse writes all the same
    draw(page, ONE)
    assert number(page).endswith("1")
    page.locator("#pen").focus()
    page.keyboard.press("Escape")  # of the slider, not of the drawing
    assert number(page).endswith("1")
    while page.locator("#undo").is_enabled():
        page.locator("#undo").press("Enter")
    expect(page.locator("#board")).to_be_focused()  # the focus is not lost with the button


def test_what_was_begun_earlier_does_not_replace_what_is_newer(
    visit: Visit, host: Host, mnist: Mnist
) -> None:
    host.missing = ("predict",)
    page = visit()
    waiting: list[Route] = []
    page.route("**/predict", lambda route: waiting.append(route))

    def drop(index: int) -> None:
        file = {
            "name": "digit.png",
            "mimeType": "image/png",
            "buffer": png(mnist.train_images[index]),
        }
        page.locator("#file").set_input_files(file)  # type: ignore[arg-type] # a dictionary will do
        before = len(waiting)
        while len(waiting) == before:
            page.wait_for_timeout(20)

    drop(0)
    drop(1)
    waiting[1].fulfill(status=404)  # so it is read here
    expect(page.locator("#number")).to_have_text(str(mnist.train_labels[1]))
    waiting[0].fulfill(status=404)
    page.wait_for_timeout(300)
    assert number(page) == str(mnist.train_labels[1])
    drop(2)
    page.evaluate(CLEAR)
    draw(page, SEVEN)
    waiting[2].fulfill(status=404)
    page.wait_for_timeout(300)
    assert number(page) == "7"
    expect(page.locator("#picture-state")).to_have_text("")
    page.evaluate("for (let i = 0; i < 2; i += 1) document.getElementById('why').click()")
    page.wait_for_timeout(300)
    coloured = page.locator("#cards canvas").evaluate(
        """canvas => canvas.getContext("2d").getImageData(0, 0, 28, 28).data
          .some((value, i, all) => i % 4 === 0 && value !== all[i + 2])"""
    )
    assert not coloured
    page.locator("#clear").click()
    page.locator("#example").click()
    expect(page.locator("#number")).to_have_text("3.14")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#copy").click()
    expect(page.locator("#copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "3.14"


def test_speaks_the_languages_of_its_readers(chromium: Browser, host: Host) -> None:
    headlines = {
        "de-AT": "Schreiben Sie eine Zahl",
        "es-MX": "Escribe un número",
        "zh-CN": "写一个数字",
        "fr-FR": "Write a number",
    }
    for locale, headline in headlines.items():
        context = chromium.new_context(locale=locale)
        page = context.new_page()
        if locale != "zh-CN":
            page.goto(host.url)
            expect(page.locator("h1")).to_have_text(headline)
            continue
        open_page(page, host)
        page.evaluate("document.documentElement.dir = 'rtl'")
        draw(page, SEVEN)
        assert spoken(page).startswith("识别结果：7。")
        assert page.evaluate("document.documentElement.lang") == "zh"
        direction = "number => getComputedStyle(number).direction"
        assert page.locator("#number").evaluate(direction) == "ltr"
        english = [say[0] for say in words().values() if len(say[0]) > 8 and "{" not in say[0]]
        text = page.locator("body").inner_text()
        assert [one for one in english if one in text] == []  # nothing is left in English
        context.close()


def words() -> dict[str, list[str]]:
    """The text of the page by name, in all languages."""
    text = (site.WEB / "page/words.js").read_text("utf-8").partition("WORDS = ")[2]
    found = json.JSONDecoder().raw_decode(text)[0]
    return {name: texts for name, texts in found.items() if not isinstance(texts, str)}


def test_every_text_is_there_in_every_language() -> None:
    for name, texts in words().items():
        assert len(texts) == 4, name
        holes = [sorted(re.findall(r"\{(\w+)\}", text)) for text in texts]
        assert holes == [holes[0]] * 4, name
