"""(recipe, data) -> weights and history. Repeatable to the bit, resumable from its last epoch."""

import functools
import os
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import astuple
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
from digits.runs.recipes import Recipe
from digits.training import augmentation, clutter, models

Labels = NDArray[np.uint8] | NDArray[np.float16]

MOST_SHARDS = 8  # more would be slivers of a batch, each with its own part of the graph to trace


def use_cores() -> int:
    """Gives each core whole operations instead of parts of one, and returns how many cores.

    `train` splits each batch into that many shards. An operation on one thread adds its numbers in
    one order, so this also makes runs repeatable to the bit. Call it before TensorFlow's first
    operation.
    """
    able = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = min(able or 1, MOST_SHARDS)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(cores)
    return cores


def train(
    recipe: Recipe,
    training: tuple[Bytes, Labels],
    validation: tuple[Bytes, Bytes],
    state_file: Path,
    shards: int = 1,
    strategy: tf.distribute.Strategy | None = None,
    on_epoch: Callable[[list[Epoch]], None] = lambda history: None,
    show_progress: bool = False,
) -> tuple[keras.Model, list[Epoch]]:
    """Trains a network by Adam (Kingma & Ba 2015) under a one-cycle learning rate (Smith 2018).

    Args:
        recipe: everything that decides the result.
        training: images, uint8 of shape (n, 28, 28), and labels, uint8 of shape (n,), 0 to 9, or
            10 for what is no digit. Or else labels that are a teacher's probabilities, float16 of
            shape (n, 11), which are taken as they are, without label smoothing.
        validation: the same for held-out digits, labels 0 to 9; measured after each epoch,
            steering nothing.
        state_file: an `.npz` replaced after every epoch. If it exists, training goes on from it
            and ends with the very weights that it would have had without the interruption.
        shards: parts of a batch that are computed at the same time, best one a core.
        strategy: where to run; each of its replicas takes its share of every batch.
        on_epoch: called with the history so far after each epoch.
        show_progress: draw a progress bar on standard error.

    Returns:
        the network, as `models.build` makes it, and a line of history for each epoch.

    Raises:
        DigitsError: a batch that the data cannot fill or the replicas cannot share, or a state
            file that is broken or belongs to another recipe.
        Interrupted: Ctrl-C was pressed once; the state file holds the last finished epoch.
    """
    images, labels = training
    strategy = strategy or tf.distribute.get_strategy()
    _check_batch(recipe.batch, len(images), strategy.num_replicas_in_sync)
    steps = len(images) // recipe.batch

    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope():
        model = models.build(recipe)
        rate = OneCycle(recipe.learning_rate, recipe.warmup, steps * recipe.epochs)
        optimizer = Adam(rate)
        optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    history = _restore(state_file, variables)

    stop = tf.Variable(False)
    kind = tf.uint8 if labels.ndim == 1 else tf.float32  # of half the size, they provoke a warning
    digits = tf.constant(_views(model, images)), tf.constant(labels, kind)
    run_epoch = _compile_epoch(recipe, model, optimizer, digits, stop, shards, strategy)
    predict = models.predictor(model, shards)
    bar = tqdm(
        total=steps * recipe.epochs,
        initial=steps * len(history),
        disable=not show_progress,
        bar_format="{desc} {bar} {percentage:3.0f}% {elapsed}<{remaining}{postfix}",
    )
    with bar, _ctrl_c(lambda: stop.assign(True)):
        for epoch in range(len(history), recipe.epochs):
            bar.set_description_str(f"epoch {epoch + 1}/{recipe.epochs}")
            started = time.perf_counter()
            order = np.random.default_rng([recipe.seed, epoch]).permutation(len(images))
            order = tf.constant(order[: steps * recipe.batch].reshape(steps, -1), tf.int32)
            loss, accuracy, stopped = _in_thread(
                functools.partial(run_epoch, order, tf.constant(epoch)),
                meanwhile=lambda: bar.update(int(optimizer.iterations.numpy()) - bar.n),
            )
            if stopped:
                raise Interrupted(epoch)
            guesses = softmax(predict(validation[0])[:, :CLASSES])
            history.append(
                Epoch(
                    epoch=epoch + 1,
                    seconds=time.perf_counter() - started,
                    learning_rate=float(rate(optimizer.iterations.numpy())),
                    loss=float(loss),
                    accuracy=float(accuracy),
                    validation_loss=cross_entropy(validation[1], guesses),
                    validation_accuracy=float(np.mean(guesses.argmax(axis=1) == validation[1])),
                )
            )
            _save(state_file, variables, history)
            on_epoch(history)
            bar.set_postfix_str(
                f"loss {loss:.3f}, validation {history[-1].validation_accuracy:.2%}"
            )
    return model, history


class Adam(keras.optimizers.Adam):
    """Keras's (Kingma & Ba 2015), with the whole of a variable's step as one operation in place of
    some twenty, which is a twentieth of the training time of a small network.

    Gradients are added up over all replicas already: it does not do so again, which would double
    them and the traffic.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return grads_and_vars

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate that rises from a tenth of `peak` and falls to 0, both in a straight line."""

    def __init__(self, peak: float, warmup: float, steps: int) -> None:
        self.peak, self.warmup, self.steps = peak, warmup, steps

    def __call__(self, step: Any) -> tf.Tensor:
        """The rate at a step, 0 to `steps`."""
        done = tf.cast(step, tf.float32) / self.steps
        rising = 0.1 + 0.9 * done / max(self.warmup, 1e-9)
        falling = (1 - done) / (1 - self.warmup)
        return self.peak * tf.where(done < self.warmup, rising, falling)


def _compile_epoch(
    recipe: Recipe,
    model: keras.Model,
    optimizer: keras.Optimizer,
    digits: tuple[tf.Tensor, tf.Tensor],
    stop: tf.Variable,
    shards: int,
    strategy: tf.distribute.Strategy,
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """One graph for a whole epoch: (order, epoch) -> mean loss, accuracy, and whether it stopped.

    The data stay in memory as bytes. A step gathers its batch, distorts it, adds up the gradients
    of its shards, which the cores compute at the same time, and applies them. It ends early, on all
    replicas after the same step, when one of them is asked to `stop`.
    """
    replicas = strategy.num_replicas_in_sync
    shards = min(shards, recipe.batch // replicas)  # an empty shard has nothing to convolve
    cluttered = round(recipe.batch * recipe.clutter)
    as_moved = recipe.batch - round(recipe.batch * recipe.reframed)
    smoothing = tf.constant([recipe.label_smoothing / CLASSES] * CLASSES + [0.0])

    _, features_of, logits_of, features = models.parts(model)

    def shard_gradients(
        framed: int,
        left: tf.Tensor,
        chosen: tf.Tensor,
        amounts: tf.Tensor,
        chances: tf.Tensor,
        kept: tf.Tensor,
    ) -> list[tf.Tensor]:
        images, labels = (tf.gather(array, chosen) for array in digits)
        images = tf.cast(images, tf.float32)
        if recipe.distorts:
            images = augmentation.distort(images, amounts, recipe, framed)
        if len(chances):
            images, others = tf.split(images, [len(chances), len(images) - len(chances)])
            images = tf.concat([clutter.clutter(images, left, chances), others], axis=0)
        if labels.shape.rank == 2:
            truth = labels
            labels = tf.argmax(truth, axis=1, output_type=tf.int32)
        else:
            labels = tf.cast(labels, tf.int32)
            truth = tf.one_hot(labels, models.OUTPUTS) * (1 - recipe.label_smoothing) + smoothing
        with tf.GradientTape() as tape:
            seen = features_of(images, training=True)
            logits = logits_of(seen * tf.cast(kept, seen.dtype))
            # Each branch of the network learns by itself; a common loss would make them alike.
            wanted = tf.repeat(truth[:, None], logits.shape[1], axis=1)
            smoothed = tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
            smoothed /= recipe.batch
        logits = models.mean_of_branches(logits)
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        totals = tf.stack([loss, tf.reduce_sum(tf.cast(right, tf.float32))]) / recipe.batch
        return [totals, *tape.gradient(smoothed, model.trainable_variables)]

    def replica_step(left: tf.Tensor, *batch: tf.Tensor) -> tf.Tensor:
        # Dealt out like cards, so that who is early in the batch is early in the shard, and each
        # image gets the same treatment however many shards and replicas there are.
        context = tf.distribute.get_replica_context()
        replica = int(tf.get_static_value(context.replica_id_in_sync_group))
        deals = [
            slice(replica + shard * replicas, None, shards * replicas) for shard in range(shards)
        ]
        results = [
            shard_gradients(
                sum(place >= as_moved for place in range(recipe.batch)[deal]),
                left,
                *(whole[deal] for whole in batch),
            )
            for deal in deals
        ]
        totals, *gradients = (tf.add_n(of_shards) for of_shards in zip(*results, strict=True))
        # One message a step: whatever else replicas tell each other is in it, too.
        totals = tf.concat([totals, [tf.cast(stop, tf.float32)]], axis=0)
        totals, *gradients = context.all_reduce("sum", [totals, *gradients])
        optimizer.apply(gradients, model.trainable_variables)
        return totals

    @tf.function
    def run_epoch(order: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
        sums = tf.zeros(3)
        steps = tf.shape(order)[0]
        for step in tf.range(steps):
            seed = tf.stack([recipe.seed, epoch * steps + step])
            chances = tf.random.stateless_uniform((cluttered, clutter.CHANCES), -1 - seed)
            # Distortion grows milder and clutter rarer: training ends on nearly clean digits.
            left = 1 - tf.cast(seed[1] / (steps * recipe.epochs), tf.float32)
            amounts = augmentation.draw(recipe, recipe.batch, seed, left)
            # By position in the batch, so that they do not depend on who computes what.
            heads = tf.random.stateless_uniform((recipe.batch, features), [-1 - seed[0], seed[1]])
            kept = tf.cast(heads >= recipe.dropout, tf.float32) / (1 - recipe.dropout)
            totals = strategy.run(replica_step, args=(left, order[step], amounts, chances, kept))
            sums += strategy.experimental_local_results(totals)[0]
            if sums[2] > 0:
                break
        return sums / tf.cast(steps, tf.float32)

    return run_epoch


def _views(model: keras.Model, images: Bytes, batch: int = 1000) -> Bytes:
    """All that the network sees of each digit, uint8 of shape (n, 28, 28, views): made once, since
    it is the same in every epoch."""
    views_of, *_ = models.parts(model)
    batches = (
        views_of(images[at : at + batch, ..., None].astype(np.float32))
        for at in range(0, len(images), batch)
    )
    return np.concatenate([np.clip(np.round(of), 0, 255).astype(np.uint8) for of in batches])


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


def _save(state_file: Path, variables: list[keras.Variable], history: list[Epoch]) -> None:
    arrays = {f"variable_{i}": variable.numpy() for i, variable in enumerate(variables)}
    with replacing(state_file) as file:
        np.savez(file, history=np.array([astuple(line) for line in history]), **arrays)


def _restore(state_file: Path, variables: list[keras.Variable]) -> list[Epoch]:
    """Puts back what `_save` wrote and returns its history; an empty one when there is no file."""
    if not state_file.exists():
        return []
    try:
        with state_file.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            for i, variable in enumerate(variables):
                variable.assign(file[f"variable_{i}"])
            return [Epoch(int(number), *rest) for number, *rest in file["history"].tolist()]
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, TypeError) as error:
        raise DigitsError(
            f"{state_file} is damaged or of another recipe ({error}); start a new run."
        ) from None


def _in_thread(work: Callable[[], tf.Tensor], meanwhile: Callable[[], Any]) -> tf.Tensor:
    """Runs a graph in a second thread, so that this one can draw the bar and hear Ctrl-C."""
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(work)
        while not wait([result], timeout=0.1).done:
            meanwhile()
        meanwhile()
        return result.result()


@contextmanager
def _ctrl_c(stop: Callable[[], Any]) -> Iterator[None]:
    """Within the block, a first Ctrl-C calls `stop`; a second one interrupts."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return

    def handle(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
