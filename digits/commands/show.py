"""Draw what each augmentation does to digits when a recipe is trained. Augmentations that the
recipe does not use are shown with a usual amount.
"""

import argparse
from pathlib import Path

import numpy as np

from digits.commands import add_data_flag, add_not_digits_flag
from digits.errors import DigitsError, explained
from digits.runs import recipes
from digits.runs.recipes import RECIPES, Recipe
from digits.terminal import own_words_only, say

SHOWN = 10  # images


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["augment"], help="augment: the recipe's augmentations")
    parser.add_argument(
        "--out", type=Path, default=Path("augment.png"), metavar="FILE", help="default: augment.png"
    )
    add_data_flag(parser)
    add_not_digits_flag(parser)
    recipes.add_flags(parser)


def run(arguments: argparse.Namespace, prog: str) -> None:
    recipe = recipes.from_flags(arguments) or RECIPES["default"]
    out: Path = arguments.out
    if out.suffix.lower() != ".png":
        raise DigitsError(f"--out {out}: the picture is a PNG; name it .png.")
    with own_words_only():
        from digits.labelled import opening
        from digits.reporting import plots
        from digits.studies import gallery

        data = opening.load(arguments.data, arguments.not_digits)
        if len(data.train_labels) < SHOWN:
            raise DigitsError(f"{data.source} holds fewer than {SHOWN} images to train on.")
        _, first = np.unique(data.train_labels, return_index=True)  # of each digit
        rest = np.setdiff1d(np.arange(SHOWN), first)[: SHOWN - len(first)]
        shown = data.train_images[[*first, *rest]]
        what = f"your own {data.things}" if data.own else "MNIST's own digits"
        rows = gallery.draw(recipe, shown, what)
        with explained(f"--out {out} cannot be written"):
            title = f"{_of(recipe)}: each augmentation alone, at its strongest"
            plots.augmentations(rows, title, out)
    say(f"{out} shows what each augmentation does. {_of(recipe)}.")


def _of(recipe: Recipe) -> str:
    changed = "" if recipe == RECIPES.get(recipe.name) else ", changed by flags"
    return f"Recipe {recipe.name}{changed}"
