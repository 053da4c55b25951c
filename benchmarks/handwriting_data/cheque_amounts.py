"""Handwritten cheque amounts: whole numbers on patterned paper, read from left to right."""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.textbook.model import Images
from digits.evaluation import wilson_interval


def pictures(file: Any) -> Iterator[Images]:
    """The pictures of amount_strings, each uint8 of its own shape (h, w)."""
    pixels, offsets = file["pixels"], file["offsets"]
    for i, shape in enumerate(zip(file["heights"], file["widths"], strict=True)):
        yield pixels[offsets[i] : offsets[i + 1]].reshape(shape)


def measure(read: Callable[[Images], str], file: Any, limit: int | None) -> dict[str, Any]:
    """Whole amounts right, and the share of digits right.

    The latter is 1 less the edit distance to the label over the label's length, all summed.

    Args:
        read: from a picture to its digits.
        file: amount_strings.
        limit: the first so many only.
    """
    true = [str(label) for label in file["strings"]][:limit]
    given = [read(picture) for picture, _ in zip(pictures(file), true, strict=False)]
    whole = sum(a == b for a, b in zip(given, true, strict=True))
    wrong = sum(edit_distance(a, b) for a, b in zip(given, true, strict=True))
    return {
        "n": len(true),
        "accuracy": whole / len(true),
        "interval": list(wilson_interval(whole, len(true))),
        "digits_right": 1 - wrong / sum(map(len, true)),
    }


def edit_distance(one: str, other: str) -> int:
    """Characters to insert, delete or replace to make one of the other (Levenshtein 1966)."""
    above = list(range(len(other) + 1))
    for i, character in enumerate(one, 1):
        row = [i]
        for j, against in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (character != against)))
        above = row
    return above[-1]
