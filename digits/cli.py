"""The command line. TensorFlow is imported only once there is something to train."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from digits import data, recipes, runs
from digits.errors import DigitsError, Interrupted


def train(argv: Sequence[str] | None = None) -> int:
    """Trains and reports, as the flags say; the work of `python mnist_model.py`.

    Returns:
        the exit status: 0 done, 2 a mistake that the user can mend, 130 stopped by Ctrl-C.
    """
    started = time.monotonic()
    parser = argparse.ArgumentParser(
        prog="mnist_model.py",
        description="Train a convolutional network on MNIST and report how good it is.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="mnist.npz, or a folder of the four IDX files (default: find or download)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of results, new or empty (default: runs/<recipe>-<time>)",
    )
    parser.add_argument(
        "--resume", type=Path, metavar="DIR", help="go on with the unfinished run in DIR"
    )
    recipes.add_flags(parser)
    arguments = parser.parse_args(argv)
    try:
        return _train(arguments, started)
    except DigitsError as error:
        print(f"mnist_model.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def _train(arguments: argparse.Namespace, started: float) -> int:
    recipe = recipes.from_flags(arguments)
    if arguments.resume is None:
        recipe = recipe or recipes.RECIPES["default"]
        mnist = data.load(arguments.data)
        folder = runs.create(recipe, arguments.out)
    elif recipe is None and arguments.out is None:
        recipe, folder = runs.reopen(arguments.resume), arguments.resume
        mnist = data.load(arguments.data)
    else:
        raise DigitsError("--resume goes on with the run's own recipe and folder; give it alone.")
    training = len(mnist.train_labels) - recipe.held_out
    print(
        f"MNIST from {mnist.source}, verified: {training:,} digits to train on, "
        f"{recipe.held_out:,} to validate, {len(mnist.test_labels):,} to test.\n"
        f"Recipe {recipe.name}, epochs: {recipe.epochs}, seed: {recipe.seed}; "
        f"results go to {folder}."
    )
    try:
        with _without_greeting():
            from digits.pipeline import run
    except ModuleNotFoundError as error:
        raise DigitsError(
            f"{error.name} is not installed, which training needs; "
            'install it with: pip install -e ".[train]"'
        ) from None

    try:
        run(recipe, folder, mnist, started)
    except Interrupted as interruption:
        print(
            f"\nStopped after epoch {interruption.epochs} of {recipe.epochs}, which is saved. "
            f"Go on with: python mnist_model.py --resume {folder}"
        )
        return 130
    except OSError as error:
        raise DigitsError(
            f"Writing to {folder} failed ({error.strerror or error}); what is finished is kept: "
            f"make room and go on with --resume {folder}."
        ) from error
    print(f"\nThe whole story, with figures: {folder / 'report.html'}")
    return 0


@contextmanager
def _without_greeting() -> Iterator[None]:
    """Drops the two lines on oneDNN that TensorFlow prints on import, which no setting silences,
    and passes on whatever else is written to standard error meanwhile."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            written.seek(0)
            for line in written:
                if b"oneDNN custom operations" not in line and b"InitializeLog" not in line:
                    os.write(2, line)
