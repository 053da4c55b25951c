"""The shipped model and the Keras textbook CNN under 15 corruptions, after MNIST-C.

    python -m benchmarks.corruptions                   writes benchmarks/results/corruptions.jsonl
    python -m benchmarks.corruptions --textbook DIR    with a textbook CNN that is already trained
    python -m benchmarks.corruptions --data PATH       with other digits than MNIST's
    python -m benchmarks.corruptions --summary         prints the table

The test digits of MNIST are corrupted. The shipped model is measured twice: `digit` is the network
alone on 28×28 pixels, as the textbook CNN gets them; `reader` is what a user gets:
`Reader.classify` on the image as a picture, which finds the ink and frames it again. An error is a
most likely digit that is not the label, accepted or not.

It takes about eight minutes, three of them to train the textbook CNN. How the corruptions differ
from those of MNIST-C is described in docs/explanation/honest-numbers.md.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import RESULTS_FOLDER
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, Lines
from benchmarks.textbook import reading as textbook
from digits import bundle
from digits.data.corruptions import CORRUPTIONS
from digits.data.mnist import Bytes, Dataset
from digits.reading.reader import Reader
from digits.runtime import Model

RESULTS = RESULTS_FOLDER / "corruptions.jsonl"
SEED = 1
MODELS = ("textbook", "digit", "reader")
MUST, GOAL = 1 / 3, 1 / 5  # of the textbook CNN's mean error

Predict = Callable[[Bytes], NDArray[np.int64]]  # images (n, 28, 28) -> digits (n,)


def main() -> int:
    parser = command_line.parser(__doc__, RESULTS)
    textbook.add_flags(parser)
    command_line.add_data_flag(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="read the first N of each set only")

    def run(arguments: argparse.Namespace) -> list[Line]:
        data = command_line.given_data(parser, arguments)
        with textbook.model_file(arguments.textbook, arguments.data) as textbook_file:
            lines = measure(arguments.bundle, textbook_file, data, arguments.limit)
        return [line | command_line.of_data(data) for line in lines]

    return command_line.main(parser, run, summary)


def measure(
    folder: Path | None, textbook_file: Path, data: Dataset, limit: int | None
) -> list[Line]:
    """Measures every model on clean digits and under every corruption.

    Args:
        folder: of the bundle; None is the one that ships.
        textbook_file: the `model.keras` of the textbook CNN.
        data: the test digits.
        limit: how many test digits, from the first on; None is all.

    Returns:
        a line for each model and corruption, and one for each model with its mean error.
    """
    model = Model(bundle.read(folder or bundle.SHIPPED).model)
    reader = Reader(folder)
    images, labels = data.test_images[:limit], data.test_labels[:limit]
    textbook_cnn = textbook.predictor(textbook_file)
    predict: dict[str, Predict] = {
        "textbook": lambda images: textbook_cnn(images).argmax(axis=1),
        "digit": lambda images: np.array(
            [model.run("digit", image)["probabilities"].argmax() for image in images]
        ),
        "reader": lambda images: np.array([reader.classify(image).digit for image in images]),
    }
    lines: list[Line] = []
    for corruption in ("clean", *CORRUPTIONS):
        corrupted = images if corruption == "clean" else CORRUPTIONS[corruption](images, SEED)
        for name in MODELS:
            errors = int((predict[name](corrupted) != labels).sum())
            lines.append(
                {
                    "model": name,
                    "corruption": corruption,
                    "errors": errors,
                    "n": len(labels),
                    "error": errors / len(labels),
                }
            )
        print(corruption, *(f"{x['model']} {x['error']:.2%}" for x in lines[-3:]), flush=True)
    return [*lines, *(means(lines, name) for name in MODELS)]


def means(lines: Lines, model: str) -> Line:
    """A model's mean error over the corruptions, and its ratio to the textbook CNN's."""

    def mean(name: str) -> float:
        errors = [
            x["error"] for x in lines if x["model"] == name and x.get("corruption") in CORRUPTIONS
        ]
        return float(np.mean(errors))

    return {"model": model, "mean_error": mean(model), "ratio": mean(model) / mean("textbook")}


def summary(lines: Lines) -> str:
    """The table: the share of digits misread, a line for each corruption, and the means."""
    by_key = {(x["model"], x.get("corruption")): x for x in lines}
    rows = ["corruption      " + "".join(f"{model:>10s}" for model in MODELS)]
    for corruption in ("clean", *CORRUPTIONS):
        rows.append(
            f"{corruption:16s}"
            + "".join(f"{by_key[model, corruption]['error']:10.2%}" for model in MODELS)
        )
    rows.append(
        "mean of the 15  " + "".join(f"{by_key[m, None]['mean_error']:10.2%}" for m in MODELS)
    )
    rows.append("ratio           " + "".join(f"{by_key[m, None]['ratio']:10.3f}" for m in MODELS))
    rows.append(f"the ratio must be at most {MUST:.3f}; the goal is {GOAL:.3f}")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
