"""Pictures in the folders 0 to 9 -> their files and labels, or images in MNIST's form."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from digits import pictures
from digits.bundle import DIGIT_SIDE
from digits.data.mnist import Bytes
from digits.data.parts import Parts
from digits.errors import DigitsError, explained
from digits.labelled.upright import inked
from digits.reading.reader import Reader
from digits.terminal import watched

DIGITS = {str(digit): digit for digit in range(10)}  # the folders of pictures, and their labels
FEW = 5  # pictures that were left out, each with its reason


def labelled_pictures(folder: Path, names: Mapping[str, int] = DIGITS) -> list[tuple[Path, int]]:
    """The files in the subfolders of a folder that have these names, in their order and by name,
    each with the label of its subfolder.

    Hidden files and other subfolders are ignored. Raises DigitsError if the folder does not exist,
    or has none of these subfolders, or they are empty.
    """
    if not folder.is_dir():
        raise DigitsError(f"{folder}: there is no such folder.")
    there = [name for name in names if (folder / name).is_dir()]
    if not there:
        raise DigitsError(
            f"{folder} holds none of the folders 0 to 9; put the pictures of each digit into the "
            "folder of its name."
        )
    with explained(f"{folder} cannot be read"):
        found = [
            (path, names[name])
            for name in there
            for path in sorted((folder / name).iterdir())
            if path.is_file() and not path.name.startswith(".")
        ]
    if not found:
        raise DigitsError(f"{folder}: its folders {', '.join(there)} hold no pictures.")
    return found


def holds_pictures(path: Path) -> bool:
    """Whether it holds the folders 0 to 9 of pictures, or such folders in `train`."""
    return any((path / name).is_dir() for name in DIGITS) or (path / "train" / "0").is_dir()


def parts_of(path: Path, digits: bool) -> Parts:
    """The pictures in folders 0 to 9, or in such folders in `train`, and perhaps in `test`.

    Pictures of 28×28 pixels are taken as they are. In others, the digit is found as the reader
    finds it, and is framed as MNIST's are; what is no digit must have 28×28.
    """
    arrays: dict[str, Any] = {}
    files: dict[str, list[str]] = {}
    left_out, framed = [], 0
    inner = path / "train"
    halves = {"train": inner if inner.is_dir() else path, "test": path / "test"}
    for part, folder in halves.items():
        if not folder.is_dir():
            continue
        images, labels, files[part] = [], [], []
        for picture, label in watched(labelled_pictures(folder), "picture"):
            try:
                image, whole = _image(picture, digits)
            except DigitsError as error:
                if not digits:
                    raise
                left_out.append(str(error))
                continue
            framed += not whole
            images.append(image)
            labels.append(label)
            files[part].append(str(picture))
        if not images:
            raise DigitsError(f"none of the pictures in {folder} can be used; {left_out[0]}")
        arrays |= {f"{part}_images": np.array(images), f"{part}_labels": np.array(labels, np.uint8)}
    remarks = []
    if others := _other_folders({path, *halves.values()}):
        remarks.append(f"Left out: the folders {', '.join(others)}.")
    if framed:
        remarks.append(f"In {framed:,} pictures, a digit was found and framed as MNIST's are.")
    if left_out:
        more = f" … and {len(left_out) - FEW:,} more." if len(left_out) > FEW else ""
        remarks.append(f"Left out: {' '.join(left_out[:FEW])}{more}")
    return Parts(arrays, tuple(remarks), files)


def _other_folders(folders: set[Path]) -> list[str]:
    """The folders in them that hold no pictures of a digit; hidden ones are not counted."""
    return sorted(
        str(inner)
        for folder in folders
        if folder.is_dir()
        for inner in folder.iterdir()
        if inner.is_dir() and inner.name not in DIGITS and not inner.name.startswith(".")
        if inner not in folders
    )


def _image(picture: Path, digits: bool) -> tuple[Bytes, bool]:
    """The image of a picture, uint8 of shape (28, 28), and whether that is the whole picture.
    Raises DigitsError if it cannot be read, or is blank, or has another size and shows no digit."""
    grey = pictures.load(picture)
    if grey.shape == (DIGIT_SIDE, DIGIT_SIDE):
        return inked(grey[None])[0] if digits else grey, True
    if not digits:
        raise DigitsError(
            f"{picture} has {grey.shape[1]}×{grey.shape[0]} pixels; what is no digit must have "
            f"{DIGIT_SIDE}×{DIGIT_SIDE}."
        )
    reader = _reader()
    reading = reader.classify(grey)
    if not reading.box.width:
        raise DigitsError(f"{picture} is blank.")
    return np.rint(reader.outputs("canvas", reading.canvas)["digit"][0]).astype(np.uint8), False


@cache
def _reader() -> Reader:
    return Reader()
