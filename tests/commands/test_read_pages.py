"""`digits read` with documents of several pages, and with several workers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from processes import wait_until

from digits import Reader
from digits.data.mnist import Mnist

Run = Callable[..., tuple[int, str, str]]
COMMAND = [sys.executable, "-m", "digits.cli", "read"]
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture(scope="module")
def digit(mnist: Mnist) -> Callable[[int], Image.Image]:
    """A digit of MNIST that is read right, dark on white, three times as large."""
    reader, chosen = Reader(), dict[int, NDArray[np.uint8]]()
    for image, label in zip(mnist.train_images, mnist.train_labels, strict=True):
        large = 255 - np.pad(image, 4).repeat(3, 0).repeat(3, 1)
        if label not in chosen and reader.read(large).digits == str(label):
            chosen[int(label)] = large
        if len(chosen) == 10:
            break
    return lambda number: Image.fromarray(chosen[number])


@pytest.fixture(autouse=True)
def folder(
    tmp_path: Path, digit: Callable[[int], Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working folder, with pictures and documents."""
    for number in (4, 7):
        digit(number).save(tmp_path / f"{number}.png")
    pages = [digit(number) for number in (3, 1, 4)]
    for form in ("tif", "pdf"):
        pages[0].save(tmp_path / f"314.{form}", save_all=True, append_images=pages[1:])
    digit(2).save(tmp_path / "2.pdf")
    (tmp_path / "text.png").write_text("four\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("form", ["tif", "pdf"])
def test_each_page_gets_a_line_with_its_number(read: Run, form: str, workers: str) -> None:
    name = f"314.{form}"
    lines = f"{name}, page 1: 3\n{name}, page 2: 1\n{name}, page 3: 4\n"
    assert read(name, "--workers", workers) == (0, lines, "")
    status, output, errors = read(name, "--json", "--workers", workers)
    assert (status, errors) == (0, "")
    for number, line in enumerate(output.splitlines(), 1):
        page = json.loads(line)
        assert list(page)[:3] == ["path", "page", "text"]
        assert (page["path"], page["page"], page["digits"]) == (name, number, "314"[number - 1])
        assert page["milliseconds"] > 0
    assert number == 3


def test_a_document_of_one_page_is_a_picture(read: Run) -> None:
    assert read("2.pdf") == (0, "2\n", "")
    assert "page" not in json.loads(read("2.pdf", "--json")[1])


@pytest.mark.parametrize("workers", ["1", "2", "3"])
def test_order_names_and_errors_are_the_same_with_workers(read: Run, workers: str) -> None:
    files = ["4.png", "text.png", "314.tif", "none.png", "7.png", "2.pdf"]
    status, output, errors = read(*files, "--workers", workers)
    assert status == 1
    assert output == (
        "4.png: 4\n314.tif, page 1: 3\n314.tif, page 2: 1\n314.tif, page 3: 4\n7.png: 7\n2.pdf: 2\n"
    )
    text, none = errors.splitlines()
    assert text.startswith("digits read: text.png is text, not a picture; ")
    assert none == "digits read: none.png: there is no such file."
    status, output, errors = read(*files, "--json", "--workers", workers)
    assert (status, errors) == (1, "")
    found = [json.loads(line) for line in output.splitlines()]
    assert [line["path"] for line in found] == [*files[:3], *files[2:3] * 2, *files[3:]]
    assert found[5] == {"path": "none.png", "error": "none.png: there is no such file."}


def test_a_page_that_cannot_be_read_does_not_end_the_document(read: Run) -> None:
    content = bytearray(Path("314.tif").read_bytes())
    with Image.open("314.tif") as image:
        image.seek(1)
        at = image.tag_v2._offset  # where its tags are
    # The second page's width becomes more than the limit.
    entries = int.from_bytes(content[at : at + 2], "little")
    for place in range(at + 2, at + 2 + 12 * entries, 12):
        if content[place : place + 2] == (256).to_bytes(2, "little"):
            content[place : place + 12] = b"\0\1\4\0\1\0\0\0\0\0\0\x40"
    Path("broken.tif").write_bytes(content)
    status, output, errors = read("broken.tif")
    assert (status, output) == (1, "broken.tif, page 1: 3\nbroken.tif, page 3: 4\n")
    assert errors.startswith("digits read: Page 2 of broken.tif is 1,073,741,824 × 108 pixels")
    second = json.loads(read("broken.tif", "--json")[1].splitlines()[1])
    assert (second["path"], second["page"]) == ("broken.tif", 2)
    assert second["error"].startswith("Page 2 of broken.tif is 1,073,741,824")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_standard_input_may_have_pages(workers: str) -> None:
    with open("314.pdf", "rb") as document:
        found = subprocess.run(
            [*COMMAND, "7.png", "-", "4.png", "--workers", workers],
            stdin=document, capture_output=True, text=True,
        )  # fmt: skip
    pages = "".join(f"standard input, page {n}: {d}\n" for n, d in enumerate("314", 1))
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == f"7.png: 7\n{pages}4.png: 4\n"


@POSIX
def test_a_pipe_is_read_once() -> None:
    """As <(...) of a shell gives: it cannot be looked into before it is read."""
    ours, theirs = os.pipe()
    os.write(theirs, Path("4.png").read_bytes())
    os.close(theirs)
    found = subprocess.run(
        [*COMMAND, f"/dev/fd/{ours}"], capture_output=True, text=True, pass_fds=[ours]
    )
    os.close(ours)
    assert (found.stdout, found.stderr, found.returncode) == ("4\n", "", 0)


def test_mistakes_get_one_sentence(read: Run) -> None:
    assert read("4.png", "--workers", "0")[2] == (
        "digits read: --workers must be 1 or more, not 0.\n"
    )
    assert read("314.tif", "--show", "out.png")[2] == (
        "digits read: --show draws one picture, and 314.tif has several pages; save one as a "
        "picture.\n"
    )
    assert not Path("out.png").exists()
    assert read("2.pdf", "--show", "out.png") == (0, "2\n", "")
    assert Path("out.png").exists()


def test_one_picture_imports_nothing_for_many() -> None:
    program = (
        "import sys; from digits.cli import main; main(['read', '4.png'])\n"
        "names = 'multiprocessing', 'pypdfium2', 'pillow_heif', 'digits.pictures.pdf'\n"
        "print([name for name in names if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("4\n[]\n", "")


@POSIX
def test_control_c_ends_it_and_its_workers_at_once() -> None:
    process = subprocess.Popen(
        [*COMMAND, *["7.png"] * 20_000, "--workers", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "7.png: 7\n"
    started = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    output, errors = process.communicate(timeout=60)
    assert time.monotonic() - started < 20
    assert process.returncode == 130
    assert errors == "\nStopped.\n"
    assert set(output.splitlines()) <= {"7.png: 7"}
    wait_until(lambda: not group_lives(process.pid))


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
