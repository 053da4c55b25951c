"""How good a bundle is: on MNIST, under corruptions, and on a user's own labelled pictures.

The measurements return their figures, ready for JSON, and the text that a terminal shows of them.
Images are uint8 of shape (n, 28, 28), ink 255 on 0, in MNIST's frame; labels uint8 of shape (n,).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.bundle import Bundle
from digits.data.mnist import Bytes
from digits.errors import DigitsError
from digits.evaluation import accuracy_in_words, evaluate, wilson_interval
from digits.labelled.folders import labelled_pictures
from digits.runtime import answers
from digits.terminal import table, watched

Figures = dict[str, Any]

SEED = 1  # of the corruptions
CLEAN = "none"  # no corruption


def on_digits(bundle: Bundle, images: Bytes, labels: Bytes) -> tuple[Figures, str]:
    """Measures a bundle on digits in MNIST's frame, or on what else it was trained on."""
    from digits.reporting.report import metrics_of

    probabilities, is_digit = answers(bundle, images)
    test = evaluate(labels, probabilities)
    if not bundle.digits:
        return metrics_of(test), test.as_text()
    accepted = is_digit >= bundle.threshold
    acceptance, text = _acceptance(test.predictions == test.labels, accepted)
    return metrics_of(test) | acceptance, f"{test.as_text()}\n{text}"


def corrupted(images: Bytes) -> Iterator[tuple[str, Bytes]]:
    """The images under each of the 15 corruptions after MNIST-C in turn; shows a progress bar."""
    from digits.data.corruptions import CORRUPTIONS

    for name, corrupt in watched(CORRUPTIONS.items(), "corruption"):
        yield name, corrupt(images, SEED)


def under_corruptions(bundle: Bundle, images: Bytes, labels: Bytes) -> tuple[Figures, str]:
    """Measures a bundle on digits as they are, and under each of 15 corruptions after MNIST-C.

    A digit counts as misread if the most likely digit is not its label, accepted or not. The
    figures are fractions, 0 to 1.
    """

    def row(shown: Bytes) -> dict[str, float]:
        probabilities, is_digit = answers(bundle, shown)
        wrong = probabilities.argmax(axis=1) != labels
        accepted = is_digit >= bundle.threshold
        return {"error": float(wrong.mean()), "accepted": float(accepted.mean())}

    spoilt = {name: row(shown) for name, shown in corrupted(images)}
    rows = {CLEAN: row(images), **spoilt}
    mean = float(np.mean([figures["error"] for figures in spoilt.values()]))
    cells = [(name, f"{of['error']:.2%}", f"{of['accepted']:.2%}") for name, of in rows.items()]
    cells.append(("mean of the 15", f"{mean:.2%}", ""))
    shown_columns = 3 if bundle.digits else 2
    head, *body = (line[:shown_columns] for line in (("corruption", "misread", "accepted"), *cells))
    lines = table(head, body)
    lines.append(f"{len(labels):,} images each, seed {SEED}")
    figures = {"corruptions": rows, "mean_error": mean, "digits": len(labels), "seed": SEED}
    return figures, "\n".join(lines)


def on_pictures(bundle: Bundle, folder: Path) -> tuple[Figures, str]:
    """Measures `Reader.classify` on `labelled_pictures` of one digit each; shows a progress bar.

    A digit counts as read correctly if it is the most likely one, accepted or not. A picture
    without ink counts as misread. The figures list the `misread` and the `unreadable` files. Raises
    DigitsError as `labelled_pictures` does, and if none of the pictures can be read.
    """
    from digits.reading.reader import Reader

    pictures, reader = labelled_pictures(folder), Reader(bundle.folder)
    readings: list[Figures] = []
    unreadable: list[Figures] = []
    for path, label in watched(pictures, "picture"):
        try:
            reading = reader.classify(path)
        except DigitsError as error:
            unreadable.append({"path": str(path), "error": str(error)})
        else:
            readings.append(
                {
                    "path": str(path),
                    "label": label,
                    "digit": reading.digit if reading.box[2] else None,  # an empty box: no ink
                    "confidence": round(reading.confidence, 6),
                    "accepted": reading.accepted,
                }
            )
    if not readings:
        raise DigitsError(
            f"None of the {len(unreadable)} pictures can be read; {unreadable[0]['error']}"
        )
    right = np.array([row["digit"] == row["label"] for row in readings])
    misread = [row for row in readings if row["digit"] != row["label"]]
    acceptance, accepted_text = _acceptance(right, np.array([row["accepted"] for row in readings]))
    figures = {
        "pictures": len(right),
        "accuracy": float(right.mean()),
        "accuracy_interval": list(wilson_interval(int(right.sum()), len(right))),
        **acceptance,
        "misread": misread,
        "unreadable": unreadable,
    }
    lines = [f"Accuracy: {accuracy_in_words(len(misread), len(right))}", accepted_text]
    if misread:
        ordered = sorted(misread, key=lambda row: -row["confidence"])
        lines += ["", "Misread, most confident first:", *map(_misread_in_words, ordered)]
    if unreadable:
        lines += ["", "Not read:", *(f"  {row['error']}" for row in unreadable)]
    return figures, "\n".join(lines)


def _misread_in_words(row: dict[str, Any]) -> str:
    if row["digit"] is None:
        return f"  {row['path']}: no ink found"
    verdict = "accepted" if row["accepted"] else "refused"
    return f"  {row['path']}: read as {row['digit']} ({row['confidence']:.1%}, {verdict})"


def _acceptance(right: NDArray[np.bool_], accepted: NDArray[np.bool_]) -> tuple[Figures, str]:
    """How many are accepted as digits, and how many of these are read correctly."""
    share = float(accepted.mean())
    if not share:
        return {"accepted": share, "accepted_accuracy": None}, "Accepted as digits: none"
    correct = float(right[accepted].mean())
    text = f"Accepted as digits: {share:.2%}; of these, {correct:.2%} are read correctly"
    return {"accepted": share, "accepted_accuracy": correct}, text
