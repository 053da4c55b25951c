"""(drawn lines) -> the weights of the network for lines; repeatable to the bit, and resumable."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits.bundle import STRIP_WIDTH
from digits.data.lines.drawing import Lines
from digits.data.mnist import Bytes
from digits.runs.history import LineEpoch
from digits.runs.recipes import Recipe
from digits.training import augmentation
from digits.training.epoch import Adam, OneCycle
from digits.training.lines import network
from digits.training.lines.network import BLANK, STEP, STEPS
from digits.training.networks.size import mflop
from digits.training.train import Order, restore, run_epochs, save

BATCH = 64
LEARNING_RATE = 0.003
WARMUP = 0.1  # fraction of all steps
STEEPEST = 5.0  # norm of a gradient
CHANCES = 9  # random numbers that a strip takes


@dataclass(frozen=True)
class TrainedLines:
    """A finished network for lines, validation strips, uint8 of shape (n, 32, 192), and what is
    known of it."""

    model: keras.Model
    strips: Bytes
    metrics: dict[str, Any]


def train_lines(
    recipe: Recipe,
    training: Lines,
    validation: Lines,
    state_file: Path,
    shards: int,
    on_epoch: Callable[[list[LineEpoch]], None] = lambda history: None,
    quiet: bool = False,
) -> TrainedLines:
    """Trains the network for lines, by connectionist temporal classification (Graves et al. 2006).

    In the first half it is also told in which step the middle of each character is, which the loss
    alone takes long to find. Short lines are learnt in narrow strips, for which the network, which
    is convolutional, takes a part of the time.

    Args:
        recipe: gives epochs, precision and seed.
        training, validation: drawn lines; the second are read after each epoch and decide nothing.
        state_file: an `.npz` that is replaced after every epoch; if it exists, training resumes.
        shards: parts of a batch that are computed at the same time.
        on_epoch: called with the history so far after each epoch.
        quiet: draw no progress bar.

    Raises:
        DigitsError: the state file is broken.
        Interrupted: Ctrl-C was pressed once; the state file holds the last finished epoch.
    """
    seed, epochs = recipe.seed, recipe.line_epochs
    keras.utils.set_random_seed(seed)
    model = network.build(recipe.precision)
    steps = len(training.strips) // BATCH
    rate = OneCycle(LEARNING_RATE, WARMUP, steps * epochs)
    optimizer = Adam(rate)
    optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    history = [LineEpoch(int(number), *rest) for number, *rest in restore(state_file, variables)]
    stop = tf.Variable(False)
    strips, labels = tf.constant(training.strips), tf.constant(training.labels)
    places = tf.constant(_places(training))
    models = {int(width): network.at(model, int(width)) for width in np.unique(training.widths)}

    def shard_gradients(
        width: int, chosen: tf.Tensor, chances: tf.Tensor, left: tf.Tensor
    ) -> list[tf.Tensor]:
        wanted, beside = tf.gather(labels, chosen), (STRIP_WIDTH - width) // 2
        pictures = tf.gather(strips, chosen)[:, :, beside : beside + width, None]
        pictures = tf.cast(pictures, tf.float32)
        moves = moves_of(chances, left)
        pictures = augment(pictures, moves, chances, left)
        at = tf.where(wanted >= 0)
        text = tf.SparseTensor(at, tf.gather_nd(wanted, at), tf.shape(wanted, tf.int64))
        lengths = tf.fill([tf.shape(chosen)[0]], width // STEP)
        with tf.GradientTape() as tape:
            logits = models[width](pictures, training=True)
            losses = tf.nn.ctc_loss(text, logits, None, lengths, False, blank_index=BLANK)
            loss = tf.reduce_sum(losses) / BATCH
            middle = slice(beside // STEP, (beside + width) // STEP)
            there = moved_places(tf.gather(places, chosen)[:, middle], moves)
            guide = tf.nn.sparse_softmax_cross_entropy_with_logits(there, logits)
            guided = loss + tf.nn.relu(2 * left - 1) * tf.reduce_sum(guide) / BATCH
        return [loss, *tape.gradient(guided, model.trainable_variables)]

    def step_at(width: int) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
        def run_step(chosen: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
            left = 1 - tf.cast(numbers[1] / (steps * epochs), tf.float32)
            chances = tf.random.stateless_uniform((BATCH, CHANCES), numbers)
            results = [
                shard_gradients(width, chosen[shard::shards], chances[shard::shards], left)
                for shard in range(shards)
            ]
            loss, *gradients = (tf.add_n(of_shards) for of_shards in zip(*results, strict=True))
            gradients, _ = tf.clip_by_global_norm(gradients, STEEPEST)
            optimizer.apply(gradients, model.trainable_variables)
            return loss

        return tf.function(run_step, autograph=False)  # it branches on no tensor

    steps_at = {width: step_at(width) for width in models}

    def run_epoch(order: tf.Tensor, epoch: tf.Tensor) -> tuple[float, bool]:
        losses = []
        for step, width in enumerate(training.widths[order.numpy()].max(axis=1).tolist()):
            losses.append(steps_at[width](order[step], tf.stack([seed, epoch * steps + step])))
            if stop:
                break
        return float(tf.add_n(losses)) / steps, bool(stop)

    epochs_left, order_of = range(len(history), epochs), partial(_batches, training.widths, seed)
    for epoch, started, (loss, _), bar in run_epochs(
        "line epoch", epochs_left, run_epoch, steps, order_of, optimizer, stop, quiet
    ):
        read = network.read(model, validation.strips)
        right = float(np.mean([a == b for a, b in zip(read, validation.texts, strict=True)]))
        history.append(LineEpoch(epoch + 1, time.perf_counter() - started, float(loss), right))
        save(state_file, variables, history)
        bar.set_postfix_str(f"loss {loss:.3f}, validation {right:.2%}")
        on_epoch(history)
    finished = network.finish(model)
    metrics = {
        "validation_right": history[-1].validation_right,
        "parameters": finished.count_params(),
        "mflop": float(mflop(finished)),
        "train_seconds": sum(epoch.seconds for epoch in history),
    }
    return TrainedLines(finished, validation.strips, metrics)


def moves_of(chances: tf.Tensor, left: tf.Tensor) -> tf.Tensor:
    """How far each strip is turned, stretched, slanted and shifted, for `augmentation.move`.

    Args:
        chances: uniform from 0 to 1, float32 of shape (n, CHANCES).
        left: the fraction of the training that is left.
    """
    most = [math.radians(2), 0.08, 0.08, 0.35, 3.0, 2.0]
    ways = (2 * chances[:, 1:7] - 1) * (0.5 + 0.5 * left)
    return tf.constant([0.0, 1.0, 1.0, 0.0, 0.0, 0.0]) + ways * most


def augment(strips: tf.Tensor, moves: tf.Tensor, chances: tf.Tensor, left: tf.Tensor) -> tf.Tensor:
    """Changes the pen of each strip, moves it, blurs some, and fades them.

    `strips` are float32 of shape (n, 32, 192, 1), `moves` from `moves_of` with the same `chances`
    and `left`.
    """
    # Strokes are some two pixels wide: thinner by one on each side, they would be gone.
    pen = (1.2 * chances[:, 0] - 0.6) * (0.5 + 0.5 * left)
    strips = augmentation.with_pen(strips, pen)
    strips = augmentation.move(strips, moves)
    blurred = (chances[:, 7] < 0.2)[:, None, None, None]
    strips = tf.where(blurred, tf.nn.avg_pool2d(strips, 3, 1, "SAME"), strips)
    return strips * (1 - 0.5 * chances[:, 8] ** 2)[:, None, None, None]


def moved_places(places: tf.Tensor, moves: tf.Tensor) -> tf.Tensor:
    """What the middle of stands in each step once a strip is stretched and shifted, int32 of shape
    (n, steps); `places` are of the strip as it was drawn."""
    wider, right, last = moves[:, 1:2], moves[:, 4:5] / STEP, places.shape[1] - 1
    middle = last / 2
    step = (tf.range(last + 1, dtype=tf.float32) - middle - right) / wider + middle
    before = tf.clip_by_value(tf.cast(tf.round(step), tf.int32), 0, last)
    return tf.cast(tf.gather(places, before, batch_dims=1), tf.int32)


def _batches(widths: NDArray[np.int32], seed: int, epoch: int) -> Order:
    """The lines in random order, in batches of lines that have one width; those of a width that
    fill no batch are among the next wider ones."""
    rng = np.random.default_rng([seed, epoch])
    order, batches = rng.permutation(len(widths)), []
    left = order[:0]
    for width in np.unique(widths):
        own = np.concatenate([left, order[widths[order] == width]])
        end = len(own) // BATCH * BATCH
        batches.append(own[:end].reshape(-1, BATCH))
        left = own[end:]
    return rng.permutation(np.concatenate(batches))


def _places(lines: Lines) -> np.ndarray:
    """What the middle of stands in each step, uint8 of shape (n, 96), or the blank."""
    places = np.full((len(lines.strips), STEPS), BLANK, np.uint8)
    steps = np.clip(lines.columns // STEP, 0, STEPS - 1).astype(np.int64)
    line, character = np.nonzero(lines.labels >= 0)
    places[line, steps[line, character]] = lines.labels[line, character]
    return places
