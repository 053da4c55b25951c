"""Write the bundle of a finished run again."""

import argparse
from dataclasses import replace
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

        from digits.training import dataset, export

        def loaded(path: Path) -> keras.Model:
            try:
                return keras.models.load_model(path)
            except (OSError, ValueError):
                raise DigitsError(f"{path} is missing or damaged; train again.") from None

        model, recipe, mnist = loaded(finished.network), finished.recipe, load_mnist()
        _, (images, labels) = split(mnist.train_images, mnist.train_labels, recipe.held_out)
        lines = None
        if recipe.lines:
            few = replace(recipe, variants=500, pens=100, font_digits=100)  # to draw eight lines
            drawn = dataset.lines_of(few, images, labels, export.GOLDEN, 1)
            lines = loaded(finished.line_network), drawn.strips
        manifest = export.manifest_of(metrics)
        with explained(f"{folder} cannot be written", "choose another --out"):
            export.export(model, folder, images, manifest, arguments.onnx, lines)
    say(f"The bundle is in {folder}; look at it with: digits info --model {folder}")
