"""Opens the data that a command is given with --data: MNIST, or any labelled images in its form."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from digits import bundle as bundles
from digits import pictures
from digits.bundle import DIGIT_SIDE, Bundle
from digits.data import own_data, parts
from digits.data.mnist import Bytes, Dataset, Own, load_mnist, mnist_of, those_of_mnist
from digits.data.parts import Parts
from digits.errors import DigitsError
from digits.reading.reader import Reader
from digits.studies.measure import DIGITS, answers, labelled_pictures
from digits.terminal import own_words_only, watched

ASKED = 200  # images, which the model that ships is asked to read
READ = 0.5  # of them, as labelled, from which on they are taken for digits
SURELY = 0.8  # the same, from which on no other way is tried
MARGIN = 0.2  # by which another way must be better, to be the right one
FEW = 5  # pictures that were left out, each with its reason
BRIGHT = 127  # above it, the edges of images are paper

# How images may lie, and what brings them upright. EMNIST's files are transposed.
WAYS: dict[str, Callable[[Bytes], Bytes]] = {
    "as they are": lambda images: images,
    "transposed": lambda images: images.transpose(0, 2, 1),
    "turned left": lambda images: np.rot90(images, 3, (1, 2)),
    "turned right": lambda images: np.rot90(images, 1, (1, 2)),
    "upside down": lambda images: images[:, ::-1, ::-1],
    "mirrored": lambda images: images[:, :, ::-1],
    "mirrored and upside down": lambda images: images[:, ::-1],
    "transposed and upside down": lambda images: np.rot90(images.transpose(0, 2, 1), 2, (1, 2)),
}


def load(path: Path | str | None, not_digits: bool = False) -> Dataset:
    """Loads MNIST, or the data at a path.

    Args:
        path: MNIST, or data in its form: what `parts.read` takes, or a folder with the folders 0
            to 9 of pictures, or with such folders in `train` and `test`; None for MNIST, found or
            downloaded.
        not_digits: the images show something else than digits: they are taken as they are. Digits
            are turned upright, and dark ink becomes bright, if the model that ships then reads
            them.

    Raises:
        DigitsError: there are no such data, they are not in this form, or they show no digits that
            can be read, without `not_digits`.
    """
    if path is None:
        if not_digits:
            raise DigitsError("--not-digits is about data of your own; name them with --data.")
        return load_mnist()
    path = Path(path)
    try:
        found = _of_pictures(path, not not_digits) if _holds_pictures(path) else parts.read(path)
        if len(those_of_mnist(found.arrays)) == 4:
            if not_digits:
                raise DigitsError("is MNIST, which shows digits; leave --not-digits out")
            return mnist_of(found.arrays, str(path))
        if not not_digits:
            found = upright(found)
    except DigitsError as error:
        raise DigitsError(f"--data {path}: {str(error).rstrip('.')}.") from None
    return own_data.dataset_of(found, path, not not_digits)


def in_words(data: Dataset, counts: str) -> str:
    """What the data are, with these counts, and what was done to them, for a terminal: a line, and
    one for each remark."""
    if data.own is None:
        return f"MNIST from {data.source}, verified: {counts}."
    remarks = [*data.own.remarks]
    if not data.digits:
        remarks.insert(0, "They are not digits: none are drawn, nothing is refused.")
    head = f"{data.source}, which is not MNIST (SHA-256 {data.own.sha256[:16]}…): {counts}."
    return "\n".join([head, *(f"  {remark}" for remark in remarks)])


def load_again(begun: Own | None, path: Path | str | None, what: str) -> Dataset:
    """Loads the data with which something was begun, to go on with it.

    Args:
        begun: these data; None for MNIST.
        path: where they are now, if not where they were.
        what: what messages call the thing that was begun, such as "The run in runs/mine".

    Raises:
        DigitsError: they are not there, or are others now.
    """
    if begun is None:
        return load_mnist(None if path is None else Path(path))
    if path is None and not Path(begun.path).exists():
        raise DigitsError(
            f"{what} was begun with {begun.path}, which is not there any more; name the same data "
            "with --data."
        )
    data = load(path or begun.path, not begun.digits)
    if data.own != begun:
        raise DigitsError(
            f"{what} was begun with {begun.path}, and {data.source} holds other images (their "
            "SHA-256 differs); resume it with the same data, or start a new one."
        )
    return data


def for_models(models: Sequence[Bundle], path: Path | str | None) -> Dataset:
    """Loads the data on which models are measured, as `load` does.

    Raises:
        DigitsError: some were trained on digits and others were not, or none was and no data are
            named.
    """
    other = [model for model in models if not model.digits]
    if 0 < len(other) < len(models):
        raise DigitsError(
            f"The model in {other[0].folder} was trained on {other[0].data}, which shows no "
            "digits, and others were trained on digits; measure them apart."
        )
    if other and path is None:
        raise DigitsError(
            f"The model in {other[0].folder} was trained on {other[0].data}, which is not MNIST "
            "and shows no digits; name these data with --data."
        )
    return load(path, not_digits=bool(other))


def upright(found: Parts) -> Parts:
    """Digits, turned as MNIST's are and with bright ink, if they were not.

    The model that ships decides which way is up: it reads some of them in each. Raises DigitsError
    if they cannot be read in any way.
    """
    part = "train" if "train_labels" in found.arrays else "test"
    labels = found.arrays[f"{part}_labels"]
    some = np.unique(np.linspace(0, len(labels) - 1, ASKED).astype(int))
    came = found.arrays[f"{part}_images"]
    bright = inked(came)
    model = bundles.read()

    def read(shown: Bytes) -> float:
        """The fraction that is read as labelled."""
        with own_words_only():
            given, _ = answers(model, np.ascontiguousarray(shown))
        return float(np.mean(given.argmax(axis=1) == labels[some]))

    way, usual = "as they are", read(bright[some])
    share = usual
    if usual < SURELY:
        shares = {other: read(turn(bright[some])) for other, turn in WAYS.items()}
        best = max(shares, key=lambda other: shares[other])
        if shares[best] < READ:
            raise DigitsError(
                f"shows no digits: of {len(some)} images, the model that ships reads {usual:.0%} "
                f"as labelled, and {shares[best]:.0%} in the best of all ways to turn them; to "
                "train on other things than digits, add --not-digits"
            )
        if shares[best] >= usual + MARGIN:
            way, share = best, shares[best]
    remarks, arrays = [*found.remarks], dict(found.arrays)
    for name in ("train_images", "test_images"):
        if name in arrays:
            shown = arrays[name] if bright is came else 255 - arrays[name]
            arrays[name] = np.ascontiguousarray(WAYS[way](shown))
    if bright is not came:
        remarks.append("Its digits were dark on bright paper; they are inverted.")
    if way != "as they are":
        remarks.append(
            f"Its digits came {way}; they are turned, since the model that ships then reads "
            f"{share:.0%} of {len(some)} as labelled, instead of {usual:.0%}."
        )
    return Parts(arrays, tuple(remarks), found.files)


def _holds_pictures(path: Path) -> bool:
    return any((path / name).is_dir() for name in DIGITS) or (path / "train" / "0").is_dir()


def _of_pictures(path: Path, digits: bool) -> Parts:
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


def inked(images: Bytes) -> Bytes:
    """Digits with bright ink on 0; if the edges of the images are bright, they are inverted."""
    edges = images[:, [0, -1], :], images[:, :, [0, -1]]
    return 255 - images if np.mean([edge.mean() for edge in edges]) > BRIGHT else images
