"""Sets of handwriting, and fonts, for the tests of several benchmarks."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.handwriting import evaluation_sets, non_digits
from benchmarks.pages import made
from digits.data.mnist import Mnist
from digits.errors import DigitsError


@pytest.fixture
def handwriting_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist: Mnist) -> Path:
    """DIGITS_HANDWRITING: the sets as files of the right form, made of MNIST's training digits."""
    images, labels = mnist.train_images[:12], mnist.train_labels[:12]
    for name in (*evaluation_sets.PICTURES, "letters_printed"):
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
    points = [[5, 0], [5, 90], [0, 0], [50, 0], [10, 80], [10, 40], [40, 40]]
    strokes = {
        "points": np.array(points, np.int16),
        "stroke_offsets": np.array([0, 2, 5, 7]),
        "char_offsets": np.array([0, 1, 3]),
        "labels": np.array([1, 7], np.uint8),
    }
    for name in (*evaluation_sets.STROKES, "unipen_letters_dev"):
        np.savez(tmp_path / f"{name}.npz", **strokes)
    page = 255 - np.concatenate(list(images[:2]), axis=1).repeat(3, axis=0).repeat(3, axis=1)
    (tmp_path / "pictures").mkdir()
    truth = []
    pictures = [*(255 - images[:4]), page, np.full((40, 40), 255, np.uint8)]
    for i, lines in enumerate((["5"], ["0"], ["9"], ["50"], ["50"], [])):
        Image.fromarray(pictures[i]).save(tmp_path / "pictures" / f"{i}.png")
        truth.append({"file": f"{i}.png", "lines": lines})
    (tmp_path / "pictures" / "truth.json").write_text(json.dumps(truth))
    np.savez(
        tmp_path / "amount_strings.npz",
        pixels=page.ravel(),
        offsets=np.array([0, page.size]),
        heights=np.array([84]),
        widths=np.array([168]),
        strings=np.array(["50"]),
    )
    monkeypatch.setenv("DIGITS_HANDWRITING", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def fonts() -> list[list[Path]]:
    """The files of the fonts that the non-digits are drawn with."""
    try:
        return non_digits.font_files()
    except DigitsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def sources(mnist: Mnist) -> made.Sources:
    """What made pages are made from."""
    try:
        return made.sources(mnist)
    except DigitsError as error:
        pytest.skip(str(error))
