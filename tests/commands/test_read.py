"""`digits read` does what a person, a script and a pipe expect."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from digits.data.mnist import Mnist

Result = tuple[int, str, str]
Run = Callable[..., Result]
Draw = Callable[[str], NDArray[np.uint8]]
COMMAND = [sys.executable, "-m", "digits.cli", "read"]
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals, pipes and terminals of POSIX")


@pytest.fixture(scope="session")
def draw(mnist: Mnist) -> Callable[[str], NDArray[np.uint8]]:
    """A picture of digits in a row, dark on white, each a digit of MNIST enlarged three times."""

    def row(digits: str) -> NDArray[np.uint8]:
        first = {digit: int(np.flatnonzero(mnist.train_labels == digit)[1]) for digit in range(10)}
        parts = [np.pad(mnist.train_images[first[int(digit)]], 4) for digit in digits]
        return 255 - np.hstack(parts).repeat(3, axis=0).repeat(3, axis=1)

    return row


@pytest.fixture
def folder(tmp_path: Path, draw: Callable[[str], NDArray[np.uint8]]) -> Path:
    """The working folder, with a few pictures."""
    Image.fromarray(draw("42")).save(tmp_path / "42.png")
    Image.fromarray(draw("7")).save(tmp_path / "7.png")
    Image.new("L", (60, 40), 255).save(tmp_path / "blank.png")
    (tmp_path / "text.png").write_text("forty-two\n")
    (tmp_path / "empty.png").write_bytes(b"")
    return tmp_path


@pytest.fixture(autouse=True)
def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_one_picture_is_its_digits(read: Run) -> None:
    assert read("42.png") == (0, "42\n", "")


def test_several_pictures_are_named_and_a_failure_does_not_stop_the_rest(read: Run) -> None:
    status, output, errors = read("text.png", "42.png", "none.png", "7.png", "blank.png")
    assert status == 1
    assert output == "42.png: 42\n7.png: 7\n"
    text, none, blank = errors.splitlines()
    assert text.startswith("digits read: text.png is text, not a picture; ")
    assert none == "digits read: none.png: there is no such file."
    assert blank == "blank.png: no digit found"


def test_json_is_one_object_on_each_line(read: Run) -> None:
    status, output, errors = read("--json", "42.png", "empty.png", "blank.png")
    assert (status, errors) == (1, "")
    whole, empty, blank = map(json.loads, output.splitlines())
    assert list(whole) == [
        *("path", "text", "digits", "lines", "readings", "groups", "cells"),
        *("confidence", "milliseconds"),
    ]
    assert (whole["path"], whole["digits"], whole["lines"]) == ("42.png", "42", ["42"])
    assert 0 < whole["milliseconds"] < 10_000
    for reading, digit in zip(whole["readings"], (4, 2), strict=True):
        assert list(reading) == [
            *("digit", "confidence", "accepted", "probabilities", "box", "line", "group")
        ]
        assert reading["digit"] == digit
        assert reading["accepted"] is True
        assert reading["confidence"] == max(reading["probabilities"])
        assert reading["probabilities"].index(reading["confidence"]) == digit
        assert sum(reading["probabilities"]) == pytest.approx(1, abs=1e-4)
        x, y, w, h = reading["box"]
        assert 0 <= x < x + w <= 2 * 36 * 3
        assert 0 <= y < y + h <= 36 * 3
    assert empty == {"path": "empty.png", "error": "empty.png is empty; copy or download it again."}
    assert (blank["digits"], blank["lines"]) == ("", [])


def test_a_blank_picture_has_no_digit_and_is_not_a_failure(read: Run) -> None:
    assert read("blank.png") == (0, "", "blank.png: no digit found\n")


def test_what_is_not_sure_is_a_question_mark_and_a_guess_on_demand(
    read: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digits.reading.lines.judging.Judged.accepted", False)
    assert read("42.png") == (0, "??\n", "42.png: no digit found\n")
    assert read("42.png", "--strict")[0] == 1
    assert read("42.png", "--guess")[:2] == (0, "42\n")
    page = json.loads(read("42.png", "--json")[1])
    assert (page["text"], page["digits"], page["lines"]) == ("??", "", [])
    assert [reading["accepted"] for reading in page["readings"]] == [False, False]


def test_strict_is_content_with_what_is_sure(read: Run) -> None:
    assert read("42.png", "7.png", "--strict")[0] == 0


def test_lines_or_digits_alone_or_a_table(read: Run, folder: Path, draw: Draw) -> None:
    gap = np.full((36 * 3, 150), 255, np.uint8)
    upper = np.hstack([draw("42"), gap, draw("31")])
    lower = np.hstack([draw("70"), gap, draw("55")])
    Image.fromarray(np.vstack([upper, lower])).save(folder / "four.png")
    assert read("four.png")[1] == "42 31\n70 55\n"
    assert read("four.png", "--digits")[1] == "4231\n7055\n"
    assert read("four.png", "--csv")[1] == "42,31\n70,55\n"
    assert read("four.png", "42.png")[1] == "four.png: 42 31\nfour.png: 70 55\n42.png: 42\n"
    assert read("four.png", "--region", f"0,0,{2 * 36 * 3},{36 * 3}")[1] == "42\n"
    both = read("four.png", "--region", "0,108,216,108", "--region", "0,0,216,108")[1]
    assert both == "70\n42\n"


def test_a_form_that_is_known_is_kept(read: Run) -> None:
    assert read("42.png", "--pattern", "#-#")[1] == "4-2\n"
    assert read("42.png", "--count", "2")[1] == "42\n"
    assert read("7.png", "--count", "2")[1].count("?") == 1


def test_a_pattern_is_expanded_and_a_file_of_that_name_is_itself(read: Run, folder: Path) -> None:
    assert read("[47]*.png")[1] == "42.png: 42\n7.png: 7\n"
    (folder / "42.png").rename(folder / "[47]2.png")
    assert read("[47]2.png")[1] == "42\n"
    assert "none*.png: there is no such file" in read("none*.png")[2]


def test_a_name_that_is_not_unicode_is_escaped(read: Run, folder: Path) -> None:
    name = os.fsdecode(b"\xff.png")
    try:
        (folder / "42.png").rename(folder / name)
    except OSError:
        pytest.skip("this file system takes names in Unicode only")
    assert read(name, "7.png") == (0, "\\udcff.png: 42\n7.png: 7\n", "")
    assert json.loads(read(name, "--json")[1])["path"] == name


# --show


def test_show_draws_one_picture(read: Run, folder: Path) -> None:
    assert read("42.png", "--show", "out.png") == (0, "42\n", "")
    with Image.open(folder / "out.png") as drawing:
        assert drawing.mode == "RGB"
        assert drawing.width >= 2 * 36 * 3


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["42.png", "7.png", "--show", "out.png"], "give one FILE with it, not 2"),
        (["42.png", "--show", "42.png"], "would overwrite the picture itself"),
        (["42.png", "--show", "out.xyz"], "name it .png or .jpg"),
        (["42.png", "--show", "out"], "name it .png or .jpg"),
        (["42.png", "--show", "none/out.png"], "cannot be written (No such file"),
        (["42.png", "--model", "none"], "There is no bundle in none"),
        (["42.png", "--pattern", "abc"], "The pattern 'abc' must have at least one #"),
        (["42.png", "--pattern", "#", "--count", "1"], "give no count with it"),
        (["42.png", "--region", "1,2,3"], "is not x,y,width,height"),
    ],
)
def test_a_mistake_gets_one_sentence(read: Run, arguments: list[str], reason: str) -> None:
    status, _, errors = read(*arguments)
    assert status == 2
    assert reason in errors
    assert errors.startswith("digits read: ")
    assert errors.count("\n") == 1


def test_a_picture_that_cannot_be_read_is_not_drawn(read: Run, folder: Path) -> None:
    assert read("empty.png", "--show", "out.png")[0] == 1
    assert not (folder / "out.png").exists()


# The process as a whole.


def test_it_is_quiet_and_does_not_import_the_training_side() -> None:
    """Neither LiteRT's greeting nor libtiff's warnings about a damaged file get through."""
    Image.new("RGB", (40, 40)).save("cut.tif", compression="tiff_lzw")
    Path("cut.tif").write_bytes(Path("cut.tif").read_bytes().replace(b"\x80", b"\xff"))
    program = (
        "import sys; from digits.cli import main; status = main(['read', '42.png', 'cut.tif'])\n"
        "heavy = {'tensorflow', 'keras', 'scipy', 'sklearn', 'matplotlib', 'urllib.request'}\n"
        "print(status, sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout == "42.png: 42\n1 []\n"
    assert found.stderr.startswith("digits read: cut.tif is a TIFF file that is damaged")
    assert found.stderr.count("\n") == 1


def test_standard_input(folder: Path) -> None:
    for content, status, output, error in (
        ((folder / "42.png").read_bytes(), 0, "42\n", ""),
        (b"", 1, "", "digits read: Standard input is empty"),
        (b"text", 1, "", "digits read: Standard input is text"),
    ):
        found = subprocess.run([*COMMAND, "-"], input=content, capture_output=True)
        assert (found.returncode, found.stdout.decode()) == (status, output)
        assert found.stderr.decode().startswith(error)


@POSIX
def test_a_pipe_that_closes_ends_it_quietly() -> None:
    process = subprocess.Popen(
        [*COMMAND, *["7.png"] * 5000], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"7.png: 7\n"
    process.stdout.close()
    with process.stderr as errors:
        assert errors.read() == b""
    assert process.wait(timeout=60) == 141


@POSIX
def test_a_full_disk_gets_one_sentence() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "wb") as full:
        found = subprocess.run([*COMMAND, "7.png"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert found.returncode == 2
    assert found.stderr.startswith("digits read: Standard output cannot be written (No space")
    assert found.stderr.count("\n") == 1


@POSIX
def test_control_c_ends_it_with_one_word() -> None:
    process = subprocess.Popen(
        [*COMMAND, *["7.png"] * 20_000], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "7.png: 7\n"
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "\nStopped.\n"
    assert set(output.splitlines()) <= {"7.png: 7"}  # no half line


@POSIX
@pytest.mark.parametrize(("count", "seen"), [(40, True), (2, False)])
def test_a_bar_for_many_files_on_a_terminal(count: int, seen: bool) -> None:
    output, errors = on_terminal([*COMMAND, "text.png", *["7.png"] * (count - 1)])
    assert output.count(b"7.png: 7\n") == count - 1
    assert b"digits read: text.png is text" in errors
    assert (f"/{count} ".encode() in errors) == seen
    assert (b"pictures/s" in errors) == seen


def on_terminal(command: list[str]) -> tuple[bytes, bytes]:
    """Its output in a pipe, and its standard error on a terminal of 80 columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    output, _ = process.communicate(timeout=60)
    errors = b""
    while True:
        try:
            errors += (part := os.read(ours, 1 << 16))
        except OSError:  # how Linux says that the terminal is closed
            break
        if not part:
            break
    os.close(ours)
    return output, errors


@POSIX
def test_memory_stays_flat_over_many_files() -> None:
    few, many = peak_memory_mb(50), peak_memory_mb(250)
    assert many - few < 4, (few, many)


def peak_memory_mb(files: int) -> float:
    process = subprocess.Popen([*COMMAND, "--json", *["7.png"] * files], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
