"""Handwritten amounts on cheques: numbers on patterned paper, with their digits as labels."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.data.mnist import Bytes
from digits.evaluation import wilson_interval


def pictures(file: Any) -> Iterator[Bytes]:
    """The pictures in the file amount_strings, each uint8 of its own shape (h, w)."""
    pixels, offsets = file["pixels"], file["offsets"]
    for i, shape in enumerate(zip(file["heights"], file["widths"], strict=True)):
        yield pixels[offsets[i] : offsets[i + 1]].reshape(shape)


def measure(
    read: Callable[[Bytes], tuple[str, float]], file: Any, limit: int | None
) -> dict[str, Any]:
    """Measures a reader of numbers.

    Args:
        read: takes a picture and returns its digits, and how confident it is of the whole.
        file: amount_strings.
        limit: how many amounts to read, from the first on; None reads all.

    Returns:
        `n` amounts, `accuracy`, the share of amounts with all digits right, its `interval`,
        `digits_right`: 1 minus the edit distances to the labels divided by the labels' lengths, and
        `answered`: the share that can be answered, the most confident first, with 3% of these
        answers wrong, and with 5%.
    """
    true = [str(label) for label in file["strings"]][:limit]
    answers = [read(picture) for picture, _ in zip(pictures(file), true, strict=False)]
    given = [digits for digits, _ in answers]
    right = np.array([a == b for a, b in zip(given, true, strict=True)])
    whole = int(right.sum())
    confidences = np.array([confidence for _, confidence in answers])
    wrong = sum(edit_distance(a, b) for a, b in zip(given, true, strict=True))
    return {
        "n": len(true),
        "accuracy": whole / len(true),
        "interval": list(wilson_interval(whole, len(true))),
        "digits_right": 1 - wrong / sum(map(len, true)),
        "answered": {f"{limit:.0%}": answered(confidences, right, limit) for limit in (0.03, 0.05)},
    }


def answered(confidences: NDArray[np.float64], right: NDArray[np.bool_], wrong: float) -> float:
    """The largest share, of the most confident answers, of which no more than `wrong` are wrong.

    Both arrays have the shape (n,).
    """
    ordered = right[np.argsort(-confidences, kind="stable")]
    shares = np.cumsum(~ordered) / np.arange(1, len(ordered) + 1)
    within = np.flatnonzero(shares <= wrong)
    return float((within[-1] + 1) / len(ordered)) if len(within) else 0.0


def edit_distance(one: str, other: str) -> int:
    """Insertions, deletions and replacements that make one string the other (Levenshtein 1966)."""
    above = list(range(len(other) + 1))
    for i, character in enumerate(one, 1):
        row = [i]
        for j, against in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (character != against)))
        above = row
    return above[-1]
