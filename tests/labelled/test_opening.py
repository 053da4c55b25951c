"""Are data of one's own opened as they are, turned if they must be, and never mistaken?"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digits import Reader, bundle
from digits.bundle import Bundle
from digits.data import formats
from digits.data.mnist import Bytes, Mnist
from digits.errors import DigitsError
from digits.labelled import opening
from digits.labelled.opening import load, load_again
from digits.labelled.upright import WAYS

FEW = 350


def npz(path: Path, images: Bytes, labels: Bytes) -> Path:
    np.savez(path, x_train=images, y_train=labels)
    return path


@pytest.fixture
def few(mnist: Mnist) -> tuple[Bytes, Bytes]:
    return mnist.train_images[:FEW], mnist.train_labels[:FEW]


def test_mnist_is_mnist_in_any_form(mnist: Mnist, tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        name: getattr(mnist, key).reshape(-1, 784)
        if key.endswith("images")
        else getattr(mnist, key)
        for key, name in formats.NPZ_NAMES.items()
    }
    np.savez(tmp_path / "rows.npz", **arrays)
    found = load(tmp_path / "rows.npz")
    assert (found.own, found.name) == (None, "MNIST")
    assert np.array_equal(found.test_images, mnist.test_images)
    with pytest.raises(DigitsError, match="is MNIST, which shows digits; leave --not-digits out"):
        load(tmp_path / "rows.npz", not_digits=True)


@pytest.mark.parametrize(
    ("way", "back"),
    [
        ("transposed", lambda images: images.transpose(0, 2, 1)),  # as EMNIST's files are
        ("turned left", lambda images: np.rot90(images, 1, (1, 2))),
        ("turned right", lambda images: np.rot90(images, 3, (1, 2))),
        ("upside down", lambda images: images[:, ::-1, ::-1]),
        ("mirrored", lambda images: images[:, :, ::-1]),
    ],
)
def test_digits_are_turned_as_mnists_are(
    way: str, back: Any, few: tuple[Bytes, Bytes], tmp_path: Path
) -> None:
    images, labels = few
    data = load(npz(tmp_path / "emnist.npz", back(images), labels))
    assert np.array_equal(np.concatenate([data.train_images, data.test_images]), images)
    assert data.own
    turned, held_out = data.own.remarks
    assert turned.startswith(f"Its digits came {way}; they are turned, since the model")
    assert "held out" in held_out
    assert f"  {turned}" in opening.in_words(data, "300 digits")


def test_every_way_is_undone_by_one() -> None:
    image = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
    assert len({turn(image).tobytes() for turn in WAYS.values()}) == len(WAYS) == 8


def test_dark_ink_becomes_bright(few: tuple[Bytes, Bytes], tmp_path: Path) -> None:
    images, labels = few
    data = load(npz(tmp_path / "dark.npz", 255 - images, labels))
    assert np.array_equal(data.train_images, images[:300])
    assert data.own
    assert data.own.remarks[0] == "Its digits were dark on bright paper; they are inverted."


def test_digits_that_lie_right_stay(few: tuple[Bytes, Bytes], tmp_path: Path) -> None:
    data = load(npz(tmp_path / "own.npz", *few))
    assert np.array_equal(data.train_images, few[0][:300])
    assert data.own
    assert data.own.digits
    assert len(data.own.remarks) == 1


def test_what_shows_no_digits_is_refused_or_left_as_it_is(
    few: tuple[Bytes, Bytes], tmp_path: Path
) -> None:
    """Labels that are another digit's are like those of clothes."""
    images, labels = 255 - few[0].transpose(0, 2, 1), (few[1] + 3) % 10
    path = npz(tmp_path / "clothes.npz", images, labels)
    with pytest.raises(
        DigitsError, match=r"clothes\.npz: shows no digits: of 200 images, .*--not-"
    ):
        load(path)
    data = load(path, not_digits=True)
    assert np.array_equal(data.train_images, images[:300])
    assert (data.digits, data.name) == (False, "clothes.npz")


def test_pictures_in_folders(few: tuple[Bytes, Bytes], tmp_path: Path) -> None:
    """Those of 28×28 are taken as they are, in others the digit is found and framed."""
    images, labels = few
    for number, (image, label) in enumerate(zip(images[:40], labels[:40], strict=True)):
        folder = tmp_path / "train" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    for number, (image, label) in enumerate(zip(images[40:52], labels[40:52], strict=True)):
        folder = tmp_path / "test" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        large = np.pad(255 - image.repeat(4, axis=0).repeat(4, axis=1), 30, constant_values=255)
        Image.fromarray(large).save(folder / f"{number}.png")
    (tmp_path / "test" / "3" / "notes.txt").write_text("no picture")
    (tmp_path / "train" / "none").mkdir()
    data = load(tmp_path)
    assert {image.tobytes() for image in data.train_images} == {i.tobytes() for i in images[:40]}
    assert len(data.test_labels) == 12
    for half, labels in (("training", data.train_labels), ("test", data.test_labels)):
        assert [Path(file).parent.name for file in data.origins[half]] == [*map(str, labels)]
    reader = Reader()
    read = [reader.outputs("digit", image)["probabilities"].argmax() for image in data.test_images]
    assert np.mean(read == data.test_labels) > 0.9
    heights = data.test_images.any(axis=2).sum(axis=1)
    widths = data.test_images.any(axis=1).sum(axis=1)
    assert (np.maximum(heights, widths) == 20).all()  # as in MNIST
    assert data.own
    others, framed, left_out, shuffled = data.own.remarks
    assert others == f"Left out: the folders {tmp_path / 'train' / 'none'}."
    assert framed == "In 12 pictures, a digit was found and framed as MNIST's are."
    assert left_out.startswith("Left out: ")
    assert "notes.txt" in left_out
    assert "shuffled" in shuffled
    with pytest.raises(DigitsError, match=r"has 172×172 pixels; what is no digit must have 28×28"):
        load(tmp_path, not_digits=True)


def test_errors_name_what_was_given(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "none.npz", r"--data .*none\.npz: there is no such file or folder\."),
        (tmp_path, "--data .*: holds no files named as MNIST's are"),
    ):
        with pytest.raises(DigitsError, match=reason):
            load(path)
    with pytest.raises(DigitsError, match="--not-digits is about data of your own"):
        load(None, not_digits=True)


def test_what_was_begun_goes_on_with_the_same_data(
    few: tuple[Bytes, Bytes], tmp_path: Path, mnist: Mnist
) -> None:
    path = npz(tmp_path / "own.npz", *few)
    begun = load(path).own
    assert load_again(begun, None, "The run").own == begun
    moved = path.rename(tmp_path / "moved.npz")
    with pytest.raises(DigitsError, match=r"The run was begun with .*own\.npz, which is not there"):
        load_again(begun, None, "The run")
    assert load_again(begun, moved, "The run").own == begun
    npz(moved, few[0][:-1], few[1][:-1])
    with pytest.raises(DigitsError, match=r"The run was begun with .* holds other images"):
        load_again(begun, moved, "The run")
    with pytest.raises(DigitsError, match="training images that are not MNIST's"):
        load_again(None, moved, "The run")
    assert load_again(None, None, "The run").own is None


def test_models_are_measured_on_what_they_know(few: tuple[Bytes, Bytes], tmp_path: Path) -> None:
    digits = bundle.read()
    own = {"path": "/a/clothes.npz", "digits": False}
    clothes = Bundle(digits.folder, {**digits.manifest, "own_data": own}, b"")
    assert (clothes.data, digits.data) == ("clothes.npz", "MNIST")
    with pytest.raises(
        DigitsError, match=r"trained on clothes\.npz, .* name these data with --dat"
    ):
        opening.for_models([clothes], None)
    with pytest.raises(DigitsError, match="measure them apart"):
        opening.for_models([digits, clothes], None)
    path = npz(tmp_path / "own.npz", few[0], (few[1] + 1) % 10)
    assert not opening.for_models([clothes, clothes], path).digits
    with pytest.raises(DigitsError, match="shows no digits"):
        opening.for_models([digits], path)
