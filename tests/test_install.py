"""The reading side by itself: a virtual environment of its own, without TensorFlow."""

import subprocess
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


def test_is_small(environment: tuple[Path, Path]) -> None:
    assert installed.folder_size(environment[0]) < LARGEST
