"""What each augmentation does to digits, row by row: `digits show augment`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from digits.data.mnist import Bytes
from digits.runs.recipes import AUGMENTATIONS, Recipe

if TYPE_CHECKING:
    from digits.reporting.plots import AugmentationRow

SEED = 5  # of what is drawn at random
# Columns that show light, two kinds of noise, lines, a negative band, blur and outline in turn;
# clutter.py says which number stands for which.
WAYS_TO_CLUTTER = (0.05, 0.2, 0.3, 0.4, 0.55, 0.75, 0.9, 0.1, 0.45, 0.6)


def draw(recipe: Recipe, digits: Bytes, what: str = "MNIST's own digits") -> list[AugmentationRow]:
    """What each augmentation alone does at its strongest, and what the whole recipe does, to
    images, uint8 of shape (10, 28, 28), ink 255 on 0, which are called `what`.

    Amounts that are 0 in the recipe are from `AUGMENTATIONS`.
    """
    import tensorflow as tf

    from digits.reporting.plots import AugmentationRow
    from digits.training import augmentation

    pictures = digits[..., None].astype(np.float32)
    amounts = {name: getattr(recipe, name) or usual for name, usual in AUGMENTATIONS.items()}
    rows = [AugmentationRow("unchanged", what, True, digits)]
    for field, (name, amount) in in_words(replace(recipe, **amounts)).items():
        alone = replace(recipe, **dict.fromkeys(AUGMENTATIONS, 0) | {field: amounts[field]})
        images = _cluttered(pictures) if field == "clutter" else _strongest(alone, pictures)
        rows.append(AugmentationRow(name, amount, bool(getattr(recipe, field)), _bytes(images)))
    half = tf.constant(0.5)  # of the training is left
    numbers = augmentation.draw(recipe, len(digits), tf.constant([recipe.seed, SEED]), half)
    images = _bytes(augmentation.augment(pictures, *numbers, recipe, half))
    how = "drawn at random, as in training"
    return [*rows, AugmentationRow("the whole recipe", how, True, images)]


def in_words(recipe: Recipe) -> dict[str, tuple[str, str]]:
    """The name of each field that is an augmentation, and how much of it the recipe has."""

    def share(fraction: float) -> str:
        return f"{100 * fraction:.3g}% of the images"

    return {
        "rotation": ("rotation", f"{recipe.rotation:g}° either way"),
        "scaling": ("scaling", f"width, height ±{100 * recipe.scaling:.3g}%"),
        "shift": ("shift", f"{recipe.shift:g} pixels each way"),
        "shear": ("shear", f"{recipe.shear:g} pixels sideways per pixel up"),
        "elastic": ("elastic", f"{recipe.elastic:g} pixels each way"),
        "pen": ("stroke width", f"±{recipe.pen:g} pixels a side"),
        "cutout": ("cutout", f"a square of {recipe.cutout} pixels"),
        "horizontal_flip": ("horizontal flip", share(recipe.horizontal_flip)),
        "vertical_flip": ("vertical flip", share(recipe.vertical_flip)),
        "clutter": ("clutter", share(recipe.clutter)),
    }


def _strongest(recipe: Recipe, pictures: Any) -> Any:
    """All amounts at their maximum, to one side and the other in turn, every image mirrored."""
    import tensorflow as tf

    from digits.training import augmentation as aug

    chances = np.random.default_rng(SEED).random((len(pictures), aug.ALL_CHANCES), np.float32)
    column = np.arange(len(pictures))
    one, other = column % 2, (column + column // 2) % 2
    chances[:, aug.STRENGTH] = 1
    chances[:, aug.WAYS] = np.stack([one, one, other, one, one, other, one], axis=1)
    chances[:, aug.MIRRORED] = 0  # below any share of images to mirror
    chances[:, aug.MIDDLE] = 0.3 + 0.4 * chances[:, aug.MIDDLE]  # cut out where there is ink
    amounts = aug.amounts_of(recipe, tf.constant(chances), tf.constant(0.5))
    return aug.distort(pictures, amounts, recipe)


def _cluttered(pictures: Any) -> Any:
    """Each picture cluttered in another way."""
    import tensorflow as tf

    from digits.training import clutter

    chances = np.random.default_rng(SEED).random((len(pictures), clutter.CHANCES), np.float32)
    chances[:, 0] = 0.6  # the strength: at 1 a person cannot read them
    chances[:, 9] = WAYS_TO_CLUTTER
    return clutter.clutter(pictures, tf.constant(1.0), tf.constant(chances))


def _bytes(pictures: Any) -> Bytes:
    pixels: Bytes = np.clip(np.round(pictures[..., 0]), 0, 255).astype(np.uint8)
    return pixels
