"""Pictures in the folders 0 to 9 and none -> digits as the network sees them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from digits.data.mnist import Bytes
from digits.data.non_digits import LABEL
from digits.errors import DigitsError
from digits.labelled.folders import DIGITS, labelled_pictures
from digits.pictures.grey import Grey
from digits.reading.page import Reading
from digits.reading.reader import Reader
from digits.runs.run import numbered
from digits.terminal import watched

NONE = "none"  # the folder of what is no digit
LEAST = 0.4  # of the usual height on a page, ink that is no speck


@dataclass(frozen=True)
class OwnDigits:
    """Digits that someone wrote.

    Attributes:
        images: uint8 of shape (n, 28, 28), in MNIST's frame, ink 255 on 0.
        labels: uint8 of shape (n,), 0 to 9, and 10 for what is no digit.
        files: the picture of each; a page may have several.
        unreadable: why other pictures could not be read, a sentence each.
    """

    images: Bytes
    labels: Bytes
    files: tuple[Path, ...]
    unreadable: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """How many there are of each."""
        counts = Counter(self.labels.tolist())
        found = [f"{counts[label]} of {label}" for label in range(LABEL) if counts[label]]
        strange = [f"{counts[LABEL]} that are none"] if counts[LABEL] else []
        return ", ".join(found + strange)


def collect(folder: Path, reader: Reader) -> OwnDigits:
    """Reads the pictures in the folders 0 to 9 and none: each of one digit, or a page of the same
    digit many times. Hidden files and other folders are ignored; shows a progress bar.

    Raises:
        DigitsError: the folder or these folders are missing or empty, or no picture can be read.
    """
    images, labels, files, unreadable = [], [], [], []
    for path, label in watched(labelled_pictures(folder, DIGITS | {NONE: LABEL}), "picture"):
        try:
            found = [np.rint(one).astype(np.uint8) for one in _digits(path, reader)]
        except DigitsError as error:
            unreadable.append(str(error))
            continue
        if not found:
            unreadable.append(f"{path} is blank.")
        images += found
        labels += [label] * len(found)
        files += [path] * len(found)
    if not images:
        raise DigitsError(f"No digit was found in {folder}; {unreadable[0]}")
    return OwnDigits(np.array(images), np.array(labels, np.uint8), tuple(files), tuple(unreadable))


def _digits(path: Path, reader: Reader) -> Iterator[Grey]:
    """What the network sees of each piece of ink in a picture, if it is not much smaller than the
    others; of a picture with one piece, what `classify` takes."""
    page = reader.read(path)
    heights = [reading.box.height for reading in page.readings]
    pieces = [one for one in page.readings if one.box.height >= LEAST * np.median(heights)]
    if len(pieces) < 2:
        alone = reader.classify(path)
        pieces = [alone] if alone.box.width else []
    for piece in pieces:
        yield reader.outputs("canvas", piece.canvas)["digit"][0]


def label(page: Path, text: str, out: Path, reader: Reader) -> list[Path]:
    """Cuts a page into pictures of one digit each, in the folders 0 to 9 of `out`.

    Args:
        page: a picture.
        text: the digits on it, in reading order; lines are parted by spaces or line breaks.
        out: gets the folders; earlier pictures stay.
        reader: finds the digits.

    Returns:
        the files, in reading order; OSError if one cannot be written.

    Raises:
        DigitsError: the text holds something else than digits, or not as many in each line as are
            found on the page, or the page cannot be read.
    """
    wanted = text.split()
    if not wanted or not all(line.isascii() and line.isdigit() for line in wanted):
        raise DigitsError(f"The text {text!r} is not of the digits 0 to 9 alone.")
    found: dict[int, list[Reading]] = {}
    for reading in reader.read(page).readings:
        found.setdefault(reading.line or 0, []).append(reading)
    lines = [found[number] for number in sorted(found)]
    if [len(line) for line in lines] != [len(line) for line in wanted]:
        there = ", ".join(str(len(line)) for line in lines) or "none"
        given = ", ".join(str(len(line)) for line in wanted)
        raise DigitsError(
            f"On {page} there are lines of {there} digits, and in the text of {given}; write the "
            "digits farther apart, or cut the page into pictures of one line."
        )
    files = []
    for digit, reading in zip(
        "".join(wanted), (one for line in lines for one in line), strict=True
    ):
        folder = out / digit
        folder.mkdir(parents=True, exist_ok=True)
        names = numbered(folder / page.stem)
        free = (name.with_suffix(".png") for name in names)
        file = next(path for path in free if not path.exists())
        Image.fromarray(reading.canvas).save(file)
        files.append(file)
    return files
