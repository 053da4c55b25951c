"""The shipped model and the Keras textbook CNN on other people's handwriting and on non-digits.

    DIGITS_HANDWRITING=DIR python -m benchmarks.handwriting
                                                       writes benchmarks/results/handwriting.jsonl
    python -m benchmarks.handwriting --textbook DIR    with a textbook CNN that is already trained
    python -m benchmarks.handwriting --again           measures the shipped model again; the
                                                       textbook CNN's lines stay as they are
    python -m benchmarks.handwriting --summary         prints the table

The shipped model reads a picture with `Reader.classify` and a canvas with the signature `canvas`.
The textbook CNN gets both as demos feed it, squeezed to 28×28 and not inverted, and accepts a
picture if its highest probability reaches a threshold. To compare the two, each threshold is set to
accept 99% of MNIST's validation digits (the last 5,000 training images). What the shipped model
accepts at its own threshold is measured too.

No network is trained on these sets, and no threshold is chosen on them. But while the reader was
developed, errors on them were examined and alternatives were compared on them, as docs/log.md
describes. Expect other people's writing to be read somewhat worse.

It takes about ten minutes, three of them to train the textbook CNN.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import RESULTS_FOLDER
from benchmarks.handwriting_data import cheque_amounts, evaluation_sets, non_digits
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, Lines, read_lines
from benchmarks.textbook import reading as textbook
from digits import bundle
from digits.data.mnist import Bytes, load_mnist
from digits.evaluation import expected_calibration_error, wilson_interval
from digits.reading.reader import Reader
from digits.runtime import Model as LiteRTModel

RESULTS = RESULTS_FOLDER / "handwriting.jsonl"
VALIDATION = 5000  # last training images
KEPT = 0.99  # share of validation digits that the compared thresholds accept

Pictures = Iterable[Bytes]


@dataclass(frozen=True)
class Answers:
    """What a model says of n pictures.

    Attributes:
        probabilities: float32, shape (n, 10).
        score: float32, shape (n,), 0 to 1: how likely it is that there is a digit at all.
        accepted: bool, shape (n,), by the model's own threshold.
    """

    probabilities: NDArray[np.float32]
    score: NDArray[np.float32]
    accepted: NDArray[np.bool_]


Ask = Callable[[Pictures], Answers]


@dataclass(frozen=True)
class Model:
    """One of the two models that are compared.

    Attributes:
        name: "ours" or "textbook".
        picture: reads pictures of any size.
        canvas: reads canvases (256, 256).
        digit: reads digits (28, 28) in MNIST's own frame.
        threshold: the score that accepts `KEPT` of the validation digits.
    """

    name: str
    picture: Ask
    canvas: Ask
    digit: Ask
    threshold: float


def main() -> int:
    parser = command_line.parser(__doc__, RESULTS)
    textbook.add_flags(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="read the first N of each set only")
    parser.add_argument("--again", action="store_true", help="measure the shipped model alone")

    def run(arguments: argparse.Namespace) -> list[Line]:
        kept = read_lines(arguments.out) if arguments.again else None
        return measure(arguments.bundle, arguments.textbook, arguments.limit, kept)

    return command_line.main(parser, run, summary)


def measure(
    folder: Path | None,
    textbook_folder: Path | None,
    limit: int | None,
    kept: Lines | None = None,
) -> list[Line]:
    """Measures both models on every set.

    Args:
        folder: of the bundle; None is the one that ships.
        textbook_folder: of the textbook CNN; None trains it now.
        limit: how many pictures of each set, from the first on; None is all.
        kept: earlier lines, of which the textbook CNN's are taken instead of measuring it.

    Returns:
        a line for each model and set.
    """
    others = evaluation_sets.folder()
    fonts = non_digits.font_files()
    digits = load_mnist()
    reader = Reader(folder)
    validation = digits.train_images[-VALIDATION:][:limit]
    own = ours(reader, bundle.read(folder or bundle.SHIPPED), validation)
    models = [own]
    if kept is None:
        with textbook.model_file(textbook_folder) as path:
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
    add({"model": "ours", "set": "pictures", **single_digits(reader, others / "pictures", limit)})
    return lines


def ours(reader: Reader, shipped: bundle.Bundle, validation: Bytes) -> Model:
    """The bundle, as a user reads with it."""
    model = LiteRTModel(shipped.model)

    def classify(pictures: Pictures) -> Answers:
        readings = [reader.classify(picture) for picture in pictures]
        return Answers(
            np.stack([reading.probabilities for reading in readings]),
            np.array([reading.is_digit for reading in readings], np.float32),
            np.array([reading.accepted for reading in readings], bool),
        )

    def signature(name: str) -> Ask:
        def ask(images: Pictures) -> Answers:
            outputs = [model.run(name, image) for image in images]
            score = np.concatenate([output["is_digit"] for output in outputs])
            return Answers(
                np.concatenate([output["probabilities"] for output in outputs]),
                score,
                score >= np.float32(shipped.threshold),
            )

        return ask

    limit = threshold(classify(validation).score)
    return Model("ours", classify, signature("canvas"), signature("digit"), limit)


def squeezing(predict: Callable[[Bytes], NDArray[np.float32]], validation: Bytes) -> Model:
    """The textbook CNN, as demos use it."""
    limit = threshold(predict(validation).max(axis=1))

    def ask(pictures: Pictures) -> Answers:
        probabilities = predict(np.stack([textbook.squeezed(picture) for picture in pictures]))
        score = probabilities.max(axis=1)
        return Answers(probabilities, score, score >= limit)

    return Model("textbook", ask, ask, ask, limit)


def threshold(scores: NDArray[np.floating]) -> float:
    """The score that `KEPT` of these scores reach, rounded to a whole number of them."""
    ascending = np.sort(scores)
    return float(ascending[round((1 - KEPT) * len(scores))])


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
    confidences = [group.confidence for group in page.groups]
    return page.digits, float(np.prod(confidences)) if confidences else 0.0


def single_digits(reader: Reader, folder: Path, limit: int | None) -> Line:
    """The line of the pictures from the field that hold one digit: how many are read as it, and as
    nothing else."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    single = [picture for picture in truth if [len(line) for line in picture["lines"]] == [1]]
    read = [reader.read(folder / picture["file"]).lines for picture in single[:limit]]
    right = sum(
        list(lines) == picture["lines"] for lines, picture in zip(read, single, strict=False)
    )
    interval = list(wilson_interval(right, len(read)))
    return {"n": len(read), "accuracy": right / len(read), "interval": interval}


def mean_of_five(lines: Lines, model: str, figure: str) -> float:
    """The mean of a figure over the sets of `FIVE`."""
    of_five = [x for x in lines if x["model"] == model and x.get("set") in FIVE]
    return float(np.mean([x[figure] for x in of_five]))


def mean_accepted(lines: Lines, model: str, at: str) -> float:
    """The mean over the kinds of non-digits; the kinds of noise count as one."""
    by_kind: dict[str, list[float]] = {}
    for line in lines:
        if line["model"] == model and "kind" in line:
            kind = "noise" if line["kind"].startswith("noise") else line["kind"]
            by_kind.setdefault(kind, []).append(line[at])
    return float(np.mean([np.mean(shares) for shares in by_kind.values()]))


AIMS: dict[str, tuple[float, float]] = {  # accuracy: must, goal
    "mousedrawn140": (0.99, 0.998),
    "hwd1000": (0.995, 0.999),
    "challenge50": (0.98, 1.0),
    "semeion16": (0.943, 0.96),
    "mnist_test": (0.9965, 0.9972),
    "mnist_scattered": (0.993, 0.996),
    "amount_strings": (0.76, 0.88),
    "pictures": (112 / 120, 117 / 120),
}
FIVE = ("ardis28_dev", "usps16_dev", "optdigits32_dev", "unipen_dev", "pendigits_strokes")
FIVE_AIM = (0.986, 0.99)
ECE_AIM = (0.0015, 0.001)
FIVE_ECE_AIM = (0.01, 0.005)
ACCEPTED_AIM = (0.05, 0.01)
LETTERS_AIMS: dict[str, tuple[float, float]] = {
    "letters_written": (0.025, 0.01),
    "letters_printed": (0.02, 0.01),
    "letters_fonts": (0.03, 0.01),
}


def summary(lines: Lines) -> str:
    """The table: every figure beside the textbook CNN's, what it must be, and whether it is."""
    measured = {(x["model"], x["set"]): x for x in lines if "set" in x}
    kinds = {(x["model"], x["kind"]): x for x in lines if "kind" in x}
    text = [f"{'set':24s}{'textbook':>9s}{'ours':>9s}{'must':>8s}{'goal':>8s}  reached"]

    def row(name: str, textbook: float | None, value: float, must: float, goal: float) -> None:
        sign = 1 if goal >= must else -1
        reached = "goal" if sign * (value - goal) >= 0 else "must"
        reached = reached if sign * (value - must) >= 0 else "NO"
        other = "—" if textbook is None else f"{textbook:.2%}"
        text.append(f"{name:24s}{other:>9s}{value:9.2%}{must:8.1%}{goal:8.1%}  {reached}")

    for name, (must, goal) in AIMS.items():
        other = measured.get(("textbook", name))
        accuracy = measured["ours", name]["accuracy"]
        row(name, other["accuracy"] if other else None, accuracy, must, goal)
    eces = {model: measured[model, "mnist_test"]["ece"] for model in ("textbook", "ours")}
    for name in FIVE:
        textbook, ours = (measured[model, name]["accuracy"] for model in ("textbook", "ours"))
        row(name, textbook, ours, *FIVE_AIM)
    for label, figure, aim in (
        ("mean of these five", "accuracy", FIVE_AIM),
        ("their mean ece", "ece", FIVE_ECE_AIM),
    ):
        textbook, ours = (mean_of_five(lines, model, figure) for model in ("textbook", "ours"))
        row(label, textbook, ours, *aim)
    row("mnist_test ece", eces["textbook"], eces["ours"], *ECE_AIM)
    for name, aim in LETTERS_AIMS.items():
        textbook, ours = (kinds[model, name]["accepted_at_99"] for model in ("textbook", "ours"))
        row(name, textbook, ours, *aim)
    means = {m: mean_accepted(lines, m, "accepted_at_99") for m in ("textbook", "ours")}
    row("non-digits accepted", means["textbook"], means["ours"], *ACCEPTED_AIM)
    digits_right = measured["ours", "amount_strings"]["digits_right"]
    text.append(f"\nshare of single digits right in amount_strings: {digits_right:.2%}")
    shares = measured["ours", "amount_strings"].get("answered", {})
    for wrong, share in shares.items():
        text.append(f"share of amounts that can be answered with {wrong} wrong: {share:.1%}")
    text.append("\naccepted at the threshold of  textbook 99%  ours 99%  the bundle")
    for (model, kind), line in kinds.items():
        if model == "ours":
            other = kinds["textbook", kind]["accepted_at_99"]
            text.append(
                f"{kind:24s}{other:18.2%}{line['accepted_at_99']:11.2%}{line['accepted']:12.2%}"
            )
    for (model, name), line in measured.items():
        if model == "ours" and "accepted" in line:
            text.append(
                f"{name:24s}{measured['textbook', name]['accepted_at_99']:18.2%}"
                f"{line['accepted_at_99']:11.2%}{line['accepted']:12.2%}"
                + f", of which {line['accuracy_of_accepted'] or 0:.2%} are right"
            )
    text.append(
        "thresholds that accept 99% of the validation digits: "
        + ", ".join(
            f"{m} {measured[m, 'validation']['threshold']:.4f}" for m in ("textbook", "ours")
        )
    )
    return "\n".join(text)


if __name__ == "__main__":
    sys.exit(main())
