"""Training on several workers: what each of them does, from the first exchange to the last.

Every worker runs the loop of train.py on its share of each batch, under TensorFlow's
MultiWorkerMirroredStrategy. All end with the same weights, or say which worker was lost.
"""

import hashlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context  # not public, but needed in `_strategy`

from digits.data.mnist import Dataset
from digits.errors import DigitsError
from digits.runs.history import Epoch
from digits.runs.recipes import Recipe
from digits.runs.workers import PATIENCE, RESTART, Team, describe, responds
from digits.terminal import note, say
from digits.training import dataset
from digits.training.dataset import Labelled
from digits.training.train import train, use_cores

GRACE = 2  # seconds after which a lost worker no longer responds
PACKAGE = Path(__file__).parent.parent


def follow(team: Team, recipe: Recipe | None, data: Dataset) -> None:
    """`train_together` for the workers other than worker 0, which keeps the results."""
    with tempfile.TemporaryDirectory() as folder:
        train_together(team, recipe, data, Path(folder) / "state.npz", use_cores())


def train_together(
    team: Team,
    recipe: Recipe | None,
    data: Dataset,
    state_file: Path,
    cores: int,
    on_epoch: Callable[[list[Epoch]], None] = lambda history: None,
) -> tuple[keras.Model, list[Epoch], Labelled]:
    """Trains on all workers, after making sure that they do the same.

    Args:
        team: the workers, after `workers.meet`.
        recipe: everything that decides the result; None for the recipe of worker 0.
        data: what to train on, and to measure on once.
        state_file: as for `train`; if worker 0's exists, it is copied to all others.
        cores, on_epoch: as for `train`.

    Returns:
        the network and the history, as from `train`, and the validation digits.

    Raises:
        DigitsError: a worker has another recipe, program or digits than worker 0, or is lost.
        Interrupted: as for `train`, on all workers.
    """
    with _strategy(team) as strategy:
        recipe = _agree(team, strategy, recipe)
        training, validation = dataset.prepare(recipe, data)
        _align(team, strategy, training, state_file)
        quiet = team.index > 0
        model, history = train(
            recipe, training, validation, state_file, cores, on_epoch, quiet, strategy
        )
        _compare(team, strategy, state_file)
    return model, history, validation


@contextmanager
def _strategy(team: Team) -> Iterator[tf.distribute.Strategy]:
    """TensorFlow's strategy for all workers; within the block, the loss of one is a DigitsError.

    The others notice at once that a worker died, because its connections break. TensorFlow checks
    every half minute that all workers respond, so they notice within about a minute that one hangs
    or is cut off.
    """
    tf.get_logger().setLevel("CRITICAL")  # instead of its many lines there is one sentence
    # TensorFlow's newer coordination service, its default, waits an hour for a worker that has just
    # died, ignores Ctrl-C meanwhile, and takes workers that have finished for dead.
    context.context().configure_coordination_service(service_type="")
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(team.addresses)}),
        task_type="worker",
        task_id=team.index,
        rpc_layer="grpc",
    )
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=tf.distribute.experimental.CommunicationImplementation.RING
    )
    try:
        with _waiting(team):
            strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver, options)
        yield strategy
    except tf.errors.OpError as error:
        raise DigitsError(_lost(team, error.message)) from None


@contextmanager
def _waiting(team: Team) -> Iterator[None]:
    """For calls that wait for all workers inside TensorFlow, where Python handles no signals:
    Ctrl-C ends the process at once, and so does a wait of `PATIENCE` seconds."""

    def give_up() -> None:
        print(f"\n{_lost(team, f'no answer in {PATIENCE} seconds')}", file=sys.stderr, flush=True)
        os._exit(2)

    timer = threading.Timer(PATIENCE, give_up)
    timer.daemon = True
    timer.start()
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


def _exchange(team: Team, strategy: tf.distribute.Strategy, own: bytes) -> list[bytes]:
    """Sends bytes to all workers; returns those of each worker, in the order of the team."""
    with _waiting(team):
        lengths = strategy.gather(tf.constant([len(own)]), axis=0).numpy()
        content = tf.constant(np.frombuffer(own, np.uint8), tf.int32)  # the smallest type it sends
        content = strategy.gather(content, axis=0).numpy().astype(np.uint8)
    return [part.tobytes() for part in np.split(content, np.cumsum(lengths)[:-1])]


def _agree(team: Team, strategy: tf.distribute.Strategy, recipe: Recipe | None) -> Recipe:
    """Worker 0's recipe, after checking that all workers have the same program and recipe."""
    own = {"program": _program(), "recipe": recipe and asdict(recipe)}
    first, *others = map(json.loads, _exchange(team, strategy, json.dumps(own).encode()))
    for index, other in enumerate(others, 1):
        for what in ("program", "recipe"):
            different = [
                f"{name} {value} instead of {first[what].get(name)}"
                for name, value in (other[what] or {}).items()
                if value != first[what].get(name)
            ]
            if different:
                raise DigitsError(
                    f"{describe(team, [index])} has another {what} than worker 0: "
                    f"{', '.join(different)}; make them the same."
                )
    return Recipe(**first["recipe"])


def _program(package: Path = PACKAGE) -> dict[str, str]:
    """The versions of everything that decides a result; for this package, a digest of its files."""
    sources = sorted(path for path in package.rglob("*") if path.suffix in (".py", ".txt"))
    code = b"".join(source.read_bytes() for source in sources)
    return {
        "digits": hashlib.sha256(code).hexdigest()[:12],
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }


def _align(
    team: Team, strategy: tf.distribute.Strategy, training: Labelled, state_file: Path
) -> None:
    """Checks that all workers have the same digits, and copies worker 0's state to the others."""
    own = hashlib.sha256(b"".join(array.tobytes() for array in training)).digest()
    size = len(own)
    if team.index == 0 and state_file.exists():
        own += state_file.read_bytes()
    first, *others = _exchange(team, strategy, own)
    for index, digest in enumerate(others, 1):
        if digest != first[:size]:
            raise DigitsError(
                f"{describe(team, [index])} has other digits than worker 0, of its data or drawn "
                "from the same recipe; give it the same --data and versions of all libraries."
            )
    if team.index and len(first) > size:
        state_file.write_bytes(first[size:])


def _compare(team: Team, strategy: tf.distribute.Strategy, state_file: Path) -> None:
    """Prints the SHA-256 of the weights, and a note if they are not the same on all workers."""
    with np.load(state_file, allow_pickle=False) as file:
        arrays = [file[name].tobytes() for name in sorted(file) if name != "history"]
    digest = hashlib.sha256(b"".join(arrays)).hexdigest()
    digests = _exchange(team, strategy, digest.encode())
    say(f"Worker {team.index} is done, with weights {digest}.")
    different = [index for index, theirs in enumerate(digests) if theirs != digests[0]]
    if different:
        note(
            f"{describe(team, different)} ended with other weights than worker 0, whose weights "
            "are kept; processors of different kinds may round differently."
        )


def _lost(team: Team, reason: str) -> str:
    """A sentence about the workers that no longer respond, or else about TensorFlow's reason."""
    deadline = time.monotonic() + GRACE
    while not (lost := [index for index in team.others if not responds(team.addresses[index])]):
        if time.monotonic() > deadline:
            reason = reason.strip().partition("\n")[0]
            return f"The workers lost touch with each other ({reason}); {RESTART}."
        time.sleep(0.1)
    return f"{describe(team, lost)} stopped; what is finished is saved: {RESTART}."
