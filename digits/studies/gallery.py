"""The command `digits show augment`: what each augmentation does to digits, as one picture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits.data.mnist import Bytes
from digits.errors import DigitsError
from digits.runs import recipes
from digits.runs.recipes import RECIPES, Recipe
from digits.terminal import needing, own_words_only, say

if TYPE_CHECKING:
    from digits.training.plots import AugmentationRow

TITLE = "Each augmentation alone and at its most: the recipe"
SEED = 5  # of what is drawn at random
# What an augmentation is shown with that the recipe does not use.
SHOWN: dict[str, Any] = {
    "rotation": 15.0,
    "scaling": 0.3,
    "shift": 2.5,
    "shear": 0.2,
    "elastic": 2.0,
    "pen": 0.5,
    "cutout": 8,
    "horizontal_flip": 0.5,
    "vertical_flip": 0.5,
    "reframed": 0.5,
    "clutter": 0.4,
}
# Columns that show light, two kinds of noise, lines, a negative band, blur and outline in turn;
# clutter.py says which number stands for which.
WAYS_TO_CLUTTER = (0.05, 0.2, 0.3, 0.4, 0.55, 0.75, 0.9, 0.1, 0.45, 0.6)


def command(argv: Sequence[str], prog: str) -> int:
    """Draws the augmentations of a recipe into a PNG.

    Raises:
        DigitsError: a mistake in the arguments, no MNIST, or a file that cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Draw what each augmentation does to digits while a recipe is trained; what "
        "the recipe leaves out is shown with a usual amount.",
    )
    parser.add_argument("what", choices=["augment"], help="augment: the recipe's augmentations")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("augment.png"),
        metavar="FILE",
        help="default: augment.png",
    )
    recipes.add_flags(parser)
    arguments = parser.parse_args(argv)
    recipe = recipes.from_flags(arguments) or RECIPES["default"]
    out: Path = arguments.out
    if out.suffix.lower() != ".png":
        raise DigitsError(f"--out {out}: the picture is a PNG; name it .png.")
    with needing(prog), own_words_only():
        from digits.data import mnist as data
        from digits.training import plots

        mnist = data.load()
        first = [int(np.argmax(mnist.train_labels == digit)) for digit in range(10)]
        rows = draw(recipe, mnist.train_images[first])
        try:
            plots.augmentations(rows, f"{TITLE} {recipe.name}", out)
        except OSError as error:
            raise DigitsError(
                f"--out {out} cannot be written ({error.strerror or error})."
            ) from None
    say(f"{out} shows what each augmentation does, with the amounts of the recipe {recipe.name}.")
    return 0


def draw(recipe: Recipe, digits: Bytes) -> list[AugmentationRow]:
    """What each augmentation alone does at its strongest, and all of the recipe together.

    Args:
        recipe: gives the amounts; where it has 0, `SHOWN` does.
        digits: uint8 of shape (10, 28, 28), ink 255 on 0.
    """
    from digits.training.plots import AugmentationRow

    shown = replace(recipe, **{name: getattr(recipe, name) or SHOWN[name] for name in SHOWN})
    off: dict[str, Any] = dict.fromkeys(SHOWN, 0)
    nothing = replace(recipe, **off)
    hand = replace(shown, elastic=0, cutout=0, horizontal_flip=0, vertical_flip=0, reframed=1)
    rows = [AugmentationRow("as they are", "MNIST's own digits", True, digits)]
    for field, (name, amount) in in_words(shown).items():
        alone = replace(nothing, **{field: getattr(shown, field)})
        if field == "clutter":
            images = _cluttered(digits)
        else:  # MNIST's digits stand in MNIST's frame: to reframe them, they must have left it
            images = _strongest(hand if field == "reframed" else alone, digits)
        rows.append(AugmentationRow(name, amount, bool(getattr(recipe, field)), images))
    together = _trained(recipe, digits)
    return [
        *rows,
        AugmentationRow("all of the recipe", "drawn at random, as in training", True, together),
    ]


def in_words(recipe: Recipe) -> dict[str, tuple[str, str]]:
    """What each field that is an augmentation is called, and how much of it the recipe has."""

    def share(fraction: float) -> str:
        return f"{100 * fraction:.3g} % of the images"

    return {
        "rotation": ("rotation", f"{recipe.rotation:g}° either way"),
        "scaling": ("scaling", f"width, height ± {100 * recipe.scaling:.3g} %"),
        "shift": ("shift", f"{recipe.shift:g} pixels each way"),
        "shear": ("shear", f"{recipe.shear:g} pixels sideways a pixel up"),
        "elastic": ("elastic", f"{recipe.elastic:g} pixels each way"),
        "pen": ("stroke width", f"± {recipe.pen:g} pixels a side"),
        "cutout": ("cutout", f"a square of {recipe.cutout} pixels"),
        "horizontal_flip": ("horizontal flip", share(recipe.horizontal_flip)),
        "vertical_flip": ("vertical flip", share(recipe.vertical_flip)),
        "reframed": ("reframed", f"{share(recipe.reframed)}, after the rest"),
        "clutter": ("clutter", share(recipe.clutter)),
    }


def _strongest(recipe: Recipe, digits: Bytes) -> Bytes:
    """All amounts at their most, to one side and the other in turn, every image mirrored."""
    import tensorflow as tf

    from digits.training import augmentation

    random = np.random.default_rng(SEED)
    chances = random.random(
        (len(digits), augmentation.CHANCES + augmentation.MORE_CHANCES), np.float32
    )
    column = np.arange(len(digits))
    one, other = column % 2, (column + column // 2) % 2
    chances[:, 0] = 1  # the strength
    chances[:, 1 : augmentation.CHANCES] = np.stack([one, one, other, one, one, other, one], axis=1)
    # A square is cut out of the ink, where it can be seen.
    middles = chances[:, augmentation.CHANCES + 2 : augmentation.CHANCES + 4]
    middles[:] = 0.3 + 0.4 * middles
    everyone = replace(
        recipe,
        horizontal_flip=float(recipe.horizontal_flip > 0),
        vertical_flip=float(recipe.vertical_flip > 0),
    )
    amounts = augmentation.amounts_of(everyone, tf.constant(chances), tf.constant(0.5))
    return _bytes(augmentation.distort(_floats(digits), amounts, everyone))


def _cluttered(digits: Bytes) -> Bytes:
    import tensorflow as tf

    from digits.training import clutter

    chances = np.random.default_rng(SEED).random((len(digits), clutter.CHANCES), np.float32)
    chances[:, 0] = 0.6  # the strength: at 1 a person cannot read them
    chances[:, 9] = WAYS_TO_CLUTTER
    return _bytes(clutter.clutter(_floats(digits), tf.constant(1.0), tf.constant(chances)))


def _trained(recipe: Recipe, digits: Bytes) -> Bytes:
    """As a batch of these digits half-way through training."""
    import tensorflow as tf

    from digits.training import augmentation, clutter

    seed, half = tf.constant([recipe.seed, SEED]), tf.constant(0.5)
    images = _floats(digits)
    if recipe.distorts:
        amounts = augmentation.draw(recipe, len(digits), seed, half)
        images = augmentation.distort(images, amounts, recipe)
    spoilt = round(len(digits) * recipe.clutter)
    if spoilt:
        chances = tf.random.stateless_uniform((spoilt, clutter.CHANCES), -1 - seed)
        some = clutter.clutter(images[:spoilt], half, chances)
        images = tf.concat([some, images[spoilt:]], axis=0)
    return _bytes(images)


def _floats(digits: Bytes) -> Any:
    return digits[..., None].astype(np.float32)


def _bytes(images: Any) -> Bytes:
    pixels: NDArray[np.float32] = np.asarray(images)[..., 0]
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)
