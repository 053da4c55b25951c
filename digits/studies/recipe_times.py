"""How long each recipe trains on this machine, from a few steps of its training."""

import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from digits.bundle import STRIP_HEIGHT, STRIP_WIDTH
from digits.data.lines.drawing import MOST, Lines
from digits.data.mnist import Bytes
from digits.evaluation import CLASSES
from digits.runs.history import LineEpoch
from digits.runs.recipes import TRAINING_IMAGES, Recipe
from digits.training.epoch import Adam, compile_epoch
from digits.training.geometry import in_bytes
from digits.training.lines.training import BATCH, train_lines
from digits.training.networks import models

STEPS, TIMES = 8, 3  # steps that are timed at once, and how often
LINE_BATCHES = 4


@dataclass(frozen=True)
class Steps:
    """What training takes: before the first step, and for each image or line of an epoch, in
    seconds."""

    before: float
    each: float


def training_seconds(recipe: Recipe, digits: Bytes, cores: int) -> float:
    """About how long the epochs of a recipe take, validation and drawing not counted.

    `digits` are some of MNIST's, uint8 of shape (n, 28, 28); what they show does not matter.
    """
    drawn = recipe.variants + recipe.non_digits + recipe.pens
    images = TRAINING_IMAGES - recipe.held_out + drawn + recipe.font_digits + recipe.font_letters
    seconds = _sum(of_digits(recipe, digits, cores), images * recipe.epochs)
    if recipe.lines:
        seconds += _sum(of_lines(recipe, cores), recipe.lines * recipe.line_epochs)
    return seconds


def _sum(steps: Steps, images: int) -> float:
    return steps.before + images * steps.each


def of_digits(recipe: Recipe, digits: Bytes, cores: int) -> Steps:
    """What training the network for single digits takes."""
    model, optimizer = models.build(recipe), Adam(1e-4)
    optimizer.build(model.trainable_variables)
    views = tf.constant(in_bytes(models.parts(model).views, digits[..., None]))
    truth = tf.one_hot(np.arange(len(digits)) % CLASSES, models.OUTPUTS)
    stop, strategy = tf.Variable(False), tf.distribute.get_strategy()
    run_epoch = compile_epoch(recipe, model, optimizer, views, truth, stop, cores, strategy)
    order = np.arange(STEPS * recipe.batch, dtype=np.int32) % len(digits)
    half = tf.constant(recipe.epochs // 2)  # distortion is as strong as in the middle

    def timed() -> float:
        started = time.perf_counter()
        run_epoch(tf.constant(order.reshape(STEPS, -1)), half)[0].numpy()
        return time.perf_counter() - started

    first, later = timed(), statistics.median(timed() for _ in range(TIMES))
    return Steps(first - later, later / order.size)


def of_lines(recipe: Recipe, cores: int) -> Steps:
    """What training the network for lines takes, of which there are too few to learn from here."""
    count, rng = LINE_BATCHES * BATCH, np.random.default_rng(0)
    labels = np.full((count, MOST), -1, np.int32)
    labels[:, : MOST // 3] = rng.integers(CLASSES, size=(count, MOST // 3))
    strips = rng.integers(256, size=(count, STRIP_HEIGHT, STRIP_WIDTH), dtype=np.uint8)
    # Half of those that are drawn are about as narrow.
    widths = np.repeat(np.array([STRIP_WIDTH // 2, STRIP_WIDTH], np.int32), count // 2)
    lines = Lines(strips, labels, np.zeros((count, MOST), np.float32), widths)
    one = Lines(strips[:1], labels[:1], lines.columns[:1], widths[:1])
    seconds: list[float] = []

    def on_epoch(history: list[LineEpoch]) -> None:
        seconds.append(history[-1].seconds)

    with tempfile.TemporaryDirectory() as folder:
        short = replace(recipe, line_epochs=1 + TIMES)
        state = Path(folder) / "state.npz"
        train_lines(short, lines, one, state, cores, on_epoch, quiet=True)
    first, *others = seconds
    later = statistics.median(others)
    return Steps(first - later, later / count)
