"""Does the picture show what training does?"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from digits.cli import main
from digits.data.mnist import Bytes, Mnist
from digits.reporting import plots
from digits.reporting.plots import AugmentationRow
from digits.runs.recipes import RECIPES
from digits.studies import gallery

DEFAULT = RECIPES["default"]


@pytest.fixture(scope="module")
def digits(mnist: Mnist) -> Bytes:
    return mnist.train_images[:10]


def test_rows_do_what_they_say(digits: Bytes) -> None:
    rows = {row.name: row for row in gallery.draw(DEFAULT, digits)}
    np.testing.assert_array_equal(rows["unchanged"].images, digits)
    np.testing.assert_array_equal(rows["horizontal flip"].images, digits[:, :, ::-1])
    np.testing.assert_array_equal(rows["vertical flip"].images, digits[:, ::-1])
    cut = rows["cutout"].images
    assert ((cut == digits) | (cut == 0)).all()
    assert (cut != digits).any(axis=(1, 2)).sum() >= 7  # the others had no ink there
    ink = rows["stroke width"].images.sum(axis=(1, 2)) / digits.sum(axis=(1, 2))
    assert (ink[::2] < 0.9).all()
    assert (ink[1::2] > 1.1).all()
    for name, row in rows.items():
        assert row.images.shape == (10, 28, 28)
        if name not in ("unchanged", "the whole recipe"):
            assert (row.images != digits).any(axis=(1, 2)).sum() >= 7, name


def test_rows_say_what_the_recipe_does_not_use(digits: Bytes) -> None:
    unused = {row.name for row in gallery.draw(DEFAULT, digits) if not row.used}
    assert unused == {
        "elastic",
        "cutout",
        "horizontal flip",
        "vertical flip",
        "clutter",
    }
    mirroring = replace(DEFAULT, horizontal_flip=0.25, rotation=0, cutout=5)
    rows = {row.name: row for row in gallery.draw(mirroring, digits)}
    assert rows["horizontal flip"].used
    assert rows["horizontal flip"].amount == "25% of the images"
    assert rows["cutout"].amount == "a square of 5 pixels"
    assert not rows["rotation"].used
    assert rows["rotation"].amount == "15° either way"


def test_a_recipe_without_augmentation_leaves_digits_as_they_are(digits: Bytes) -> None:
    rows = {row.name: row for row in gallery.draw(RECIPES["fast"], digits)}
    np.testing.assert_array_equal(rows["the whole recipe"].images, digits)
    assert not rows["shear"].used
    assert (rows["shear"].images != digits).any()


def test_the_command_draws_a_picture(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, titles, draw = tmp_path / "a.png", [], plots.augmentations

    def titled(rows: Sequence[plots.AugmentationRow], title: str, path: Path) -> Figure:
        titles.append(title)
        return draw(rows, title, path)

    monkeypatch.setattr(plots, "augmentations", titled)
    assert main(["show", "augment", "--out", str(out), "--rotation", "30"]) == 0
    output, errors = capfd.readouterr()
    assert errors == ""
    assert output.startswith(f"{out} shows ")
    assert output.endswith("Recipe default, changed by flags.\n")
    assert titles == ["Recipe default, changed by flags: each augmentation alone, at its strongest"]
    with Image.open(out) as picture:
        assert min(picture.size) > 1000
        assert len(np.unique(np.asarray(picture.convert("L")))) > 100
    assert out.stat().st_size < 250_000


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["augment", "--out", "a.txt"], "--out a.txt: the picture is a PNG"),
        (["augment", "--out", "none/a.png"], "--out none/a.png cannot be written"),
        (["augment", "--elastic", "11"], "--elastic must be from 0 to 10"),
        (["runs"], "invalid choice: 'runs'"),
    ],
)
def test_mistakes(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["show", *arguments])
    except SystemExit as end:  # argparse
        status = int(end.code or 0)
    assert status == 2
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("digits show: ")
    assert reason in last
    assert list(tmp_path.iterdir()) == []


def test_data_of_ones_own_with_fewer_labels(
    tmp_path: Path, digits: Bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Further images take the places of the labels that there are not."""
    drawn: list[tuple[Any, ...]] = []

    def draw(*given: Any) -> list[AugmentationRow]:
        drawn.append(given)
        return usual(*given)

    usual = gallery.draw
    monkeypatch.setattr(gallery, "draw", draw)
    data, out = tmp_path / "three.npz", tmp_path / "out.png"
    # Sixteen images, of which fourteen are to train on, labelled 0, 0, 1, 1, 2, 2, 0, 0, ...
    np.savez(data, x=np.resize(digits, (16, 28, 28)), y=np.arange(16) // 2 % 3)
    command = ["show", "augment", "--data", str(data), "--not-digits", "--out", str(out)]
    assert main(command) == 0
    ((_, shown, what),) = drawn
    assert what == "your own images"
    np.testing.assert_array_equal(shown, digits[[0, 2, 4, 1, 3, 5, 6, 7, 8, 9]])
    np.savez(data, x=digits[:9], y=np.arange(9))
    assert main(command) == 2
