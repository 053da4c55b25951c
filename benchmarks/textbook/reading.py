"""Comparing with the textbook CNN, which reads as demos do. Only `predictor` imports Keras."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import ROOT
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, Lines
from digits.bundle import DIGIT_SIDE
from digits.data.mnist import Bytes
from digits.errors import DigitsError

Floats = NDArray[np.float32]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds --bundle and --textbook, the two models that are compared."""
    parser.add_argument(
        "--bundle", type=Path, metavar="DIR", help="default: the one that comes with the package"
    )
    parser.add_argument(
        "--textbook",
        type=Path,
        metavar="DIR",
        help="folder with the model.keras of an earlier `python -m benchmarks.textbook` "
        "(default: train it now, which takes three minutes on two cores)",
    )


def main(
    description: str | None,
    results: Path,
    measure: Callable[[Path | None, Path | None, int | None], list[Line]],
    summary: Callable[[Lines], str],
) -> int:
    """The command line of a benchmark that compares accuracy.

    Args:
        description, results: as for `command_line.parser`.
        measure: takes the folders of the bundle and of the textbook CNN, and how many pictures of
            each set are read; None is the bundle that ships, a new textbook CNN, and all.
        summary: as for `command_line.main`.

    Returns:
        the exit status, as for `command_line.main`.
    """
    parser = command_line.parser(description, results)
    add_flags(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="read the first N of each set only")

    def run(arguments: argparse.Namespace) -> list[Line]:
        return measure(arguments.bundle, arguments.textbook, arguments.limit)

    return command_line.main(parser, run, summary)


@contextmanager
def model_file(folder: Path | None) -> Iterator[Path]:
    """The `model.keras` of a textbook CNN: in `folder`, or trained now in a process of its own.

    Raises:
        DigitsError: there is none in `folder`, or training failed.
    """
    if folder is not None:
        if not (folder / "model.keras").exists():
            raise DigitsError(
                f"There is no model.keras in {folder}; make one with: "
                f"python -m benchmarks.textbook --out {folder}"
            )
        yield folder / "model.keras"
        return
    with tempfile.TemporaryDirectory() as temporary:
        print("Training the textbook CNN for comparison.", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.textbook", "--out", temporary],
            cwd=ROOT,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise DigitsError(f"Training the textbook CNN failed: {done.stderr[-500:]}")
        yield Path(temporary) / "model.keras"


def predictor(path: Path) -> Callable[[Bytes], Floats]:
    """Loads a textbook CNN, which takes uint8 (n, 28, 28) and returns probabilities (n, 10)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    model = keras.models.load_model(path)

    def predict(images: Bytes) -> Floats:
        pixels = images[..., None].astype(np.float32) / 255
        return np.asarray(model.predict(pixels, batch_size=256, verbose=0))

    return predict


def squeezed(picture: Bytes) -> Bytes:
    """Resizes a whole picture (h, w) to 28×28, as demos do, without inverting it.

    Pixels are averaged where it shrinks and interpolated where it grows.
    """
    small = Image.fromarray(picture).resize((DIGIT_SIDE, DIGIT_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small)
