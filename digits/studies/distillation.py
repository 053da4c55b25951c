"""An ensemble -> one network that answers as it does.

Distillation (Hinton, Vinyals & Dean 2015) as matching of functions (Beyer et al. 2022): the student
is trained on the teacher's probabilities for the very pictures that it sees, distorted as they are,
and for longer than the members were. Ten networks are too slow to be asked in every step. So they
are asked once about some distorted copies of the training digits, and their answers are kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tqdm import tqdm

from digits.data.mnist import Bytes
from digits.files import replacing
from digits.runs.recipes import Recipe
from digits.training import augmentation
from digits.training.models import OUTPUTS

VIEWS = 8  # distorted copies of each digit
LONGER = 2  # as many steps as a member's training, times this
BATCH = 1000  # images distorted at once
ASKED = 5000  # and asked about at once
UNDISTORTED: dict[str, Any] = {
    "rotation": 0,
    "scaling": 0,
    "shear": 0,
    "shift": 0,
    "pen": 0,
    "elastic": 0,
    "cutout": 0,
    "horizontal_flip": 0,
    "vertical_flip": 0,
    "clutter": 0,
}

Targets = NDArray[np.float16]
Teacher = Callable[[Bytes], Mapping[str, NDArray[np.float32]]]


def student_of(recipe: Recipe) -> Recipe:
    """How the student is trained: as a member, on views that are distorted already, and longer."""
    epochs = max(1, round(LONGER * recipe.epochs / views_of(recipe)))
    return replace(recipe, epochs=epochs, label_smoothing=0, **UNDISTORTED)


def views_of(recipe: Recipe) -> int:
    """How many copies of the training digits there are to learn from: one if all look the same."""
    return VIEWS if recipe.distorts or recipe.clutter else 1


def lessons(
    recipe: Recipe, images: Bytes, teacher: Teacher, folder: Path, show_progress: bool = False
) -> tuple[Bytes, Targets]:
    """Pictures to learn from, and what the teacher says of them.

    Args:
        recipe: the members', which says how pictures are distorted, and the seed.
        images: training digits and what is none, uint8 of shape (n, 28, 28).
        teacher: as `models.predictor` of a finished network.
        folder: keeps the answers to each view, so that they are asked for once.
        show_progress: draw a progress bar on standard error.

    Returns:
        images, uint8 of shape (views · n, 28, 28), and probabilities, float16 of shape
        (views · n, 11), of the ten digits and of being none.
    """
    views = views_of(recipe)
    shown = np.empty((views, *images.shape), np.uint8)
    answers = np.empty((views, len(images), OUTPUTS), np.float16)
    bar = tqdm(total=views * len(images), unit=" images", disable=not show_progress, leave=False)
    bar.set_description_str("asking the members")
    with bar:
        for number in range(views):
            shown[number] = view(recipe, images, number)
            kept = folder / f"answers-{number}.npy"
            if not kept.exists():
                for at in range(0, len(images), ASKED):
                    part = shown[number, at : at + ASKED]
                    answers[number, at : at + ASKED] = targets(teacher(part))
                    bar.update(len(part))
                with replacing(kept) as file:
                    np.save(file, answers[number], allow_pickle=False)
                if not show_progress:
                    print(f"view {number + 1} of {views}: asked", flush=True)
            answers[number] = np.load(kept, allow_pickle=False)
            bar.update(len(images) * (number + 1) - bar.n)
    return shown.reshape(-1, *images.shape[1:]), answers.reshape(-1, OUTPUTS)


def view(recipe: Recipe, images: Bytes, number: int) -> Bytes:
    """One distorted copy of each image, uint8 of shape (n, 28, 28).

    The first copy is distorted as at the beginning of training, the last one as at its end. The
    same recipe and number give the same copy.
    """
    left = 1 - number / max(views_of(recipe) - 1, 1)
    order = np.random.default_rng([recipe.seed, number]).permutation(len(images))
    copy = np.empty_like(images)
    for start in range(0, len(images), BATCH):
        chosen = order[start : start + BATCH]
        seed = tf.constant([recipe.seed, number * len(images) + start])
        copy[chosen] = _augmented(recipe, images[chosen], seed, tf.constant(left, tf.float32))
    return copy


def targets(answers: Mapping[str, NDArray[np.float32]]) -> Targets:
    """Probabilities of ten digits and of being none, float16 of shape (n, 11), from the outputs
    `probabilities` and `is_digit` of a finished network."""
    digit = answers["is_digit"][:, None]
    return np.hstack([digit * answers["probabilities"], 1 - digit]).astype(np.float16)


def _augmented(recipe: Recipe, images: Bytes, seed: tf.Tensor, left: tf.Tensor) -> Bytes:
    pictures = tf.cast(images[..., None], tf.float32)
    numbers = augmentation.draw(recipe, len(images), seed, left)
    pictures = augmentation.augment(pictures, *numbers, recipe, left)
    return np.clip(np.round(pictures[..., 0].numpy()), 0, 255).astype(np.uint8)
