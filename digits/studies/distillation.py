"""An ensemble -> one network that answers as it does.

Distillation (Hinton, Vinyals & Dean 2015) as function matching (Beyer et al. 2022): the student is
trained on the teacher's probabilities for exactly the images that it sees, distortion included, and
for longer than the members were. The members are too slow to run in every training step, so they
read a few distorted copies of the training digits once, and their answers are kept.
"""

import sys
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
from digits.runs.recipes import AUGMENTATIONS, Recipe
from digits.training import augmentation

VIEWS = 8  # distorted copies of each digit
LONGER = 2  # the student's training steps, as a multiple of a member's
DISTORTED, READ = 1000, 5000  # images distorted at once, and read by the teacher at once

Targets = NDArray[np.float16]
Teacher = Callable[[Bytes], Mapping[str, NDArray[np.float32]]]


def student_of(recipe: Recipe) -> Recipe:
    """The student's recipe: a member's, for longer, on copies that are distorted already."""
    epochs = max(1, round(LONGER * recipe.epochs / views_of(recipe)))
    undistorted: dict[str, Any] = dict.fromkeys(AUGMENTATIONS, 0)
    return replace(recipe, epochs=epochs, label_smoothing=0, **undistorted)


def views_of(recipe: Recipe) -> int:
    """How many copies of each training digit the student sees: one if all would look the same."""
    return VIEWS if recipe.distorts or recipe.clutter else 1


def lessons(recipe: Recipe, images: Bytes, teacher: Teacher, folder: Path) -> tuple[Bytes, Targets]:
    """What the student is trained on: images, and the teacher's probabilities for them.

    Args:
        recipe: the members', which gives the distortion and the seed.
        images: training digits and non-digits, uint8 of shape (n, 28, 28).
        teacher: as from `models.predictor` of a finished network.
        folder: keeps the teacher's answers to each copy of the images, so that a resumed
            distillation does not compute them again.

    Returns:
        images, uint8 of shape (views · n, 28, 28), and targets, float16 of shape (views · n, 11):
        the probabilities of the ten digits, and of a non-digit.
    """
    views, on_screen = views_of(recipe), sys.stderr.isatty()
    shown = np.empty((views, *images.shape), np.uint8)
    answers = []
    for number in range(views):
        shown[number] = view(recipe, images, number)
        kept = folder / f"answers-{number}.npy"
        if not kept.exists():
            parts = np.split(shown[number], range(READ, len(images), READ))
            bar = tqdm(parts, f"copy {number + 1} of {views}", disable=not on_screen, leave=False)
            read = np.concatenate([targets(teacher(part)) for part in bar])
            with replacing(kept) as file:
                np.save(file, read, allow_pickle=False)
            if not on_screen:
                print(f"copy {number + 1} of {views}: read by the members", flush=True)
        answers.append(np.load(kept, allow_pickle=False))
    return shown.reshape(-1, *images.shape[1:]), np.concatenate(answers)


def view(recipe: Recipe, images: Bytes, number: int) -> Bytes:
    """One distorted copy of each image, uint8 of shape (n, 28, 28).

    The first copy is distorted as at the beginning of training, the last one as at its end. The
    same recipe and number give the same copy.
    """
    left = tf.constant(1 - number / max(views_of(recipe) - 1, 1), tf.float32)
    order = np.random.default_rng([recipe.seed, number]).permutation(len(images))
    copy = np.empty_like(images)
    for start in range(0, len(images), DISTORTED):
        chosen = order[start : start + DISTORTED]
        seed = tf.constant([recipe.seed, number * len(images) + start])
        pictures = tf.cast(images[chosen, :, :, None], tf.float32)
        numbers = augmentation.draw(recipe, len(chosen), seed, left)
        pictures = augmentation.augment(pictures, *numbers, recipe, left)[..., 0]
        copy[chosen] = np.clip(np.round(pictures), 0, 255).astype(np.uint8)
    return copy


def targets(answers: Mapping[str, NDArray[np.float32]]) -> Targets:
    """Probabilities of the ten digits and of a non-digit, float16 of shape (n, 11), from the
    outputs `probabilities` and `is_digit` of a finished network."""
    digit = answers["is_digit"][:, None]
    return np.hstack([digit * answers["probabilities"], 1 - digit]).astype(np.float16)
