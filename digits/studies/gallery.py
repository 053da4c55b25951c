"""What each augmentation does to digits, row by row: `digits show augment`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits.data.mnist import Bytes
from digits.runs.recipes import Recipe

if TYPE_CHECKING:
    from digits.reporting.plots import AugmentationRow

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
    "clutter": 0.4,
}
# Columns that show light, two kinds of noise, lines, a negative band, blur and outline in turn;
# clutter.py says which number stands for which.
WAYS_TO_CLUTTER = (0.05, 0.2, 0.3, 0.4, 0.55, 0.75, 0.9, 0.1, 0.45, 0.6)


def draw(recipe: Recipe, digits: Bytes) -> list[AugmentationRow]:
    """What each augmentation alone does at its strongest, and all of the recipe together.

    Args:
        recipe: gives the amounts; where it has 0, `SHOWN` does.
        digits: uint8 of shape (10, 28, 28), ink 255 on 0.
    """
    from digits.reporting.plots import AugmentationRow

    shown = replace(recipe, **{name: getattr(recipe, name) or SHOWN[name] for name in SHOWN})
    off: dict[str, Any] = dict.fromkeys(SHOWN, 0)
    nothing = replace(recipe, **off)
    rows = [AugmentationRow("as they are", "MNIST's own digits", True, digits)]
    for field, (name, amount) in in_words(shown).items():
        if field == "clutter":
            images = _cluttered(digits)
        else:
            images = _strongest(replace(nothing, **{field: getattr(shown, field)}), digits)
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
        "clutter": ("clutter", share(recipe.clutter)),
    }


def _strongest(recipe: Recipe, digits: Bytes) -> Bytes:
    """All amounts at their maximum, to one side and the other in turn, every image mirrored."""
    import tensorflow as tf

    from digits.training import augmentation as aug

    random = np.random.default_rng(SEED)
    chances = random.random((len(digits), aug.ALL_CHANCES), np.float32)
    column = np.arange(len(digits))
    one, other = column % 2, (column + column // 2) % 2
    chances[:, aug.STRENGTH] = 1
    chances[:, aug.WAYS] = np.stack([one, one, other, one, one, other, one], axis=1)
    chances[:, aug.MIDDLE] = 0.3 + 0.4 * chances[:, aug.MIDDLE]  # cut out where there is ink
    everyone = replace(
        recipe,
        horizontal_flip=float(recipe.horizontal_flip > 0),
        vertical_flip=float(recipe.vertical_flip > 0),
    )
    amounts = aug.amounts_of(everyone, tf.constant(chances), tf.constant(0.5))
    return _bytes(aug.distort(_floats(digits), amounts, everyone))


def _cluttered(digits: Bytes) -> Bytes:
    import tensorflow as tf

    from digits.training import clutter

    chances = np.random.default_rng(SEED).random((len(digits), clutter.CHANCES), np.float32)
    chances[:, 0] = 0.6  # the strength: at 1 a person cannot read them
    chances[:, 9] = WAYS_TO_CLUTTER
    return _bytes(clutter.clutter(_floats(digits), tf.constant(1.0), tf.constant(chances)))


def _trained(recipe: Recipe, digits: Bytes) -> Bytes:
    """The digits as a batch of them looks half-way through training."""
    import tensorflow as tf

    from digits.training import augmentation

    half = tf.constant(0.5)
    numbers = augmentation.draw(recipe, len(digits), tf.constant([recipe.seed, SEED]), half)
    return _bytes(augmentation.augment(_floats(digits), *numbers, recipe, half))


def _floats(digits: Bytes) -> Any:
    return digits[..., None].astype(np.float32)


def _bytes(images: Any) -> Bytes:
    pixels: NDArray[np.float32] = np.asarray(images)[..., 0]
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)
