"""Write the bundle of a finished run again."""

import argparse
from pathlib import Path

from digits.data.mnist import load_mnist, split
from digits.errors import DigitsError, explained
from digits.runs.run import find
from digits.terminal import own_words_only, say


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument("--onnx", action="store_true", help="with a file for ONNX Runtime")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the bundle (default: RUN/bundle)")


def run(arguments: argparse.Namespace, prog: str) -> None:
    finished = find(arguments.run)
    if finished is None or not finished.finished:
        raise DigitsError(f"There is no finished run of this version in {arguments.run}.")
    metrics = finished.metrics()
    if not {"threshold", "recipe", "test_accuracy"} <= metrics.keys():
        raise DigitsError(f"The metrics.json of {finished.folder} is incomplete; train again.")
    folder = arguments.out or finished.bundle
    with own_words_only():
        import keras

        from digits.training import export

        try:
            model = keras.models.load_model(finished.network)
        except (OSError, ValueError):
            raise DigitsError(f"{finished.network} is missing or damaged; train again.") from None
        mnist = load_mnist()
        held_out = finished.recipe.held_out
        _, (images, _) = split(mnist.train_images, mnist.train_labels, held_out)
        with explained(f"{folder} cannot be written", "choose another --out"):
            export.export(model, folder, images, export.manifest_of(metrics), arguments.onnx)
    say(f"The bundle is in {folder}; look at it with: digits info --model {folder}")
