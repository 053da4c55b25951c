"""(recipe, data) -> weights and history; repeatable to the bit, and resumable."""

import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import astuple
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tqdm import tqdm

from digits.data.mnist import Bytes
from digits.errors import DigitsError, Interrupted
from digits.evaluation import CLASSES, cross_entropy, softmax
from digits.files import replacing
from digits.runs.history import Epoch
from digits.runs.processes import usable_cores
from digits.runs.recipes import Recipe
from digits.terminal import note
from digits.training.epoch import Adam, OneCycle, compile_epoch
from digits.training.geometry import in_bytes
from digits.training.networks import models

Labels = NDArray[np.uint8] | NDArray[np.float16]
Order = NDArray[np.int64]  # the numbers of the examples in each batch, shape (steps, batch)

MOST_SHARDS = 8  # more would be slivers of a batch, each with its own part of the graph to trace


def use_cores() -> int:
    """Gives each core whole operations instead of parts of one, and returns how many cores.

    `train` splits each batch into that many shards. An operation on one thread adds its numbers in
    a fixed order, so runs are repeatable to the bit on the same number of cores. That is so only
    before TensorFlow's first operation: later, as in a notebook, its threads stay as they are.
    """
    cores = min(len(usable_cores()) or os.cpu_count() or 1, MOST_SHARDS)
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(cores)
    except RuntimeError:
        _note_once(
            "TensorFlow has computed in this process before, so its threads stay as they are, and "
            "this run cannot be repeated to the bit; restart Python to have it so."
        )
    return cores


_note_once = cache(note)


def train(
    recipe: Recipe,
    training: tuple[Bytes, Labels],
    validation: tuple[Bytes, Bytes],
    state_file: Path,
    shards: int = 1,
    on_epoch: Callable[[list[Epoch]], None] = lambda history: None,
    quiet: bool = False,
    strategy: tf.distribute.Strategy | None = None,
) -> tuple[keras.Model, list[Epoch]]:
    """Trains a network by Adam (Kingma & Ba 2015) under a one-cycle learning rate (Smith 2018).

    Args:
        recipe: everything that decides the result.
        training: images, uint8 of shape (n, 28, 28), and labels, uint8 of shape (n,), 0 to 9, or
            10 for non-digits. Labels may also be a teacher's probabilities, float16 of shape
            (n, 11); they are not smoothed.
        validation: the same for held-out digits, labels 0 to 9. They are measured after each epoch
            and decide nothing.
        state_file: an `.npz` that is replaced after every epoch. If it exists, training resumes
            from it and ends with the same weights as without the interruption. Its folder also has
            the copy of the file of the user's own network.
        shards: parts of a batch that are computed at the same time, ideally one for each core.
        on_epoch: called with the history so far after each epoch.
        quiet: draw no progress bar; otherwise there is one if standard error is a terminal.
        strategy: where to run; each of its replicas takes its share of every batch.

    Returns:
        the network, as from `models.build`, and the history of all epochs.

    Raises:
        DigitsError: a batch that the data cannot fill or the replicas cannot share, a state file
            that is broken or belongs to another recipe, or a network of the user's own whose file
            is not the one that the recipe names, or whose code fails.
        Interrupted: Ctrl-C was pressed once; the state file holds the last finished epoch.
    """
    images, labels = training
    strategy = strategy or tf.distribute.get_strategy()
    _check_batch(recipe.batch, len(images), strategy.num_replicas_in_sync)
    steps = len(images) // recipe.batch

    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope():
        model = models.build(recipe, state_file.parent)
        rate = OneCycle(recipe.learning_rate, recipe.warmup, steps * recipe.epochs)
        optimizer = Adam(rate)
        optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    history = [Epoch(int(number), *rest) for number, *rest in restore(state_file, variables)]

    stop = tf.Variable(False)
    # Every view of each digit, shape (n, 28, 28, views), is computed once for all epochs.
    views = tf.constant(in_bytes(models.parts(model).views, images[..., None]))
    truth = _truth(labels, recipe.label_smoothing, model.output_shape[-1])
    run_epoch = compile_epoch(recipe, model, optimizer, views, truth, stop, shards, strategy)
    predict = models.predictor(model, shards)
    epochs = range(len(history), recipe.epochs)

    def order_of(epoch: int) -> Order:
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(images))
        return order[: steps * recipe.batch].reshape(steps, -1)

    for epoch, started, totals, bar in run_epochs(
        "epoch", epochs, run_epoch, steps, order_of, optimizer, stop, quiet
    ):
        loss, accuracy, _ = totals
        guesses = softmax(predict(validation[0])[:, :CLASSES])
        newest = Epoch(
            epoch=epoch + 1,
            seconds=time.perf_counter() - started,
            learning_rate=float(rate(optimizer.iterations.numpy())),
            loss=float(loss),
            accuracy=float(accuracy),
            validation_loss=cross_entropy(validation[1], guesses),
            validation_accuracy=float(np.mean(guesses.argmax(axis=1) == validation[1])),
        )
        history.append(newest)
        save(state_file, variables, history)
        on_epoch(history)
        bar.set_postfix_str(f"loss {loss:.3f}, validation {newest.validation_accuracy:.2%}")
    return model, history


def run_epochs(
    name: str,
    epochs: range,
    run_epoch: Callable[[tf.Tensor, tf.Tensor], Any],
    steps: int,
    order_of: Callable[[int], Order],
    optimizer: keras.Optimizer,
    stop: tf.Variable,
    quiet: bool,
) -> Iterator[tuple[int, float, Any, tqdm]]:
    """Runs epochs one after another, with a bar, until Ctrl-C is pressed.

    Args:
        name: what the bar calls an epoch.
        epochs: those that are left.
        run_epoch: (order, epoch) -> totals, the last of which is not 0 if it was stopped.
        steps: of an epoch.
        order_of: gives the examples of each batch in an epoch, of shape (steps, batch).
        optimizer: counts the steps.
        stop: set to True on Ctrl-C.
        quiet: draw no bar.

    Yields:
        the epoch's number, `time.perf_counter()` when it began, its totals, and the bar.

    Raises:
        Interrupted: Ctrl-C was pressed once.
    """
    bar = tqdm(
        total=steps * epochs.stop,
        initial=steps * epochs.start,
        disable=quiet or None,
        bar_format="{desc} {bar} {percentage:3.0f}% {elapsed}<{remaining}{postfix}",
    )
    # The graph runs in a second thread, so that this one can draw the bar and receive Ctrl-C.
    with bar, _ctrl_c(lambda: stop.assign(True)), ThreadPoolExecutor(1) as pool:
        for epoch in epochs:
            bar.set_description_str(f"{name} {epoch + 1}/{epochs.stop}")
            started = time.perf_counter()
            order = tf.constant(order_of(epoch), tf.int32)
            totals = pool.submit(run_epoch, order, tf.constant(epoch))
            while not wait([totals], timeout=0.1).done:
                bar.update(int(optimizer.iterations.numpy()) - bar.n)
            if totals.result()[-1]:
                raise Interrupted(epoch)
            bar.update(steps * (epoch + 1) - bar.n)
            yield epoch, started, totals.result(), bar


def _truth(labels: Labels, smoothing: float, classes: int) -> tf.Tensor:
    """The probability of each class, float32 of shape (n, 11), highest for the class of the label,
    since no recipe smooths more than 0.9; of shape (n, 10) if the network has no more classes."""
    if labels.ndim == 2:
        truth = tf.constant(labels, tf.float32)
    else:
        smoothed = tf.constant([smoothing / CLASSES] * CLASSES + [0.0])
        truth = tf.one_hot(labels, models.OUTPUTS) * (1 - smoothing) + smoothed
    if classes == models.OUTPUTS:
        return truth
    return tf.math.divide_no_nan(truth[:, :classes], tf.reduce_sum(truth[:, :classes], 1, True))


def _check_batch(batch: int, images: int, replicas: int) -> None:
    if batch > images:
        raise DigitsError(
            f"A batch of {batch:,} is more than the {images:,} training images; "
            "choose a smaller --batch."
        )
    if batch % replicas:
        raise DigitsError(
            f"A batch of {batch} does not divide among {replicas} replicas; choose one that does."
        )


def save(state_file: Path, variables: list[keras.Variable], history: Sequence[Any]) -> None:
    """Keeps all variables and the history, dataclasses of numbers, whole or not at all."""
    arrays = {f"variable_{i}": variable.numpy() for i, variable in enumerate(variables)}
    with replacing(state_file) as file:
        np.savez(file, history=np.array([astuple(line) for line in history]), **arrays)


def restore(state_file: Path, variables: list[keras.Variable]) -> list[list[float]]:
    """Restores what `save` wrote and returns the numbers of its history; none without a file.

    Raises:
        DigitsError: the file is damaged, or of other variables.
    """
    if not state_file.exists():
        return []
    try:
        with state_file.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            for i, variable in enumerate(variables):
                variable.assign(file[f"variable_{i}"])
            return file["history"].tolist()
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, TypeError) as error:
        raise DigitsError(
            f"{state_file} is damaged or of another recipe ({error}); start a new run."
        ) from None


@contextmanager
def _ctrl_c(stop: Callable[[], Any]) -> Iterator[None]:
    """Within the block, a first Ctrl-C calls `stop`; a second one interrupts."""

    def handle(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
