"""One training of `benchmarks.ablation`, in a process and on a core of its own.

    python -m benchmarks.ablation.training --prepare FILE          writes other people's digits
    python -m benchmarks.ablation.training --row NAME --seed N --digits FILE       prints a line

Other people's digits are pictures or pen strokes. Each is brought to 28×28 pixels as it is for a
user: the ink is found, put on a canvas, and framed as MNIST's digits are. Then only the network is
measured.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ablation import plan
from benchmarks.handwriting import evaluation_sets
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line
from digits.data.mnist import Bytes, Mnist, split
from digits.errors import DigitsError
from digits.evaluation import CLASSES
from digits.reading.reader import Reader
from digits.training.geometry import frame_all
from digits.training.networks.models import predictor
from digits.training.train import train, use_cores

PART = 1000  # canvases in memory at a time


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ablation.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--prepare", type=Path, metavar="FILE", help="write other people's digits to FILE (.npz)"
    )
    what.add_argument("--row", choices=plan.ROWS, metavar="NAME", help="what to train")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--digits", type=Path, metavar="FILE", help="written by --prepare")
    parser.add_argument("--core", type=int, help="the core to run on (default: all)")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="for a try: only the first N digits of every set"
    )
    command_line.add_data_flag(parser, only_mnist=True)
    arguments = parser.parse_args()
    if arguments.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.core})
    try:
        if arguments.prepare is not None:
            prepare(arguments.prepare, arguments.limit)
        else:
            mnist = command_line.given_data(parser, arguments)
            line = measure(arguments.row, arguments.seed, arguments.digits, arguments.limit, mnist)
            print(json.dumps(line))
    except DigitsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def prepare(file: Path, limit: int | None) -> None:
    """Writes other people's digits, framed, so that every training can read them.

    Args:
        file: gets, for each set, arrays of images (n, 28, 28) and labels (n,).
        limit: how many digits of every set, from the first on; None is all.
    """
    folder, reader = evaluation_sets.folder(), Reader()
    arrays: dict[str, Any] = {}
    for name, source_name in plan.OTHERS.items():
        source = np.load(folder / source_name)
        canvases: Iterator[Bytes]
        if name == "pendigits":
            canvases = evaluation_sets.stroke_canvases(source, limit)
        else:
            canvases = (reader.classify(picture).canvas for picture in source["images"][:limit])
        arrays[f"{name} images"] = _framed(canvases)
        arrays[f"{name} labels"] = source["labels"][:limit]
    with file.open("wb") as opened:
        np.savez(opened, **arrays)


def _framed(canvases: Iterator[Bytes]) -> Bytes:
    parts = []
    while part := list(islice(canvases, PART)):
        parts.append(frame_all(np.stack(part)))
    return np.concatenate(parts)


def measure(name: str, seed: int, digits: Path, limit: int | None, mnist: Mnist) -> Line:
    """Trains a row of the ablation, and measures it once on every set.

    Args:
        name: of the row.
        seed: of the training.
        digits: written by `prepare`.
        limit: how many digits of every set, from the first on; None is all.
        mnist: all of it.
    """
    started = time.perf_counter()
    recipe = replace(plan.ROWS[name], seed=seed)
    cores = use_cores()
    training, validation = (
        (images[:limit], labels[:limit])
        for images, labels in split(mnist.train_images, mnist.train_labels, recipe.held_out)
    )
    few = validation[0][:1000], validation[1][:1000]  # after each epoch; nothing depends on them
    with tempfile.TemporaryDirectory() as folder:
        model, _ = train(recipe, training, few, Path(folder) / "state.npz", shards=cores)
    predict = predictor(model, cores)

    def score(images: Bytes, labels: NDArray[np.uint8]) -> dict[str, Any]:
        right = predict(images)[:, :CLASSES].argmax(axis=1) == labels
        recall = [right[labels == digit] for digit in range(CLASSES)]
        return {
            "n": len(labels),
            "accuracy": float(right.mean()),
            "recall": [float(of.mean()) if len(of) else None for of in recall],
        }

    others = np.load(digits)
    return {
        "row": name,
        "seed": seed,
        "sets": {
            "validation": score(*validation),
            "test": score(mnist.test_images[:limit], mnist.test_labels[:limit]),
            **{
                other: score(others[f"{other} images"], others[f"{other} labels"])
                for other in plan.OTHERS
            },
        },
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time(),
        "recipe": asdict(recipe),
    }


if __name__ == "__main__":
    sys.exit(main())
