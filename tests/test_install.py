"""The reading side by itself: a virtual environment of its own, without TensorFlow."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.harness import installation as installed
from digits.data.mnist import Mnist

LARGEST = 250e6  # bytes


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Its site-packages, and its command `digits`."""
    return installed.fresh_environment(tmp_path_factory.mktemp("alone") / "venv")


def test_reads_without_tensorflow(
    environment: tuple[Path, Path], mnist: Mnist, tmp_path: Path
) -> None:
    site, command = environment
    assert not list(site.glob("tensorflow*"))
    assert not list(site.glob("keras*"))
    digits = mnist.train_images[[7, 1, 2]]
    Image.fromarray(255 - np.hstack([np.pad(d, 6) for d in digits])).save(tmp_path / "three.png")
    found = subprocess.run(
        [command, "read", tmp_path / "three.png"], capture_output=True, text=True, cwd=tmp_path
    )
    expected = "".join(str(label) for label in mnist.train_labels[[7, 1, 2]])
    assert (found.stdout, found.stderr, found.returncode) == (f"{expected}\n", "", 0)


def test_recipes_are_listed_without_tensorflow(
    environment: tuple[Path, Path], tmp_path: Path
) -> None:
    run: list[str | Path] = [environment[1], "models", "--no-time"]
    found = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path)
    assert (found.stderr, found.returncode) == ("", 0)
    assert "99.70% ± 0.02%" in found.stdout


# A lie about a type that checkers did not see through would leave an ignore unused, an error too.
USERS_PROGRAM = """
from pathlib import Path

import numpy as np
from PIL import Image

import digits
from digits import DigitsError, Page, Reader, Reading, compare, evaluate, teach, train


def texts(reader: Reader, folder: Path) -> list[str]:
    found: list[str] = []
    for page in reader.read_many(sorted(folder.iterdir()), workers=2):
        if isinstance(page, DigitsError):
            print(page)
        else:
            found.append(page.text)
    return found


def answers(reader: Reader) -> list[int]:
    kinds = reader.classify_many(
        [Path("a.png"), "b.png", b"", np.zeros((28, 28)), Image.new("L", (9, 9))]
    )
    stack = reader.classify_many(np.zeros((3, 28, 28), np.uint8))
    return [one.digit for one in [*kinds, *stack] if isinstance(one, Reading)]


def form(reader: Reader) -> Page:
    with open("form.png", "rb") as file:
        page = reader.read(file, pattern="##", regions=[(0, 0, 9, 9)], guess=True)
    print(page.lines[0], page.groups[0].box.width, page.cells[0].row, page.to_dict()["text"])
    print(page.readings[0].probabilities.argmax(), page.confidence + 1)
    return page


def learning() -> float:
    run = train("fast", out="runs/one", epochs=2)
    print(run.metrics()["test_accuracy"], run.history()[-1].loss, run.bundle / "x")
    rows = compare([run.bundle, "runs/two"]).rows
    taught = teach("mine", "runs/mine", model=run.bundle)
    print(evaluate(taught.bundle or run.bundle, images="mine").figures, digits.__version__.upper())
    return rows[0].accuracy


Reader().reed("a.png")  # type: ignore[attr-defined]
Reader().read(28)  # type: ignore[arg-type]
Reader().read("a.png").text.real  # type: ignore[attr-defined]
Reader().classify("a.png").digit.upper  # type: ignore[attr-defined]
next(Reader().classify_many([])).digit  # type: ignore[union-attr]
train(recipe=1)  # type: ignore[arg-type]
train().bundle.upper  # type: ignore[attr-defined]
evaluate().text.real  # type: ignore[attr-defined]
compare("run").rows[0].accuracy.upper  # type: ignore[attr-defined]
teach("mine", "out").seconds.upper  # type: ignore[attr-defined]
digits.trian  # type: ignore[attr-defined]
"""


def test_a_users_program_is_checked_against_what_is_installed(
    environment: tuple[Path, Path], tmp_path: Path
) -> None:
    site, command = environment
    assert (site / "digits" / "py.typed").exists()
    (tmp_path / "program.py").write_text(USERS_PROGRAM)
    python = command.with_name("python.exe" if sys.platform == "win32" else "python")
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "program.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert found.stdout == "Success: no issues found in 1 source file\n", found.stdout


def test_is_small(environment: tuple[Path, Path]) -> None:
    assert installed.folder_size(environment[0]) < LARGEST
