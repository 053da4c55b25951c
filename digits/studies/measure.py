"""How good a bundle is: on MNIST, under corruptions, and on somebody's own labelled pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits.errors import DigitsError

if TYPE_CHECKING:
    from digits.bundle import Bundle
    from digits.reading.reader import Reader

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]

SEED = 1  # of the corruptions
CLEAN = "none"
LABELS = tuple("0123456789")


# MNIST's digits, as the network itself sees them.


def answers(bundle: Bundle, images: Images) -> tuple[Floats, Floats]:
    """What the `digit` signature says of each image, through LiteRT on one thread.

    Args:
        bundle: from `bundle.read`.
        images: uint8 of shape (n, 28, 28), ink 255 on 0, in MNIST's frame.

    Returns:
        probabilities of the ten digits, shape (n, 10), and whether each is a digit, 0 to 1, (n,).
    """
    from digits.runtime import Model

    model = Model(bundle.model)
    probabilities = np.empty((len(images), 10), np.float32)
    is_digit = np.empty(len(images), np.float32)
    for index, image in enumerate(images):
        outputs = model.run("digit", image)
        probabilities[index], is_digit[index] = outputs["probabilities"][0], outputs["is_digit"][0]
    return probabilities, is_digit


def on_digits(bundle: Bundle, images: Images, labels: Images) -> tuple[dict[str, Any], str]:
    """Measures a bundle on digits in MNIST's frame.

    Args:
        images, labels: uint8 of shapes (n, 28, 28) and (n,).

    Returns:
        the figures, ready for JSON, and what a terminal shows of them.
    """
    from digits.evaluation import evaluate
    from digits.reporting.report import metrics_of

    probabilities, is_digit = answers(bundle, images)
    test = evaluate(labels, probabilities)
    accepted = is_digit >= bundle.threshold
    right = test.predictions == test.labels
    figures = {
        **metrics_of(test),
        "accepted": float(accepted.mean()),
        "accepted_accuracy": _share(right[accepted]),
    }
    low, high = test.accuracy_interval
    text = f"""\
Test accuracy: {test.accuracy:.2%}  (95 % interval {low:.2%} to {high:.2%}; \
{test.errors} of {len(labels):,} misread)
Test loss: {test.loss:.4f}  (expected calibration error {test.ece:.2%})
Accepted as digits: {accepted.mean():.2%}, of which {_percent(right[accepted])} are read right

Confusion matrix (row: true digit, column: read as):
{np.array2string(test.confusion)}

Classification report:
{test.classification_report}"""
    return figures, text.rstrip()


def suite() -> list[str]:
    """What `under_corruptions` goes through: no corruption, and the 15 of MNIST-C."""
    from digits.data.corruptions import CORRUPTIONS

    return [CLEAN, *CORRUPTIONS]


def under_corruptions(
    bundle: Bundle, images: Images, labels: Images, names: Iterable[str]
) -> tuple[dict[str, Any], str]:
    """Measures a bundle on the same digits under each of the 15 corruptions of MNIST-C.

    An error is a likeliest digit that is not the label, whether accepted or refused.

    Args:
        images, labels: as for `on_digits`.
        names: of the corruptions, as `suite()` gives them.

    Returns:
        the figures, fractions of 0 to 1, ready for JSON, and what a terminal shows of them.
    """
    from digits.data.corruptions import CORRUPTIONS

    rows: dict[str, dict[str, float]] = {}
    for name in names:
        corrupted = images if name == CLEAN else CORRUPTIONS[name](images, SEED)
        probabilities, is_digit = answers(bundle, corrupted)
        wrong = probabilities.argmax(axis=1) != labels
        rows[name] = {
            "error": float(wrong.mean()),
            "accepted": float((is_digit >= bundle.threshold).mean()),
        }
    mean = float(np.mean([row["error"] for name, row in rows.items() if name != CLEAN]))
    lines = [f"{'corruption':14}{'misread':>9}{'accepted':>10}"]
    lines += [f"{name:14}{row['error']:9.2%}{row['accepted']:10.2%}" for name, row in rows.items()]
    lines += [f"{'mean of the 15':14}{mean:9.2%}", f"{len(labels):,} digits each, seed {SEED}"]
    figures = {"corruptions": rows, "mean_error": mean, "digits": len(labels), "seed": SEED}
    return figures, "\n".join(lines)


# Pictures of one digit each, in folders 0 to 9.


@dataclass(frozen=True)
class Labelled:
    """A picture and the digit that its folder says it shows."""

    path: Path
    label: int


def labelled_pictures(folder: Path) -> list[Labelled]:
    """The files in a folder's folders 0 to 9, in the order of digit and name; hidden files are not
    among them, nor anything in other folders.

    Raises:
        DigitsError: no such folder, or none of the ten in it, or they hold no file.
    """
    if not folder.is_dir():
        raise DigitsError(f"--images {folder}: there is no such folder.")
    labels = [label for label in LABELS if (folder / label).is_dir()]
    if not labels:
        raise DigitsError(
            f"--images {folder} holds none of the folders 0 to 9; "
            "put the pictures of each digit into the folder of its name."
        )
    try:
        found = [
            Labelled(path, int(label))
            for label in labels
            for path in sorted((folder / label).iterdir())
            if path.is_file() and not path.name.startswith(".")
        ]
    except OSError as error:
        raise DigitsError(f"{error.filename} cannot be read ({error.strerror}).") from None
    if not found:
        raise DigitsError(f"--images {folder}: its folders 0 to 9 hold no pictures.")
    return found


def on_pictures(reader: Reader, pictures: Iterable[Labelled]) -> tuple[dict[str, Any], str]:
    """Measures `Reader.classify` on pictures of one digit each.

    A digit counts as read right when it is the likeliest, whether accepted or refused. A picture
    without ink counts as misread.

    Args:
        reader: any reader.
        pictures: from `labelled_pictures`.

    Returns:
        the figures, ready for JSON, with a list of `misread` and one of `unreadable` files, and
        what a terminal shows of them.

    Raises:
        DigitsError: none of the pictures can be read.
    """
    from digits.evaluation import wilson_interval

    misread: list[dict[str, Any]] = []
    unreadable, verdicts = [], []
    for picture in pictures:
        try:
            reading = reader.classify(picture.path)
        except DigitsError as error:
            unreadable.append({"path": str(picture.path), "error": str(error)})
            continue
        digit = reading.digit if reading.box[2] else None  # an empty box: there was no ink
        verdicts.append((digit == picture.label, reading.accepted))
        if digit != picture.label:
            misread.append(
                {
                    "path": str(picture.path),
                    "label": picture.label,
                    "digit": digit,
                    "confidence": round(reading.confidence, 6),
                    "accepted": reading.accepted,
                }
            )
    if not verdicts:
        raise DigitsError(
            f"None of the {len(unreadable)} pictures can be read; {unreadable[0]['error']}"
        )
    right, accepted = np.array(verdicts).T
    low, high = wilson_interval(int(right.sum()), len(right))
    figures = {
        "pictures": len(right),
        "accuracy": float(right.mean()),
        "accuracy_interval": [low, high],
        "accepted": float(accepted.mean()),
        "accepted_accuracy": _share(right[accepted]),
        "misread": misread,
        "unreadable": unreadable,
    }
    lines = [
        f"Accuracy: {right.mean():.2%}  (95 % interval {low:.2%} to {high:.2%}; "
        f"{len(misread)} of {len(right):,} misread)",
        f"Accepted as digits: {accepted.mean():.2%}, of which {_percent(right[accepted])} are read "
        "right",
    ]
    if misread:
        lines += ["", "Misread, the surest first:"]
        lines += [
            f"  {row['path']}: no ink found"
            if row["digit"] is None
            else f"  {row['path']}: read as {row['digit']} "
            f"({row['confidence']:.1%}, {'accepted' if row['accepted'] else 'refused'})"
            for row in sorted(misread, key=lambda row: -row["confidence"])
        ]
    if unreadable:
        lines += ["", "Not read:", *(f"  {row['error']}" for row in unreadable)]
    return figures, "\n".join(lines)


def _share(right: NDArray[np.bool_]) -> float | None:
    return float(right.mean()) if len(right) else None


def _percent(right: NDArray[np.bool_]) -> str:
    share = _share(right)
    return "none" if share is None else f"{share:.2%}"
