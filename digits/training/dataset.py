"""What a recipe trains on: MNIST's digits, digits drawn in other handwriting styles, non-digits."""

import numpy as np

from digits.data.mnist import Bytes, Mnist, split
from digits.data.non_digits import LABEL, draw_non_digits
from digits.data.variants import draw_variants
from digits.runs.recipes import Recipe
from digits.training.geometry import frame_all

# Images, uint8 of shape (n, 28, 28), and labels, uint8 of shape (n,).
Labelled = tuple[Bytes, Bytes]


def prepare(recipe: Recipe, mnist: Mnist) -> tuple[Labelled, Labelled]:
    """The training set, with what is drawn for it, and the digits held out for validation."""
    training, validation = split(mnist.train_images, mnist.train_labels, recipe.held_out)
    return with_drawn(recipe, *training), validation


def with_drawn(recipe: Recipe, images: Bytes, labels: Bytes) -> Labelled:
    """Adds drawn digits and non-digits to training digits, all in MNIST's frame.

    Non-digits have the label 10.
    """
    canvases, drawn_labels = draw_variants(recipe.variants, images, labels, recipe.seed)
    strange = non_digits(recipe.non_digits, images, labels, recipe.seed)
    return (
        np.concatenate([images, frame_all(canvases), strange]),
        np.concatenate([labels, drawn_labels, np.full(len(strange), LABEL, np.uint8)]),
    )


def non_digits(count: int, images: Bytes, labels: Bytes, seed: int) -> Bytes:
    """Non-digits in MNIST's frame, uint8 of shape (count, 28, 28); see `draw_non_digits`."""
    return frame_all(draw_non_digits(count, images, labels, seed))
