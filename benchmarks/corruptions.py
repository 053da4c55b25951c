"""How ours and the Keras textbook CNN read MNIST's test digits under the 15 corruptions of MNIST-C.

    python -m benchmarks.corruptions                   writes benchmarks/results/corruptions.jsonl
    python -m benchmarks.corruptions --textbook DIR    with a textbook CNN trained before
    python -m benchmarks.corruptions --summary         prints the table of what is there

Ours is measured twice: `digit` is the network alone on the 28×28 pixels, as the textbook CNN gets
them; `reader` is what a user gets, the image as a picture to `Reader.classify`, which looks for ink
and frames it anew. An error is a likeliest digit that is not the label; refusals do not count.
Everything takes some eight minutes, three of them the textbook CNN's training.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import RESULTS_FOLDER
from benchmarks.textbook import model as models
from digits import bundle
from digits.data.corruptions import CORRUPTIONS
from digits.data.mnist import load_mnist
from digits.reading.reader import Reader

RESULTS = RESULTS_FOLDER / "corruptions.jsonl"
SEED = 1
MODELS = ("textbook", "digit", "reader")
MUST, GOAL = 1 / 3, 1 / 5  # of the textbook CNN's mean error

Read = Callable[[models.Images], NDArray[np.int64]]


def main() -> int:
    return models.command(__doc__, RESULTS, run, summary)


def run(results: Path, folder: Path | None, textbook: Path | None, limit: int | None) -> None:
    """Measures every model on every corruption, and clean, writing a line for each."""
    shipped = bundle.read(folder or bundle.SHIPPED)
    mnist = load_mnist()
    images, labels = mnist.test_images[:limit], mnist.test_labels[:limit]
    lines: list[dict[str, Any]] = []
    with models.textbook(textbook) as path:
        predict = models.predictor(path)
    digit = models.signature(shipped.model, "digit")
    reader = Reader(folder)
    readers: dict[str, Read] = {
        "textbook": lambda images: predict(images).argmax(axis=1),
        "digit": lambda images: np.array([digit(image)[0].argmax() for image in images]),
        "reader": lambda images: np.array([reader.classify(image).digit for image in images]),
    }
    for corruption in ("clean", *CORRUPTIONS):
        corrupted = images if corruption == "clean" else CORRUPTIONS[corruption](images, SEED)
        for model in MODELS:
            errors = int((readers[model](corrupted) != labels).sum())
            lines.append(
                {
                    "model": model,
                    "corruption": corruption,
                    "errors": errors,
                    "n": len(labels),
                    "error": errors / len(labels),
                }
            )
        print(*(f"{x['model']} {x['error']:.2%}" for x in lines[-3:]), corruption, flush=True)
    lines += [means(lines, model) for model in MODELS]
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text("".join(json.dumps(line) + "\n" for line in lines))


def means(lines: list[dict[str, Any]], model: str) -> dict[str, Any]:
    """The line that sums up a model: its mean error over corruptions, and that as a ratio."""

    def mean(name: str) -> float:
        errors = [
            x["error"] for x in lines if x["model"] == name and x.get("corruption") in CORRUPTIONS
        ]
        return float(np.mean(errors))

    return {"model": model, "mean_error": mean(model), "ratio": mean(model) / mean("textbook")}


def summary(lines: list[dict[str, Any]]) -> str:
    """The table: a line for each corruption, then the means."""
    if not lines:
        return "There are no results yet; run python -m benchmarks.corruptions."
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
    rows.append(f"must be at most {MUST:.3f}, goal {GOAL:.3f}")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
