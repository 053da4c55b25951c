"""What the workers of a run do together, from the first word to the last.

Every worker runs the loop of train.py on its share of each batch, under TensorFlow's
MultiWorkerMirroredStrategy. All end with the same weights, or with a sentence on who is gone.
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
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context  # there is no public name for what is needed of it

from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runs.history import Epoch
from digits.runs.recipes import Recipe
from digits.runs.workers import PATIENCE, TOGETHER, Team, named, responds
from digits.terminal import note, say
from digits.training import dataset
from digits.training.dataset import Labelled
from digits.training.train import train, use_cores

GRACE = 2  # seconds in which it shows which worker is gone


def follow(team: Team, recipe: Recipe | None, mnist: Mnist) -> None:
    """The part in training of a worker that does not lead; worker 0 keeps the results.

    Args:
        team: the workers, once they have met.
        recipe: what this worker was told to train; None for whatever worker 0 has.
        mnist: all of MNIST.

    Raises:
        DigitsError, Interrupted: as for `train_together`.
    """
    with tempfile.TemporaryDirectory() as folder:
        train_together(team, recipe, mnist, Path(folder) / "state.npz", use_cores())


def train_together(
    team: Team,
    recipe: Recipe | None,
    mnist: Mnist,
    state_file: Path,
    cores: int,
    on_epoch: Callable[[list[Epoch]], None] = lambda history: None,
    show_progress: bool = False,
) -> tuple[keras.Model, list[Epoch], Labelled]:
    """Trains on all workers, having made sure that they do the same.

    Args:
        team: the workers, once they have met.
        recipe: everything that decides the result; None for what worker 0 has.
        mnist: all of MNIST.
        state_file: as for `train`; worker 0's, if it exists, is copied to all others.
        cores, on_epoch, show_progress: as for `train`.

    Returns:
        the network and the history, as from `train`, and the validation digits.

    Raises:
        DigitsError: a worker has another recipe, program or digits than worker 0, or is gone.
        Interrupted: as for `train`, on all workers alike.
    """
    with _strategy(team) as strategy:
        recipe = _agree(team, strategy, recipe)
        training, validation = dataset.prepare(recipe, mnist)
        _align(team, strategy, training, state_file)
        model, history = train(
            recipe, training, validation, state_file, cores, strategy, on_epoch, show_progress
        )
        _compare(team, strategy, state_file)
    return model, history, validation


@contextmanager
def _strategy(team: Team) -> Iterator[tf.distribute.Strategy]:
    """What all workers compute under. Within the block, the loss of one is a DigitsError.

    A worker that dies shows at once, as its connections break; TensorFlow asks all others every
    half minute whether they live, so one that hangs or is cut off shows within a minute or so.
    """
    tf.get_logger().setLevel("CRITICAL")  # it has much to say, which is a sentence here
    # TensorFlow's newer service for this, which is the default, waits an hour for a worker that
    # died just now, hears no Ctrl-C meanwhile, and takes workers that are done for dead.
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
        raise DigitsError(_loss(team, error.message)) from None


@contextmanager
def _waiting(team: Team) -> Iterator[None]:
    """For calls that wait for all workers within TensorFlow, where Python hears nothing: Ctrl-C
    ends the process at once, and so does a worker that is not there in time."""

    def give_up() -> None:
        print(f"\n{_loss(team, f'no answer in {PATIENCE} seconds')}", file=sys.stderr, flush=True)
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
    """What each worker gives, in the order of the workers, on all of them."""
    with _waiting(team):
        lengths = strategy.gather(tf.constant([len(own)]), axis=0).numpy()
        content = tf.constant(np.frombuffer(own, np.uint8), tf.int32)  # the least that it sends
        content = strategy.gather(content, axis=0).numpy().astype(np.uint8)
    return [part.tobytes() for part in np.split(content, np.cumsum(lengths)[:-1])]


def _agree(team: Team, strategy: tf.distribute.Strategy, recipe: Recipe | None) -> Recipe:
    """Worker 0's recipe, when no worker was started with another one or has another program."""
    own = {"program": _program(), "recipe": recipe and asdict(recipe)}
    first, *others = (
        json.loads(told) for told in _exchange(team, strategy, json.dumps(own).encode())
    )
    for place, told in enumerate(others, 1):
        for what in ("program", "recipe"):
            if told[what] and told[what] != first[what]:
                raise DigitsError(
                    f"{named(team, [place])} has another {what} than worker 0: "
                    f"{_difference(told[what], first[what])}; make them the same."
                )
    return Recipe(**first["recipe"])


def _program() -> dict[str, str]:
    """The versions of everything that decides a result, of this package by its content."""

    sources = sorted(Path(__file__).parent.parent.rglob("*.py"))
    content = b"".join(source.read_bytes() for source in sources)
    return {
        "digits": hashlib.sha256(content).hexdigest()[:12],
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {one.get(name)} instead of {other.get(name)}"
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    )


def _align(
    team: Team, strategy: tf.distribute.Strategy, training: Labelled, state_file: Path
) -> None:
    """Makes sure that all have the same digits, and gives all the state that worker 0 has."""
    own = hashlib.sha256(b"".join(array.tobytes() for array in training)).digest()
    size = len(own)
    if team.index == 0 and state_file.exists():
        own += state_file.read_bytes()
    first, *others = _exchange(team, strategy, own)
    for place, digest in enumerate(others, 1):
        if digest != first[:size]:
            raise DigitsError(
                f"{named(team, [place])} drew other digits than worker 0 by the same recipe; "
                "install the same versions of all libraries."
            )
    if team.index and len(first) > size:
        state_file.write_bytes(first[size:])


def _compare(team: Team, strategy: tf.distribute.Strategy, state_file: Path) -> None:
    """Says the SHA-256 of the weights, and whether they are the same on all workers."""
    with np.load(state_file, allow_pickle=False) as file:
        arrays = [file[name].tobytes() for name in sorted(file) if name != "history"]
    digest = hashlib.sha256(b"".join(arrays)).hexdigest()
    digests = _exchange(team, strategy, digest.encode())
    say(f"Worker {team.index} is done, with weights {digest}.")
    other = [place for place, theirs in enumerate(digests) if theirs != digests[0]]
    if other:
        note(
            f"{named(team, other)} ended with other weights than worker 0, whose weights count; "
            "processors of different kinds may round differently."
        )


def _loss(team: Team, reason: str) -> str:
    """A sentence on who is gone, if that shows, or else on what TensorFlow says."""
    deadline = time.monotonic() + GRACE
    while not (gone := [place for place in team.others if not responds(team.addresses[place])]):
        if time.monotonic() > deadline:
            reason = reason.strip().partition("\n")[0]
            return f"The workers lost touch with each other ({reason}); {TOGETHER}."
        time.sleep(0.1)
    return f"{named(team, gone)} stopped; what is finished is saved: {TOGETHER}."
