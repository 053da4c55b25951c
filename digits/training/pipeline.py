"""The whole chain on one screen: data -> train -> calibrate -> test once -> report -> bundle."""

import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits.data import mnist as data
from digits.data import non_digits, variants
from digits.evaluation import (
    CLASSES,
    cross_entropy,
    evaluate,
    fit_temperature,
    threshold_accepting,
)
from digits.runs.history import Epoch, write_csv, write_events
from digits.runs.recipes import Recipe
from digits.runs.run import write_json
from digits.runs.workers import Team
from digits.training import distributed, plots, report
from digits.training.export import export, manifest_of
from digits.training.models import finish, mflop, predictor
from digits.training.train import Labels, train, use_cores

LIBRARIES = ("tensorflow", "keras", "numpy", "sklearn", "matplotlib", "seaborn")
ACCEPTED = 0.99  # of the validation digits, at the threshold below which a reading is refused


@dataclass(frozen=True)
class Trained:
    """A network as it is kept, and what was settled on the validation digits.

    Attributes:
        model: from `models.finish`.
        read: images -> its outputs, as `models.predictor`.
        history: of its training.
        temperature: that its logits are divided by.
        calibrated_loss: on the validation digits, with the temperature; cross-entropy in nats.
        threshold: that `is_digit` must reach for a reading to be accepted, 0 to 1.
    """

    model: keras.Model
    read: Callable[[data.Bytes], Any]
    history: list[Epoch]
    temperature: float
    calibrated_loss: float
    threshold: float


def run(
    recipe: Recipe, folder: Path, mnist: data.Mnist, started: float, team: Team | None = None
) -> None:
    """Trains a recipe, opens the test set once, and leaves everything about it in a folder.

    Args:
        recipe: everything that decides the result.
        folder: from `runs.create`, or that of an unfinished run, which is gone on with.
        mnist: all of MNIST.
        started: `time.monotonic()` when the command began, for `total_seconds`.
        team: the workers to train with, who have met; this is worker 0.

    Raises:
        DigitsError, Interrupted: as `train`, or `distributed.share`.
    """
    cores = use_cores()
    if team is None:
        trained = learn(recipe, *prepare(recipe, mnist), folder, cores)
        more = {}
    else:
        trained = distributed.share(
            team,
            recipe,
            lambda recipe: prepare(recipe, mnist),
            folder / "state.npz",
            lambda recipe, training, validation, strategy: learn(
                recipe, training, validation, folder, cores, strategy
            ),
        )
        more = {"workers": len(team.addresses)}
    conclude(trained, recipe, folder, mnist, cores, started, more)


def prepare(recipe: Recipe, mnist: data.Mnist) -> tuple[distributed.Digits, distributed.Digits]:
    """What a recipe trains on, with what is drawn for it, and what it is validated on."""
    training, validation = data.split(mnist.train_images, mnist.train_labels, recipe.held_out)
    return with_drawn(recipe, *training), validation


def learn(
    recipe: Recipe,
    training: tuple[data.Bytes, Labels],
    validation: tuple[data.Bytes, data.Bytes],
    folder: Path,
    cores: int,
    strategy: tf.distribute.Strategy | None = None,
) -> Trained:
    """Trains a network and settles on the validation digits what training does not.

    Args:
        recipe, training, validation: as `train`.
        folder: gets the state, the history and the events; with a state in it, training goes on.
        cores: parts of a batch that are computed at the same time.
        strategy: as `train`.

    Raises:
        DigitsError, Interrupted: as `train`.
    """
    with tf.summary.create_file_writer(str(folder)).as_default():
        model, history = train(
            recipe,
            training,
            validation,
            folder / "state.npz",
            shards=cores,
            strategy=strategy,
            on_epoch=lambda history: _record(history, folder),
            show_progress=sys.stderr.isatty(),
        )
    images, labels = validation
    temperature = fit_temperature(labels, predictor(model, cores)(images)[:, :CLASSES])
    model = finish(model, temperature)
    read = predictor(model, cores)
    answers = read(images)
    calibrated_loss = cross_entropy(labels, answers["probabilities"])
    threshold = threshold_accepting(ACCEPTED, answers["is_digit"])
    return Trained(model, read, history, temperature, calibrated_loss, threshold)


def conclude(
    trained: Trained,
    recipe: Recipe,
    folder: Path,
    mnist: data.Mnist,
    cores: int,
    started: float,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Measures a network on the test digits and leaves report, bundle and metrics in a folder.

    Args:
        trained, recipe, folder, mnist, cores, started: as in `run`.
        more: what metrics.json is to hold besides.

    Raises:
        DigitsError: as `export`.
    """
    model, read, history = trained.model, trained.read, trained.history
    model.save(folder / "model.keras")
    _, (images, labels) = data.split(mnist.train_images, mnist.train_labels, recipe.held_out)
    strange = non_digits.make(1000, images, labels, recipe.seed + 1)

    # The one place where the test set is opened, once everything is decided.
    answers = read(mnist.test_images)
    test = evaluate(mnist.test_labels, answers["probabilities"])

    plots.training_curves(history, trained.calibrated_loss, folder / "training.png")
    plots.confusion_matrix(test, folder / "confusion.png")
    plots.examples(mnist.test_images, test, folder / "examples.png")
    plots.mistakes(mnist.test_images, test, folder / "mistakes.png")
    plots.reliability(test, folder / "reliability.png")

    metrics = {
        **report.metrics_of(test),
        "parameters": model.count_params(),
        "mflop": mflop(model),
        "temperature": trained.temperature,
        "threshold": trained.threshold,
        "test_accepted": float(np.mean(answers["is_digit"] >= trained.threshold)),
        "non_digits_accepted": float(np.mean(read(strange)["is_digit"] >= trained.threshold)),
        "validation_accuracy": history[-1].validation_accuracy,
        "train_seconds": sum(epoch.seconds for epoch in history),
        "total_seconds": time.monotonic() - started,
        "peak_memory_mb": _peak_memory_mb(),
        "seed": recipe.seed,
        "recipe": asdict(recipe),
        "data_source": mnist.source,
        "cores": cores,
        "versions": _versions(),
        **(more or {}),
    }
    text = report.as_text(test, metrics)
    print(text, end="")
    (folder / "report.txt").write_text(text)
    report.write_html(folder, test, metrics)
    export(model, folder / "bundle", images, manifest_of(metrics))
    write_events(history, folder / "events.jsonl", result=metrics)
    write_json(folder / "metrics.json", metrics)  # last: it marks the run as finished


def with_drawn(
    recipe: Recipe, images: data.Bytes, labels: data.Bytes
) -> tuple[data.Bytes, data.Bytes]:
    """The training digits, other hands' digits, and what is no digit."""
    drawn, drawn_labels = variants.make(recipe.variants, images, labels, recipe.seed)
    strange = non_digits.make(recipe.non_digits, images, labels, recipe.seed)
    strange_labels = np.full(len(strange), non_digits.LABEL, np.uint8)
    return (
        np.concatenate([images, drawn, strange]),
        np.concatenate([labels, drawn_labels, strange_labels]),
    )


def _record(history: list[Epoch], folder: Path) -> None:
    """Keeps the history as a table, as JSON lines and, of its newest epoch, for TensorBoard."""
    write_csv(history, folder / "history.csv")
    write_events(history, folder / "events.jsonl")
    last = history[-1]
    if not sys.stderr.isatty():  # a log gets a line where a screen has the bar
        print(f"epoch {last.epoch}: validation {last.validation_accuracy:.2%}", flush=True)
    newest = asdict(last)
    epoch = newest.pop("epoch")
    for name, value in newest.items():
        tf.summary.scalar(name, value, step=epoch)


def _versions() -> dict[str, str]:
    libraries = {name: import_module(name).__version__ for name in LIBRARIES}
    return {"python": platform.python_version(), **libraries}


def _peak_memory_mb() -> float | None:
    """Peak resident memory of this process in MiB; None on Windows, which does not tell so."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `getrusage` counts the process that started this one, too
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS: in bytes
