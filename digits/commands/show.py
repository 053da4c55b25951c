"""Draw what each augmentation does to digits when a recipe is trained. Augmentations that the
recipe does not use are shown with a usual amount.
"""

import argparse
from pathlib import Path

import numpy as np

from digits.data.mnist import load_mnist
from digits.errors import DigitsError, explained
from digits.runs import recipes
from digits.runs.recipes import RECIPES, Recipe
from digits.terminal import own_words_only, say


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["augment"], help="augment: the recipe's augmentations")
    parser.add_argument(
        "--out", type=Path, default=Path("augment.png"), metavar="FILE", help="default: augment.png"
    )
    recipes.add_flags(parser)


def run(arguments: argparse.Namespace, prog: str) -> None:
    recipe = recipes.from_flags(arguments) or RECIPES["default"]
    out: Path = arguments.out
    if out.suffix.lower() != ".png":
        raise DigitsError(f"--out {out}: the picture is a PNG; name it .png.")
    with own_words_only():
        from digits.reporting import plots
        from digits.studies import gallery

        mnist = load_mnist()
        _, first = np.unique(mnist.train_labels, return_index=True)  # of each digit
        rows = gallery.draw(recipe, mnist.train_images[first])
        with explained(f"--out {out} cannot be written"):
            title = f"{_of(recipe)}: each augmentation alone, at its strongest"
            plots.augmentations(rows, title, out)
    say(f"{out} shows what each augmentation does. {_of(recipe)}.")


def _of(recipe: Recipe) -> str:
    changed = "" if recipe == RECIPES.get(recipe.name) else ", changed by flags"
    return f"Recipe {recipe.name}{changed}"
