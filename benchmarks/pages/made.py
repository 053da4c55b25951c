"""A made page: the picture, and what a person would write down of it."""

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.pages.writing import Random, validation_digits
from digits.data.fonts import families
from digits.data.mnist import Bytes, Mnist

SEED = 1
PRINTED_FAMILIES = ("bitter", "oswald")  # of those aside; the others are handwriting

Cells = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Sources:
    """What pages are made from.

    Attributes:
        digits: images and labels of MNIST's validation part.
        printed: the files of each printing family, one for each weight.
        handwriting: the same for handwriting families.
    """

    digits: tuple[Bytes, Bytes]
    printed: list[list[Path]]
    handwriting: list[list[Path]]


@dataclass(frozen=True)
class MadePage:
    """A picture with its truth.

    Attributes:
        picture: uint8, grey (h, w) or colour (h, w, 3).
        text: all lines, with separators, and a space for each gap.
        cells: of a table, row by row; None for other pages.
    """

    picture: Bytes
    text: str
    cells: Cells | None = None

    @property
    def lines(self) -> list[str]:
        """The digits of each line; lines without any are left out."""
        lines = ("".join(filter(str.isdigit, line)) for line in self.text.split("\n"))
        return [line for line in lines if line]


def sources(mnist: Mnist) -> Sources:
    """The validation digits, and the fonts aside, which npm fetches.

    Raises:
        DigitsError: npm is missing, or cannot fetch the fonts.
    """
    written = [name for name in families.ASIDE if name not in PRINTED_FAMILIES]
    return Sources(
        validation_digits(mnist), families.faces(PRINTED_FAMILIES), families.faces(written)
    )


def generators(kind: str, count: int) -> Iterator[Random]:
    """A random generator for each page of a kind: no page depends on how many others are made."""
    of_kind = zlib.crc32(kind.encode())
    return (np.random.default_rng([SEED, of_kind, page]) for page in range(count))


def write(folder: Path, kind: str, pages: Iterable[MadePage]) -> None:
    """Writes pages as PNG files into a folder of their kind, with truth.json: `file`, `text`,
    `lines`, and `cells` of a table."""
    where = folder / kind
    where.mkdir(parents=True, exist_ok=True)
    truth = []
    for number, page in enumerate(pages):
        name = f"{number:03d}.png"
        Image.fromarray(page.picture).save(where / name)
        truth.append({"file": name, "text": page.text, "lines": page.lines, "cells": page.cells})
    (where / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n")
