"""One training of `benchmarks.ablation`, in a process and on a core of its own.

    python -m benchmarks.ablation.training --prepare FILE                     writes others' digits
    python -m benchmarks.ablation.training --row NAME --seed N --digits FILE    prints a line

Other people's digits come as pictures or strokes. Each goes through MNIST's own geometry to 28×28
pixels, as it does for a user: the ink is found, put on a canvas and framed. What reads them is then
the network alone.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ablation import study as ablation
from benchmarks.handwriting_data import evaluation_sets as sets
from benchmarks.textbook.model import Images
from digits.data.mnist import load_mnist, split
from digits.errors import DigitsError
from digits.evaluation import CLASSES
from digits.reading import ink, recogniser, segmentation
from digits.training.geometry import frame_all
from digits.training.models import predictor
from digits.training.train import train, use_cores

PART = 1000  # canvases in memory at a time

Labelled = tuple[Images, NDArray[np.uint8]]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prepare", type=Path, metavar="FILE", help="write the others' digits")
    what.add_argument("--row", choices=ablation.ROWS, metavar="NAME", help="what to train")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--digits", type=Path, metavar="FILE", help="from --prepare")
    parser.add_argument("--core", type=int, help="the one to run on (default: all)")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N of everything only")
    arguments = parser.parse_args()
    if arguments.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.core})
    try:
        if arguments.prepare is not None:
            prepare(arguments.prepare, arguments.limit)
        else:
            line = measure(arguments.row, arguments.seed, arguments.digits, arguments.limit)
            print(json.dumps(line))
    except DigitsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def prepare(file: Path, limit: int | None) -> None:
    """Writes every set of others' digits, framed, for all trainings to read."""
    folder = sets.folder()
    arrays: dict[str, Any] = {}
    for name in ablation.OTHERS:
        source = np.load(folder / ablation.OTHERS[name])
        canvases = sets.drawn(source, limit) if name == "pendigits" else _canvases(source, limit)
        arrays[f"{name} images"] = _framed(canvases)
        arrays[f"{name} labels"] = source["labels"][:limit]
    with file.open("wb") as opened:
        np.savez(opened, **arrays)


def _canvases(source: Any, limit: int | None) -> Iterator[Images]:
    """The ink of pictures on canvases, uint8 (256, 256), as the reader puts it there."""
    for picture in source["images"][:limit]:
        found = ink.find(picture)
        piece = segmentation.whole(found)
        nothing = np.zeros((1, 1), np.uint8)
        yield recogniser.place(nothing if piece is None else piece.ink)


def _framed(canvases: Iterable[Images]) -> Images:
    parts, waiting = [], []
    for canvas in canvases:
        waiting.append(canvas)
        if len(waiting) == PART:
            parts.append(frame_all(np.stack(waiting)))
            waiting = []
    if waiting:
        parts.append(frame_all(np.stack(waiting)))
    return np.concatenate(parts)


def measure(name: str, seed: int, digits: Path, limit: int | None) -> dict[str, Any]:
    """Trains a row of the ablation and measures it once on every set.

    Args:
        name: of the row.
        seed: of the training.
        digits: from `prepare`.
        limit: the first so many of everything only, for a try.
    """
    started = time.perf_counter()
    recipe = replace(ablation.ROWS[name], seed=seed)
    mnist = load_mnist()
    cores = use_cores()
    training, validation = (
        (images[:limit], labels[:limit])
        for images, labels in split(mnist.train_images, mnist.train_labels, recipe.held_out)
    )
    few = validation[0][:1000], validation[1][:1000]  # after each epoch, steering nothing
    with tempfile.TemporaryDirectory() as folder:
        model, _ = train(recipe, training, few, Path(folder) / "state.npz", shards=cores)
    predict = predictor(model, cores)

    def score(images: Images, labels: NDArray[np.uint8]) -> dict[str, Any]:
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
                for other in ablation.OTHERS
            },
        },
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time(),
        "recipe": asdict(recipe),
    }


if __name__ == "__main__":
    sys.exit(main())
