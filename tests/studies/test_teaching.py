"""A model is taught someone's hand, and says what that brings; bad folders are a sentence."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import digits
from digits import Reader, bundle
from digits.cli import main
from digits.data.lines.in_context import draw_in_context
from digits.data.mnist import Bytes, Mnist
from digits.errors import DigitsError
from digits.studies.teaching import teaching
from digits.studies.teaching.last_layers import LastLayers, answers
from digits.studies.teaching.own_digits import OwnDigits, collect
from digits.studies.teaching.teaching import FOLDS, Others, Teaching, parts_of
from digits.training.exporting import export

if not (bundle.SHIPPED / "manifest.json").exists():
    pytest.skip("the package holds no model yet", allow_module_level=True)

READER = Reader()


def rare(seed: int) -> tuple[Bytes, Bytes]:
    """Digits that the shipped model mostly takes for others, or for letters: a hand of its own."""
    return draw_in_context(66, np.random.default_rng(seed))


def save(folder: Path, images: Bytes, labels: Bytes) -> Path:
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image).save(folder / str(label) / f"{number:03d}.png")
    return folder


def share_read(model: Path, images: Bytes, labels: Bytes) -> float:
    reader = Reader(model)
    found = [reader.classify(255 - image).digit for image in images]
    return float(np.mean(np.array(found) == labels))


@pytest.fixture(scope="module")
def clear(mnist: Mnist) -> tuple[Bytes, Bytes]:
    """Digits that the shipped model reads, two of each."""
    chosen = []
    for label in range(10):
        those = np.flatnonzero(mnist.train_labels[:2000] == label)
        sure = [i for i in those if READER.classify(mnist.train_images[i]).confidence > 0.99]
        chosen += sure[:2]
    return mnist.train_images[chosen], mnist.train_labels[chosen]


def test_a_hand_is_taught(tmp_path: Path, mnist: Mnist, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = save(tmp_path / "mine", *rare(1)), tmp_path / "new" / "model"
    shutil.copytree(folder / "9", folder / ".hidden")
    (folder / "9" / "broken.png").write_bytes(b"no picture")
    assert main(["teach", str(folder), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("66 digits: 18 of 1, 6 of 2, 12 of 5, 6 of 7, 6 of 8, 18 of 9\n")
    assert "broken.png" in text
    assert f"digits read --model {out} photo.jpg" in text
    images, labels = rare(2)
    before, after = (share_read(model, images, labels) for model in (bundle.SHIPPED, out))
    assert 1 - after <= 0.5 * (1 - before)
    some = slice(0, 500)
    on_mnist = [mnist.test_images[some], mnist.test_labels[some]]
    assert share_read(out, *on_mnist) >= share_read(bundle.SHIPPED, *on_mnist) - 0.01
    manifest = bundle.read(out, every_file=True).manifest
    assert manifest["taught"]["digits"].startswith("18 of 1, ")
    assert manifest["taught"]["right_after"] > manifest["taught"]["right_before"]
    assert Reader(out).read("docs/figures/sheet.jpg").text  # lines are read as before


def test_what_gains_nothing_is_not_written_unless_wanted(
    tmp_path: Path,
    clear: tuple[Bytes, Bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images, labels = clear
    folder, out = save(tmp_path / "mine", images, labels), tmp_path / "model"
    wrong = folder / "7" / "wrong.png"
    Image.fromarray(255 - images[labels == 4][0]).save(wrong)
    taught = digits.teach(folder, out, anyway=True)
    assert not taught.worthwhile
    assert taught.bundle == out
    assert Reader(out).classify(images[0]).digit == labels[0]
    kept = replace(taught, bundle=None)  # as it is without `anyway`
    monkeypatch.setattr("digits.api.teach", lambda *_, **__: kept)
    assert main(["teach", str(folder), "--out", str(out)]) == 1
    text = capsys.readouterr().out
    assert f"Perhaps in the wrong folder:\n  {wrong} looks like a 4\n" in text
    assert "Nothing was written" in text


@pytest.mark.parametrize(
    ("gained", "lost", "worthwhile"), [(1, 0.0005, True), (0, 0.0, False), (9, 0.0006, False)]
)
def test_worthwhile_is_what_gains_and_costs_mnist_little(
    gained: int, lost: float, worthwhile: bool
) -> None:
    own = OwnDigits(np.zeros((9, 28, 28), np.uint8), np.zeros(9, np.uint8), (Path(),) * 9, ())
    before = np.zeros(9, np.bool_)
    after = np.arange(9) < gained
    found = Teaching(own, before, after, 0.004, 0.004 + lost, (), 1.0, None)
    assert found.worthwhile == worthwhile


def test_a_page_is_many_digits_and_a_picture_one(
    tmp_path: Path, clear: tuple[Bytes, Bytes]
) -> None:
    sevens = clear[0][clear[1] == 7]
    sheet = np.zeros((140, 200), np.uint8)
    for row in (20, 90):
        for column, image in zip((20, 80, 140), [sevens[0], sevens[1], sevens[0]], strict=True):
            sheet[row : row + 28, column : column + 28] = image
    folder = save(tmp_path, clear[0][:1], clear[1][:1])
    (folder / "7").mkdir(exist_ok=True)
    Image.fromarray(255 - sheet).save(folder / "7" / "sheet.png")
    (folder / "none").mkdir()
    Image.fromarray(np.rot90(255 - sevens[0])).save(folder / "none" / "turned.png")
    own = collect(folder, READER)
    assert own.in_words == "1 of 0, 6 of 7, 1 that are none"
    assert {path.name for path in own.files if path.parent.name == "7"} == {"sheet.png"}
    assert own.images.shape == (8, 28, 28)


def test_what_would_be_misread_first_comes_first() -> None:
    logits = np.full((4, 11), -9, np.float32)
    for row, (first, second) in enumerate([(9, 2), (3, 2.5), (9, 8.8), (5, 1)]):
        logits[row, [row, 7]] = first, second
    weights = [(np.eye(11, dtype=np.float32), np.zeros(11, np.float32))]
    assert teaching.hardest_first(weights, [logits]).tolist() == [2, 1, 3, 0]


def test_a_hand_is_learnt_among_hard_digits(mnist: Mnist) -> None:
    """They are copies of those digits that the network reads least surely, with their labels."""
    some = slice(-5_400, None)
    few = replace(
        mnist, train_images=mnist.train_images[some], train_labels=mnist.train_labels[some]
    )
    last = LastLayers.of(export.loaded(bundle.read(), "model.keras"), 1)
    others = Others.prepare(last, few)
    features, labels = others.learnt
    digits_of_mnist = slice(0, teaching.HARDEST)
    assert len(labels) == teaching.HARDEST + teaching.OF_VARIANTS + teaching.OF_NON_DIGITS
    found, _ = answers(last.weights, [of[digits_of_mnist] for of in features])
    held_out, _ = answers(last.weights, others.validation[0])
    assert np.median(found.max(axis=1)) < np.quantile(held_out.max(axis=1), 0.4)
    right = found.argmax(axis=1) == labels[digits_of_mnist]
    assert 0.8 < right.mean() < 1


def test_parts_hold_each_digit_once_and_as_many_of_each_label() -> None:
    labels = np.repeat(np.arange(10), 7).astype(np.uint8)
    parts = list(parts_of(labels))
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(70))
    for part in parts:
        assert len(part) == 70 // FOLDS
        assert set(np.bincount(labels[part], minlength=10)) <= {1, 2}


@pytest.fixture
def folders(tmp_path: Path, clear: tuple[Bytes, Bytes]) -> Path:
    """Bad ones, by name."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "no pictures" / "3").mkdir(parents=True)
    save(tmp_path / "one picture", clear[0][:1], clear[1][:1])
    (tmp_path / "unreadable" / "3").mkdir(parents=True)
    (tmp_path / "unreadable" / "3" / "x.png").write_text("x")
    blank = np.full((60, 60), 255, np.uint8)
    save(tmp_path / "blank", 255 - blank[None], np.array([3]))
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("none", "there is no such folder"),
        ("empty", "holds none of the folders 0 to 9; put the pictures"),
        ("no pictures", "its folders 3 hold no pictures"),
        ("one picture", "holds 1 digits, and 5 are needed"),
        ("unreadable", "No digit was found in .*; .*x.png"),
        ("blank", "No digit was found in .*; .* is blank"),
    ],
)
def test_bad_folders_are_a_sentence(folder: str, reason: str, folders: Path) -> None:
    out = folders / "out"
    with pytest.raises(DigitsError, match=reason):
        digits.teach(folders / folder, out)
    assert not out.exists()


def test_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(DigitsError, match="holds something that is not a bundle"):
        digits.teach(tmp_path, tmp_path)
    with pytest.raises(DigitsError, match="holds something that is not a bundle"):
        digits.teach(tmp_path, tmp_path / "letters.txt")
    assert (tmp_path / "letters.txt").read_text() == "mine"


def test_a_page_is_cut_into_pictures(
    tmp_path: Path, mnist: Mnist, capsys: pytest.CaptureFixture[str]
) -> None:
    page, out = "docs/figures/sheet.jpg", tmp_path / "mine"
    text = "\n".join(READER.read(page).lines)
    for times in (1, 2):  # earlier pictures stay
        assert main(["label", page, "--text", text, "--out", str(out)]) == 0
        files = sorted(out.glob("*/*.png"))
        assert len(files) == times * len(text.replace("\n", ""))
    assert "digits teach" in capsys.readouterr().out
    own = collect(out, READER)
    found = [READER.classify(path).digit for path in own.files]
    assert np.mean(np.array(found) == own.labels) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12", "there are lines of .* digits, and in the text of 2; write"),
        ("1a", "The text '1a' is not of the digits"),
        (" ", "The text ' ' is not of the digits"),
    ],
)
def test_a_text_that_does_not_fit_the_page_is_a_sentence(
    text: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine"
    command = ["label", "docs/figures/sheet.jpg", "--text", text, "--out", str(out)]
    assert main(command) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("digits label: ")
    assert errors.count("\n") == 1
    assert re.search(reason, errors)
    assert not out.exists()
