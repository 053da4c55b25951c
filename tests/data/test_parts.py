"""Is each part found under the names that data sets give it, and is all else refused by name?"""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits.data import formats, parts
from digits.data.parts import images_of, labels_of
from digits.errors import DigitsError

IMAGES = np.arange(12 * 784, dtype=np.uint32).reshape(12, 28, 28).astype(np.uint8)
LABELS = (np.arange(12) % 10).astype(np.uint8)
# What a set of files is called, for training and test, images and labels.
FILES = {
    "Fashion-MNIST, KMNIST": (
        *("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        *("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    ),
    "with dots": (
        *("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        *("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
    ),
    "EMNIST": (
        *("emnist-digits-train-images-idx3-ubyte", "emnist-digits-train-labels-idx1-ubyte"),
        *("emnist-digits-test-images-idx3-ubyte", "emnist-digits-test-labels-idx1-ubyte"),
    ),
    "QMNIST": (
        *("qmnist-train-images-idx3-ubyte.gz", "qmnist-train-labels-idx2-int.gz"),
        *("qmnist-test-images-idx3-ubyte.gz", "qmnist-test-labels-idx2-int.gz"),
    ),
    "KMNIST, NumPy": (
        *("kmnist-train-imgs.npz", "kmnist-train-labels.npz"),
        *("kmnist-test-imgs.npz", "kmnist-test-labels.npz"),
    ),
    "NumPy": ("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"),
}


def write(path: Path, array: Any) -> None:
    """An array in the format that its file's name promises."""
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez_compressed(path, array)
    else:
        content = formats.write_idx(array)
        if "idx2-int" in path.name:  # what QMNIST knows of each digit, its label first
            of_all = np.arange(len(array) * 8, dtype=">i4").reshape(-1, 8)
            of_all[:, 0] = array
            content = struct.pack(">HBBII", 0, 12, 2, *of_all.shape) + of_all.tobytes()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_all(folder: Path, names: tuple[str, ...]) -> None:
    arrays = (IMAGES[:8], LABELS[:8], IMAGES[8:], LABELS[8:])
    for name, array in zip(names, arrays, strict=True):
        write(folder / name, array)


@pytest.mark.parametrize("names", FILES.values(), ids=FILES)
def test_files_are_known_by_name(names: tuple[str, ...], tmp_path: Path) -> None:
    write_all(tmp_path, names)
    (tmp_path / "README.md").write_text("not data")
    sources = [tmp_path] if names[0].endswith("npy") else [tmp_path, tmp_path / names[0]]
    for source in sources:  # the folder, or the file of the training images
        found = parts.read(source)
        assert found.remarks == ()
        assert np.array_equal(found.arrays["train_images"], IMAGES[:8])
        assert np.array_equal(found.arrays["test_images"], IMAGES[8:])
        assert np.array_equal(found.arrays["train_labels"], LABELS[:8])
        assert np.array_equal(found.arrays["test_labels"], LABELS[8:])
        assert {array.dtype for array in found.arrays.values()} == {np.dtype(np.uint8)}


def test_of_several_sets_one_is_named_by_its_file(tmp_path: Path) -> None:
    write_all(tmp_path, FILES["EMNIST"])
    write_all(tmp_path, tuple(name.replace("digits", "mnist") for name in FILES["EMNIST"]))
    with pytest.raises(DigitsError, match="several sets, emnist-digits, emnist-mnist; name the"):
        parts.read(tmp_path)
    assert len(parts.read(tmp_path / FILES["EMNIST"][0]).arrays["train_labels"]) == 8


@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train"), ("train_images", "train_labels"), ("X", "y"), ("images", "labels")],
)
def test_arrays_are_known_by_name(names: tuple[str, str], tmp_path: Path) -> None:
    arrays: dict[str, Any] = dict(zip(names, (IMAGES, LABELS), strict=True))
    np.savez(tmp_path / "own.npz", **arrays)
    found = parts.read(tmp_path / "own.npz").arrays
    assert sorted(found) == ["train_images", "train_labels"]
    assert np.array_equal(found["train_images"], IMAGES)


def test_validation_images_become_the_last_to_train_on(tmp_path: Path) -> None:
    """As in MedMNIST; training holds out the last ones for validation."""
    path = tmp_path / "octmnist.npz"
    ends = {"train": (0, 6), "val": (6, 9), "test": (9, 12)}
    arrays: dict[str, Any] = {
        f"{part}_{what}": array[low:high]
        for part, (low, high) in ends.items()
        for what, array in (("images", IMAGES), ("labels", LABELS[:, None]))
    }
    np.savez(path, **arrays)
    found = parts.read(path)
    assert np.array_equal(found.arrays["train_images"], IMAGES[:9])
    assert np.array_equal(found.arrays["train_labels"], LABELS[:9])
    assert np.array_equal(found.arrays["test_labels"], LABELS[9:])
    assert found.remarks == ("Its 3 validation images are the last of those to train on.",)


@pytest.mark.parametrize(
    "array",
    [
        IMAGES,
        IMAGES[..., None],
        IMAGES[:, None],
        IMAGES.reshape(12, 784),
        IMAGES.astype(np.int64),
        IMAGES.astype(np.float32),
        IMAGES / 255,
        (IMAGES / 255).astype(np.float16),
    ],
)
def test_images_in_any_shape_and_range_are_mnists(array: Any) -> None:
    found = images_of(array, "x")
    assert found.shape == (12, 28, 28)
    assert found.dtype == np.uint8
    assert np.array_equal(found, IMAGES)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.float64])
def test_black_and_white(dtype: Any) -> None:
    assert np.array_equal(images_of((IMAGES > 99).astype(dtype), "x"), (IMAGES > 99) * 255)


@pytest.mark.parametrize("array", [LABELS, LABELS[:, None], LABELS.astype(np.float64)])
def test_labels_of_any_type(array: Any) -> None:
    assert np.array_equal(labels_of(array, "y"), LABELS)


@pytest.mark.parametrize(
    ("images", "labels", "reason"),
    [
        (np.zeros((12, 32, 32)), LABELS, r"x has the shape \(12, 32, 32\); \(n, 28, 28\) is need"),
        (np.zeros((12, 28, 28, 3)), LABELS, r"shape \(12, 28, 28, 3\).*grey images"),
        (IMAGES[:0], LABELS, "its array x is empty"),
        (IMAGES - 100.0, LABELS, "its array x holds pixels from -100 to 155; from 0 to 255 or"),
        (IMAGES.astype(np.uint16) * 257, LABELS, "pixels from 0 to 65535"),
        (np.full((12, 28, 28), np.nan), LABELS, "x holds numbers that are not finite"),
        (IMAGES.astype("U3"), LABELS, "x holds <U3, not numbers"),
        (IMAGES, LABELS[:9], "its array x holds 12 images, and its array y 9 labels"),
        (IMAGES, LABELS + 1, "y holds labels from 1 to 10; they must be from 0 to 9"),
        (IMAGES, LABELS + 0.5, "y holds labels that are not whole numbers"),
        (IMAGES, np.eye(12, 10), r"y has the shape \(12, 10\); a label for each"),
    ],
)
def test_other_arrays_are_refused_by_name(
    images: Any, labels: Any, reason: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "own.npz", x=images, y=labels)
    with pytest.raises(DigitsError, match=reason) as caught:
        parts.read(tmp_path / "own.npz")
    assert "idx" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "a.idx",
            formats.write_idx(IMAGES),
            "is not named as MNIST's files are: train-images-idx3",
        ),
        ("a.gz", gzip.compress(b"text", mtime=0), "is not named as MNIST's files are"),
        (
            "train-images.gz",
            gzip.compress(b"text", mtime=0),
            "train-images.gz does not begin with the magic",
        ),
        (
            "train-images-idx3-ubyte",
            formats.write_idx(IMAGES),
            "holds train-images-idx3-ubyte, and ",
        ),
        ("a.txt", b"text", "is neither an .npz nor an IDX file"),
    ],
)
def test_other_files_are_refused(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DigitsError, match=reason):
        parts.read(tmp_path / name)


def test_files_in_a_folder_that_are_not_looked_at(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", a=IMAGES)
    with pytest.raises(DigitsError, match=r"no folders 0 to 9 of pictures; name .*own\.npz itself"):
        parts.read(tmp_path)
    with pytest.raises(DigitsError, match=r"is an \.npz of a; call its arrays x_train, y_train"):
        parts.read(tmp_path / "own.npz")
    np.save(tmp_path / "a.npy", IMAGES)
    with pytest.raises(DigitsError, match="is a single array"):
        parts.read(tmp_path / "a.npy")
