"""A file or folder of labelled images -> its parts: which array is what, in MNIST's form.

Files and arrays are known by their names, and all that is said of them by their content.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.bundle import DIGIT_SIDE
from digits.data import formats
from digits.data.formats import Arrays, Bytes
from digits.errors import DigitsError
from digits.evaluation import CLASSES

# The names of arrays, in lower case: Keras's, then those that other data sets have.
ARRAYS = {
    "train_images": ("x_train", "train_images", "train_x", "images", "x"),
    "train_labels": ("y_train", "train_labels", "train_y", "labels", "y"),
    "validation_images": ("x_val", "val_images", "x_valid", "valid_images", "x_validation"),
    "validation_labels": ("y_val", "val_labels", "y_valid", "valid_labels", "y_validation"),
    "test_images": ("x_test", "test_images", "test_x"),
    "test_labels": ("y_test", "test_labels", "test_y"),
}
KEY_OF_ARRAY = {name: key for key, names in ARRAYS.items() for name in names}
# train-images-idx3-ubyte.gz, t10k-labels.idx1-ubyte, emnist-digits-test-images-idx3-ubyte,
# qmnist-train-labels-idx2-int.gz, kmnist-train-imgs.npz
FILE = re.compile(
    r"(?P<set>.*?)(?P<part>train|test|t10k)[-_.]?(?P<what>images|imgs|labels)"
    r"([-_.]idx\d)?([-_.](ubyte|byte|short|int|float|double))?(\.gz|\.npz|\.npy)?",
    re.IGNORECASE,
)
QMNIST_COLUMNS = 8  # of what is known about each digit; the label comes first
AS_MNIST = "train-images-idx3-ubyte and train-labels-idx1-ubyte, gzipped or not"


@dataclass(frozen=True)
class Parts:
    """Labelled images, in the parts that they come in.

    Attributes:
        arrays: by the names `train_images`, `train_labels`, `test_images` and `test_labels`, those
            that there are: images, uint8 of shape (n, 28, 28), and labels, uint8 of shape (n,), 0
            to 9.
        remarks: what was done to them, a sentence each.
        files: of `train` and `test`, the file of each image, if it has one of its own.
    """

    arrays: Arrays
    remarks: tuple[str, ...] = ()
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read(path: Path) -> Parts:
    """Reads the parts from an `.npz`; from an IDX file and those that belong to it; or from a
    folder of IDX files or of NumPy's arrays.

    Raises:
        DigitsError: there is no such file, nothing in it is named as images and labels are, or the
            arrays are no labelled images of 28×28 grey pixels in ten classes.
    """
    found = _in_folder(path) if path.is_dir() else _in_file(path)
    return parts_of(found)


def parts_of(found: Mapping[str, tuple[str, NDArray[Any]]]) -> Parts:
    """Parts of the arrays that were found under the keys of `ARRAYS`, each with what messages call
    it. Raises DigitsError as `read` does."""
    arrays: Arrays = {}
    for part in ("train", "validation", "test"):
        images, labels = (found.get(f"{part}_{what}") for what in ("images", "labels"))
        if images and labels:
            arrays[f"{part}_images"] = images_of(images[1], images[0])
            arrays[f"{part}_labels"] = labels_of(labels[1], labels[0])
            counts = len(images[1]), len(labels[1])
            if counts[0] != counts[1]:
                raise DigitsError(
                    f"{images[0]} holds {counts[0]:,} images, and {labels[0]} {counts[1]:,} labels"
                )
        elif images or labels:
            there, lacks = (images, "labels") if images else (labels, "images")
            assert there
            raise DigitsError(f"holds {there[0]}, and no {lacks} for it")
    if "validation_images" not in arrays:
        return Parts(arrays)
    count = len(arrays["validation_labels"])
    for what in ("images", "labels"):
        further = arrays.pop(f"validation_{what}")
        before = arrays.get(f"train_{what}", further[:0])
        arrays[f"train_{what}"] = np.concatenate([before, further])
    remark = f"Its {count:,} validation images are the last of those to train on."
    return Parts(arrays, (remark,))


def images_of(array: NDArray[Any], name: str) -> Bytes:
    """Images as MNIST has them, uint8 of shape (n, 28, 28), 0 to 255.

    Args:
        array: of shape (n, 28, 28), (n, 28, 28, 1), (n, 1, 28, 28) or (n, 784), from 0 to 255, or
            from 0 to 1 if nothing in it is above 1.
        name: what messages call it.

    Raises:
        DigitsError: it has another shape or range, or no image.
    """
    pixels = DIGIT_SIDE * DIGIT_SIDE
    frame = array.shape[1:] if array.ndim > 1 else ()
    if tuple(side for side in frame if side != 1) not in ((DIGIT_SIDE, DIGIT_SIDE), (pixels,)):
        raise DigitsError(
            f"{name} has the shape {array.shape}; (n, {DIGIT_SIDE}, {DIGIT_SIDE}) is needed, grey "
            f"images of {DIGIT_SIDE}×{DIGIT_SIDE} pixels"
        )
    low, high = _range(array, name)
    if low < 0 or high > 255:
        raise DigitsError(
            f"{name} holds pixels from {low:g} to {high:g}; from 0 to 255 or from 0 to 1 is needed"
        )
    if high <= 1:
        array = array * 255.0 if array.dtype.kind == "f" else array.astype(np.uint8) * np.uint8(255)
    rounded = np.rint(array) if array.dtype.kind == "f" else array
    images: Bytes = rounded.astype(np.uint8, copy=False).reshape(-1, DIGIT_SIDE, DIGIT_SIDE)
    return images


def labels_of(array: NDArray[Any], name: str) -> Bytes:
    """Labels as MNIST has them, uint8 of shape (n,), 0 to 9.

    Args:
        array: whole numbers of shape (n,) or (n, 1), or (n, 8) as QMNIST has them.
        name: what messages call it.

    Raises:
        DigitsError: it has another shape, or holds other numbers.
    """
    if array.ndim == 2 and array.shape[1] in (1, QMNIST_COLUMNS):
        array = array[:, 0]
    if array.ndim != 1:
        raise DigitsError(f"{name} has the shape {array.shape}; a label for each image is needed")
    low, high = _range(array, name)
    if low < 0 or high >= CLASSES:
        raise DigitsError(
            f"{name} holds labels from {low:g} to {high:g}; they must be from 0 to {CLASSES - 1}"
        )
    labels: Bytes = array.astype(np.uint8)
    if (labels != array).any():
        raise DigitsError(f"{name} holds labels that are not whole numbers")
    return labels


def _range(array: NDArray[Any], name: str) -> tuple[float, float]:
    """The smallest and the largest number. Raises DigitsError if it holds none, or other things."""
    if array.dtype.kind not in "buif":
        raise DigitsError(f"{name} holds {array.dtype}, not numbers")
    if not array.size:
        raise DigitsError(f"{name} is empty")
    low, high = float(array.min()), float(array.max())
    if not np.isfinite(low + high):
        raise DigitsError(f"{name} holds numbers that are not finite")
    return low, high


def _in_file(path: Path) -> dict[str, tuple[str, NDArray[Any]]]:
    content = formats.read_file(path)
    named = FILE.fullmatch(path.name)
    if not named and (path.suffix == ".npz" or content[:2] == formats.ZIP):
        arrays = formats.read_npz(content, path.name)
        if found := {
            KEY_OF_ARRAY[name.lower()]: (f"its array {name}", array)
            for name, array in arrays.items()
            if name.lower() in KEY_OF_ARRAY
        }:
            return found
        raise DigitsError(
            f"is an .npz of {', '.join(arrays) or 'nothing'}; call its arrays x_train, y_train, "
            "x_test and y_test, as Keras does"
        )
    if named:
        files = dict(_of_set(path.parent))[named["set"]]
        return {key: (file.name, _array(file)) for key, file in files.items()}
    if content[:1] == b"\0" or content[:2] == formats.GZIP:
        raise DigitsError(f"is not named as MNIST's files are: {AS_MNIST}")
    if content[:6] == formats.NPY:
        raise DigitsError("is a single array; an .npz of images and labels is needed")
    raise DigitsError("is neither an .npz nor an IDX file, and no folder of them or of pictures")


def _in_folder(folder: Path) -> dict[str, tuple[str, NDArray[Any]]]:
    sets = dict(_of_set(folder))
    if len(sets) > 1:
        names = ", ".join(sorted(name.strip("-_. ") or "one without a name" for name in sets))
        raise DigitsError(f"holds several sets, {names}; name the file of one's training images")
    for files in sets.values():
        return {key: (file.name, _array(file)) for key, file in files.items()}
    archives = sorted(file.name for file in folder.glob("*.npz"))
    instead = f"; name {folder / archives[0]} itself" if archives else ""
    raise DigitsError(
        f"holds no files named as MNIST's are ({AS_MNIST}), no arrays such as x_train.npy, and no "
        f"folders 0 to 9 of pictures{instead}"
    )


def _of_set(folder: Path) -> Iterator[tuple[str, dict[str, Path]]]:
    """What the names of each set of files in a folder begin with, and its files by what they are.
    Of a file and its gzipped copy, the file."""
    sets: dict[str, dict[str, Path]] = {}
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        if named := FILE.fullmatch(file.name):
            part = "train" if named["part"].lower() == "train" else "test"
            what = "labels" if named["what"].lower() == "labels" else "images"
            sets.setdefault(named["set"], {}).setdefault(f"{part}_{what}", file)
        elif file.suffix == ".npy" and file.stem.lower() in KEY_OF_ARRAY:
            sets.setdefault("", {}).setdefault(KEY_OF_ARRAY[file.stem.lower()], file)
    yield from sets.items()


def _array(path: Path) -> NDArray[Any]:
    """The only array in a file, IDX or NumPy's."""
    content = formats.read_file(path)
    if content[:6] == formats.NPY:
        return formats.read_npy(content, path.name)
    if content[:2] != formats.ZIP:
        return formats.read_idx(content, path.name)
    arrays = formats.read_npz(content, path.name)
    if len(arrays) != 1:
        raise DigitsError(f"{path.name} holds {len(arrays)} arrays where one is expected")
    return next(iter(arrays.values()))
