"""The page reads pictures, and works without the runtime, a server or a network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from services import running
from visits import (
    FOUR,
    ONE,
    SEVEN,
    Visit,
    answering,
    give,
    number,
    png,
    wait_until_kept,
    written_again,
)

from benchmarks.harness.browser import Host, draw, hosted, open_page
from digits import bundle
from digits.data.mnist import Mnist
from digits.reading.reader import Reader
from digits.serving import site
from digits.serving.app import create_app


def caches(page: Page) -> list[str]:
    return page.evaluate("caches.keys()")


# Looks for a newer site, and waits until it is installed or has failed to.
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


# Pictures.


def test_the_device_reads_a_picture_if_there_is_no_server(
    visit: Visit, host: Host, mnist: Mnist
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
        expect(said).to_contain_text("Read on this device, where boxes")
        expect(said).to_contain_text("no server is available (status 404)")
        assert number(page) == str(mnist.train_labels[i])
        draw(page, SEVEN)  # and it can be drawn on again
        assert number(page) == "7"
        expect(said).to_have_text("")
    line = np.hstack([np.pad(mnist.train_images[i], 4) for i in (7, 1, 0, 3)])
    line[0, 0] = 255  # a speck before the digits
    give(page, "drop", png(line))
    expect(said).to_contain_text("Read on this device")
    assert number(page) == "".join(str(mnist.train_labels[i]) for i in (7, 1, 0, 3))
    for gap in (0, 1):  # two pictures with a digit in the same place
        one = np.zeros((28, 28), np.uint8)
        one[4:24, 12:16] = 255
        one[13, 12 : 12 + gap] = 0
        give(page, "drop", png(one))
        expect(page.locator("#number button")).to_have_count(1)
        expect(page.locator("#number")).not_to_have_text("6")
        page.locator("#number button").click()
        page.locator("#correcting").get_by_role("button", name="6", exact=True).click()
        expect(page.locator("#number")).to_have_text("6")
    expect(page.locator("#teaching summary")).to_have_text("Kept for teaching: 2")


def test_the_server_reads_a_picture_if_there_is_one(
    visit: Visit, host: Host, service: str, mnist: Mnist
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
    left, top, width, height = page.evaluate(BOX_IN_LARGE_PICTURE)
    assert [left, top, left + width, top + height] == pytest.approx([4000, 100, 4060, 500], abs=4)
    page.locator("#clear").click()
    expect(page.locator("#hint")).to_be_visible()
    give(page, "drop", b"no picture")
    expect(page.locator("#picture-state")).to_contain_text("is text, not a picture; save")


# Where the 1 is in a picture that is sent at half its size, since servers may not know its type.
BOX_IN_LARGE_PICTURE = """async () => {
  const { readPicture } = await import(document.querySelector('link[href$="/pictures.js"]').href);
  const canvas = new OffscreenCanvas(5000, 600);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, 5000, 600);
  context.fillStyle = "#000";
  context.fillRect(4000, 100, 60, 400);
  const file = new File([await canvas.convertToBlob()], "digit.bmp", { type: "image/bmp" });
  const { lines } = await readPicture(file, null);
  return lines[0][0].box;
}"""


def test_a_picture_that_cannot_be_read_gets_a_sentence(visit: Visit, host: Host) -> None:
    host.missing = ("predict",)
    page = visit()
    said = page.locator("#picture-state")
    give(page, "drop", b"no picture")
    expect(said).to_have_text(
        "This browser cannot open digit.png as a picture. Save it as PNG or JPEG."
    )
    give(page, "drop", png(np.zeros((28, 28), np.uint8)))
    expect(said).to_contain_text("There is no ink in digit.png")


# The server instead of the device.


def test_the_server_reads_if_the_runtime_cannot_be_loaded(
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
    assert {*asked} == {"image/png"}
    assert len(asked) <= 4  # at the start, and after each stroke, not during it
    draw(page, [[(x + 330, y) for x, y in stroke] for stroke in FOUR])
    assert number(page) == "714"


def test_says_so_if_nothing_can_read(visit: Visit, host: Host) -> None:
    host.missing = ("litert_wasm", "predict")
    page = visit()
    expect(page.locator("#state")).to_have_text(
        "Nothing can be read: the model cannot run here (it could not be loaded), and no server is "
        "available (status 404). Reload the page, or try another browser."
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
    """With the security policy of the service, and the service reads pictures for it."""
    wrong: list[str] = []
    with running(create_app(Reader(), site_folder)) as (address, port):
        page = chromium.new_page()
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
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
        assert len(wasm) == 1  # and it was downloaded once
    open_page(page, host)  # which is no longer there
    expect(page.locator("#state")).to_have_text("Your writing is read on this device.")
    draw(page, SEVEN)
    assert number(page) == "7"
    assert len(caches(page)) == 2
    context.close()


def test_a_model_that_reads_no_lines_has_those_of_the_shipped_one(
    visit: Visit, host: Host, tmp_path: Path
) -> None:
    shipped = bundle.read()
    contract = {name: of for name, of in shipped.manifest["contract"].items() if "line" not in name}
    # No signature of its model is named as one of lines is.
    model = shipped.model
    for name in bundle.LINE_WIDTHS:
        model = model.replace(name.encode() + b"\0", b"n" + name[1:].encode() + b"\0")
    manifest = shipped.manifest | {"contract": contract}
    site.build(tmp_path / "site", replace(shipped, model=model, manifest=manifest))
    host.site = tmp_path / "site"
    page = visit()
    draw(page, [*SEVEN, *ONE])
    assert number(page) == "71"
    models = [Path(one.path).name for one in host.sent if one.path.endswith(".bin")]
    assert sorted({*models}) == ["digits.bin", "lines.bin"]


def test_an_update_is_offered_to_an_open_tab_and_is_whole_or_not_at_all(
    visit: Visit, host: Host, site_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit()
    wait_until_kept(page)
    page.evaluate("caches.open('of another site on this host')")
    before = caches(page)
    words = '"Write a number"', '"Write any number"'
    host.site = written_again(tmp_path, monkeypatch, "page/words.js", *words)
    host.missing = ("gestures.js",)  # as if it were still being copied
    sent = len(host.sent)
    page.evaluate(UPDATE)
    assert any("gestures.js" in one.path for one in host.sent[sent:])
    assert caches(page) == before
    expect(page.locator("#update")).to_be_hidden()
    draw(page, SEVEN)
    assert number(page) == "7"

    host.missing = ()
    sent, board = len(host.sent), page.locator("#board").bounding_box()
    page.evaluate(UPDATE)
    expect(page.locator("#update")).to_be_in_viewport()
    assert page.locator("#board").bounding_box() == board  # the board did not move under the pen
    again = [one.path for one in host.sent[sent:]]
    assert not any("/runtime-" in path or "/model-" in path for path in again)
    draw(page, ONE)
    assert number(page) == "71"  # the old version still works
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
