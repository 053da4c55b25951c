"""The two models that the reading benchmarks compare: a bundle, and the Keras textbook CNN."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import ROOT
from benchmarks.harness.json_lines import read_lines
from digits.errors import DigitsError

SIDE = 28

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]


def flags(description: str | None, results: Path) -> argparse.ArgumentParser:
    """The flags that every reading benchmark has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, help="default: the one that comes with the package")
    parser.add_argument(
        "--textbook",
        type=Path,
        metavar="DIR",
        help="folder with the model.keras of an earlier `python -m benchmarks.textbook` "
        "(default: train it now, three minutes on two cores)",
    )
    parser.add_argument("--out", type=Path, default=results, help="JSON lines")
    parser.add_argument("--summary", action="store_true", help="print the table and end")
    return parser


def command(
    description: str | None,
    results: Path,
    run: Callable[[Path, Path | None, Path | None, int | None], None],
    summary: Callable[[list[dict[str, Any]]], str],
) -> int:
    """A benchmark of accuracy as a command: measures, then prints the table of its results.

    Args:
        description: of the command, for `--help`.
        results: where it writes by default.
        run: called with where to write, the bundle, the textbook CNN's folder, and the limit.
        summary: of the results, as text.

    Returns:
        the exit status: 0 done, 2 a mistake that the user can mend.
    """
    parser = flags(description, results)
    parser.add_argument("--limit", type=int, metavar="N", help="the first N of each set only")
    arguments = parser.parse_args()
    if not arguments.summary:
        try:
            run(arguments.out, arguments.bundle, arguments.textbook, arguments.limit)
        except DigitsError as error:
            print(error, file=sys.stderr)
            return 2
    print(summary(read_lines(arguments.out)))
    return 0


@contextmanager
def textbook(folder: Path | None) -> Iterator[Path]:
    """The textbook CNN's `model.keras`, of `folder` or trained now in a process of its own.

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
        print("training the textbook CNN, to compare with", file=sys.stderr, flush=True)
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


def predictor(path: Path) -> Callable[[Images], Floats]:
    """The textbook CNN of a file, from uint8 (n, 28, 28) to probabilities (n, 10)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    model = keras.models.load_model(path)

    def predict(images: Images) -> Floats:
        pixels = images[..., None].astype(np.float32) / 255
        return np.asarray(model.predict(pixels, batch_size=256, verbose=0))

    return predict


def squeezed(picture: Images) -> Images:
    """A picture (h, w) as textbook demos feed it to the network: the whole of it made 28×28.

    Pixels are averaged where it shrinks and interpolated where it grows. It is not inverted.
    """
    small = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small)


def signature(model: bytes, name: str) -> Callable[[Images], tuple[Floats, float]]:
    """A signature of a `digits.tflite`, on one thread.

    Returns:
        a function from a canvas, uint8 (256, 256), or a digit, uint8 (28, 28), as `name` says, to
        its probabilities (10,) and `is_digit`.
    """
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=model, num_threads=1).get_signature_runner(name)

    def run(image: Images) -> tuple[Floats, float]:
        outputs = runner(**{name: image[None]})
        return outputs["probabilities"][0], float(outputs["is_digit"][0])

    return run
