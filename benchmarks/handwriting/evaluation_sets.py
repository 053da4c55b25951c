"""The sets that the reading benchmarks read, the same pictures every time."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.handwriting import non_digits, pen_strokes
from digits.bundle import DIGIT_SIDE
from digits.data.mnist import Bytes
from digits.errors import DigitsError

PICTURES = (
    "mousedrawn140", "hwd1000", "challenge50", "semeion16",
    "ardis28_dev", "usps16_dev", "optdigits32_dev",
)  # fmt: skip
STROKES = ("pendigits_strokes", "unipen_dev")
NOT_DIGITS = ("letters_printed", "unipen_letters_dev")  # the second: strokes
SEED = 1
PRINTED_DIGITS = 1500
# How many pictures of each kind of non-digits; of noise, of each kind of noise.
NON_DIGITS = {"letters": 1500, "scribbles": 1500, "blank": 100, "noise": 300}


def folder() -> Path:
    """The folder of other people's handwriting, which is not part of this project.

    Raises:
        DigitsError: DIGITS_HANDWRITING is not set, or names a folder without the sets.
    """
    given = os.environ.get("DIGITS_HANDWRITING")
    if not given:
        raise DigitsError(
            "DIGITS_HANDWRITING is not set; set it to the folder of the handwriting sets."
        )
    needed = (*PICTURES, *STROKES, *NOT_DIGITS, "amount_strings")
    missing = [name for name in needed if not (Path(given) / f"{name}.npz").exists()]
    if missing:
        raise DigitsError(
            f"DIGITS_HANDWRITING is {given}, but there is no {missing[0]}.npz in that folder."
        )
    return Path(given)


def scattered(images: Bytes) -> Iterator[Bytes]:
    """Each digit enlarged 2 to 8 times, anywhere on a larger picture, dark on white."""
    rng = np.random.default_rng(SEED)
    for image in images:
        side = round(rng.uniform(2, 8) * DIGIT_SIDE)
        larger = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
        height, width = (round(side * rng.uniform(1.1, 2.5)) for _ in range(2))
        picture = np.zeros((height, width), np.uint8)
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        picture[top : top + side, left : left + side] = np.asarray(larger)
        yield 255 - picture


def stroke_canvases(file: Any, limit: int | None) -> Iterator[Bytes]:
    """The first `limit` characters of a file of pen strokes, drawn on canvases (256, 256)."""
    rng = np.random.default_rng(SEED)
    for character in islice(pen_strokes.characters(file), limit):
        yield pen_strokes.place(character, rng)


def printed_digits(
    fonts: list[list[Path]], limit: int | None
) -> tuple[Iterator[Bytes], NDArray[np.uint8]]:
    """Digits of fonts on which nothing is trained, and their labels."""
    rng = np.random.default_rng(SEED)
    labels = (np.arange(PRINTED_DIGITS) % 10).astype(np.uint8)[:limit]
    return (non_digits.characters(fonts, str(label))(rng) for label in labels), labels


def non_digit_pictures(fonts: list[list[Path]], limit: int | None) -> dict[str, Iterable[Bytes]]:
    """The first `limit` pictures of each kind of non-digits, by the name of the kind."""
    makers = {
        "letters_fonts": non_digits.characters(fonts, non_digits.LETTERS),
        "scribbles": non_digits.scribble,
        "blank": non_digits.blank,
        **{f"noise_{noise.__name__}": noise for noise in non_digits.NOISE},
    }

    def made(maker: Callable[[np.random.Generator], Bytes], count: int) -> Iterable[Bytes]:
        rng = np.random.default_rng(SEED)
        return (maker(rng) for _ in range(count))

    return {
        kind: islice(made(maker, NON_DIGITS[kind.partition("_")[0]]), limit)
        for kind, maker in makers.items()
    }
