"""Measures both models on every set."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.handwriting import cheque_amounts, evaluation_sets, field_pictures, non_digits
from benchmarks.handwriting.models import Answers, Model, ours, squeezing
from benchmarks.harness.json_lines import Line, Lines
from benchmarks.textbook import reading as textbook
from digits import bundle
from digits.data.mnist import Bytes, load_mnist
from digits.evaluation import expected_calibration_error, wilson_interval
from digits.reading.reader import Reader

VALIDATION = 5000  # last training images


def measure(
    folder: Path | None,
    textbook_folder: Path | None,
    limit: int | None,
    kept: Lines | None = None,
    data: Path | None = None,
) -> list[Line]:
    """Measures both models on every set.

    Args:
        folder: of the bundle; None is the one that ships.
        textbook_folder: of the textbook CNN; None trains it now.
        limit: how many pictures of each set, from the first on; None is all.
        kept: earlier lines, of which the textbook CNN's are taken instead of measuring it.
        data: where MNIST is; None finds or downloads it.

    Returns:
        a line for each model and set.
    """
    others = evaluation_sets.folder()
    fonts = non_digits.font_files()
    digits = load_mnist(data)
    reader = Reader(folder)
    validation = digits.train_images[-VALIDATION:][:limit]
    own = ours(reader, bundle.read(folder or bundle.SHIPPED), validation)
    models = [own]
    if kept is None:
        with textbook.model_file(textbook_folder, data) as path:
            models.append(squeezing(textbook.predictor(path), validation))
    lines: list[Line] = []

    def add(line: Line) -> None:
        lines.append(line)
        print(json.dumps(line), flush=True)

    labels = digits.test_labels[:limit]
    for model in models:
        add({"model": model.name, "set": "validation", "threshold": model.threshold})
        tested = digits.test_images[:limit]
        add(on_digits(model, "mnist_test", model.digit(tested), labels))
        enlarged = model.picture(evaluation_sets.scattered(tested))
        add(on_digits(model, "mnist_scattered", enlarged, labels))
        for name in evaluation_sets.PICTURES:
            file = np.load(others / f"{name}.npz")
            answers = model.picture(file["images"][:limit])
            add(on_digits(model, name, answers, file["labels"][:limit]))
        for name in evaluation_sets.STROKES:
            file = np.load(others / f"{name}.npz")
            answers = model.canvas(evaluation_sets.stroke_canvases(file, limit))
            add(on_digits(model, name, answers, file["labels"][:limit]))
        drawn, of_drawn = evaluation_sets.printed_digits(fonts, limit)
        add(on_digits(model, "digits_fonts", model.picture(drawn), of_drawn))
        printed, written = (np.load(others / f"{x}.npz") for x in evaluation_sets.NOT_DIGITS)
        letters = model.canvas(evaluation_sets.stroke_canvases(written, limit))
        add(on_non_digits(model, "letters_written", letters))
        kinds = {
            "letters_printed": printed["images"][:limit],
            **evaluation_sets.non_digit_pictures(fonts, limit),
        }
        for kind, pictures in kinds.items():
            add(on_non_digits(model, kind, model.picture(pictures)))
    lines += [line for line in kept or () if line["model"] == "textbook"]
    amounts = np.load(others / "amount_strings.npz")
    measured = cheque_amounts.measure(lambda picture: whole_number(reader, picture), amounts, limit)
    add({"model": "ours", "set": "amount_strings", **measured})
    for line in field_pictures.measure(reader, others / "pictures", limit):
        add({"model": "ours", **line})
    return lines


def on_digits(model: Model, name: str, answers: Answers, labels: NDArray[np.uint8]) -> Line:
    """The line of a set of digits.

    `accuracy` is that of the most likely digit, whether accepted or not. `accepted` is the share
    that the model's own threshold accepts, `accepted_at_99` the share that `model.threshold` does.
    """
    right = answers.probabilities.argmax(axis=1) == labels
    accepted = answers.accepted
    return {
        "model": model.name,
        "set": name,
        "n": len(labels),
        "accuracy": float(right.mean()),
        "interval": list(wilson_interval(int(right.sum()), len(labels))),
        "ece": expected_calibration_error(answers.probabilities.max(axis=1), right),
        "accepted": float(accepted.mean()),
        "accuracy_of_accepted": float(right[accepted].mean()) if accepted.any() else None,
        "accepted_at_99": float((answers.score >= model.threshold).mean()),
    }


def on_non_digits(model: Model, kind: str, answers: Answers) -> Line:
    """The line of a kind of non-digits: the share that is accepted, by both thresholds."""
    return {
        "model": model.name,
        "kind": kind,
        "n": len(answers.score),
        "accepted": float(answers.accepted.mean()),
        "accepted_at_99": float((answers.score >= model.threshold).mean()),
    }


def whole_number(reader: Reader, picture: Bytes) -> tuple[str, float]:
    """The digits of a picture, and the probability that all of its numbers are right."""
    page = reader.read(picture)
    return page.digits, page.confidence
