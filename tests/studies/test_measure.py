"""Are a bundle's figures counted from its answers, on MNIST and on a user's own pictures?"""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digits import bundle, runtime
from digits.cli import main
from digits.data.corruptions import CORRUPTIONS
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.evaluation import wilson_interval
from digits.labelled.folders import labelled_pictures
from digits.studies import measure


@pytest.fixture(scope="module")
def shipped() -> bundle.Bundle:
    return bundle.read()


def test_answers_are_the_golden_ones(shipped: bundle.Bundle) -> None:
    golden = np.load(shipped.folder / "golden.npz")
    probabilities, is_digit = runtime.answers(shipped, golden["digit_input"])
    np.testing.assert_allclose(probabilities, golden["digit_probabilities"], atol=1e-4)
    np.testing.assert_allclose(is_digit, golden["digit_is_digit"].reshape(-1), atol=1e-4)


def test_figures_of_mnist_are_counted(shipped: bundle.Bundle, mnist: Mnist) -> None:
    images, labels = mnist.train_images[:300], mnist.train_labels[:300].copy()
    probabilities, is_digit = runtime.answers(shipped, images)
    labels[:3] = (labels[:3] + 1) % 10  # three mistakes
    wrong = int((probabilities.argmax(axis=1) != labels).sum())
    figures, text = measure.on_digits(shipped, images, labels)
    assert figures["test_errors"] == wrong >= 3
    assert figures["test_accuracy"] == 1 - wrong / 300
    accepted = is_digit >= shipped.threshold
    assert figures["accepted"] == accepted.mean()
    right = probabilities.argmax(axis=1)[accepted] == labels[accepted]
    assert figures["accepted_accuracy"] == right.mean()
    assert f"{wrong} of 300 misread" in text
    json.dumps(figures)


def test_corruptions_are_measured_beside_the_clean_digits(
    shipped: bundle.Bundle, mnist: Mnist
) -> None:
    images, labels = mnist.train_images[:100], mnist.train_labels[:100]
    figures, text = measure.under_corruptions(shipped, images, labels)
    rows = figures["corruptions"]
    assert list(rows) == ["none", *CORRUPTIONS]
    assert len(rows) == 16
    clean, _ = runtime.answers(shipped, images)
    assert rows["none"]["error"] == (clean.argmax(axis=1) != labels).mean()
    assert figures["mean_error"] == pytest.approx(
        np.mean([rows[name]["error"] for name in CORRUPTIONS])
    )
    assert figures["mean_error"] > rows["none"]["error"]
    assert len(text.splitlines()) == 19
    json.dumps(figures)


@pytest.fixture
def pictures(tmp_path: Path, mnist: Mnist) -> Path:
    """Folders 3 and 7 of MNIST's digits in dark ink; one is in the wrong folder, one damaged."""
    for label in (3, 7):
        (tmp_path / str(label)).mkdir()
        for number, index in enumerate(np.flatnonzero(mnist.train_labels == label)[:6]):
            picture = Image.fromarray(255 - mnist.train_images[index])
            picture.resize((84, 84)).save(tmp_path / f"{label}/{number}.png")
    (tmp_path / "3/5.png").rename(tmp_path / "7/three.png")
    (tmp_path / "7/damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "7/.DS_Store").write_bytes(b"\0")
    (tmp_path / "7/folder").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/9.png").touch()
    return tmp_path


def test_own_pictures(pictures: Path) -> None:
    labelled = labelled_pictures(pictures)
    assert [(path.name, label) for path, label in labelled] == [
        *((f"{number}.png", 3) for number in range(5)),
        *((f"{number}.png", 7) for number in range(6)),
        ("damaged.png", 7),
        ("three.png", 7),
    ]
    figures, text = measure.on_pictures(bundle.read(), pictures)
    assert figures["pictures"] == 12
    assert figures["accuracy"] == pytest.approx(11 / 12)
    assert figures["accuracy_interval"] == list(wilson_interval(11, 12))
    assert 0.5 < figures["accepted"] <= 1
    (misread,) = figures["misread"]
    assert misread["path"] == str(pictures / "7/three.png")
    assert (misread["label"], misread["digit"]) == (7, 3)
    (unreadable,) = figures["unreadable"]
    assert unreadable["path"] == str(pictures / "7/damaged.png")
    assert "Accuracy: 91.67%" in text
    assert f"{pictures}/7/three.png: read as 3" in text
    assert "damaged.png is a PNG file that is damaged" in text


def test_a_picture_without_ink_is_misread(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    Image.new("L", (50, 50), 255).save(tmp_path / "0/blank.png")
    figures, text = measure.on_pictures(bundle.read(), tmp_path)
    assert figures["accuracy"] == figures["accepted"] == 0
    assert figures["misread"][0]["digit"] is None
    assert "blank.png: no ink found" in text


def test_own_pictures_on_the_command_line(
    pictures: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(bundle.SHIPPED), "--images", str(pictures)]
    assert main(command) == 1  # one could not be read
    output, errors = capfd.readouterr()
    assert errors == ""
    assert "Misread, most confident first:" in output
    (pictures / "7/damaged.png").unlink()
    assert main([*command, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["pictures"] == 12


def test_folders_without_pictures_are_refused(tmp_path: Path) -> None:
    for folder, reason in (
        ("mine", "there is no such folder"),
        ("mine/4", "none of the folders 0 to 9"),
        ("mine/4/5", "hold no pictures"),
    ):
        with pytest.raises(DigitsError, match=reason):
            labelled_pictures(tmp_path / "mine")
        (tmp_path / folder).mkdir()
    (tmp_path / "mine/4/a.png").touch()
    with pytest.raises(DigitsError, match=r"None of the 1 pictures can be read; .*a.png is empty"):
        measure.on_pictures(bundle.read(), tmp_path / "mine")


def test_without_accepted_digits_there_is_no_share_read_correctly(
    shipped: bundle.Bundle, mnist: Mnist
) -> None:
    blank = np.zeros((3, 28, 28), np.uint8)
    figures, text = measure.on_digits(shipped, blank, mnist.train_labels[:3])
    assert figures["accepted_accuracy"] is None
    assert "Accepted as digits: none" in text
