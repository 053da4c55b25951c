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


@contextmanager
def model_file(folder: Path | None, data: Path | None = None) -> Iterator[Path]:
    """The `model.keras` of a textbook CNN: in `folder`, or trained now in a process of its own, on
    MNIST or the data at a path.

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
        command = [sys.executable, "-m", "benchmarks.textbook"]
        done = subprocess.run(
            [*command, "--out", temporary, *command_line.data_flags(data)],
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
