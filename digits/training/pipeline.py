"""The whole chain: data -> training -> calibration -> one test -> report -> bundle."""

import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits.data.mnist import Bytes, Mnist
from digits.evaluation import (
    CLASSES,
    Evaluation,
    cross_entropy,
    evaluate,
    fit_temperature,
    threshold_accepting,
)
from digits.runs.history import Epoch, write_csv, write_events
from digits.runs.run import Run, write_json
from digits.runs.workers import Team
from digits.training import dataset, distributed, plots, report
from digits.training.dataset import Labelled
from digits.training.export import export, manifest_of
from digits.training.models import finish, layer_table, mflop, predictor
from digits.training.train import Labels, train, use_cores

LIBRARIES = ("tensorflow", "keras", "numpy", "sklearn", "matplotlib", "seaborn")
ACCEPTED = 0.99  # of the validation digits, at the threshold below which a reading is refused
NON_DIGITS = 1000  # on which refusal is measured


@dataclass(frozen=True)
class Trained:
    """A finished network, and what was settled on the validation digits.

    Attributes:
        model: from `models.finish`.
        read: images -> its outputs, as `models.predictor`.
        history: of its training.
        validation: the held-out digits.
        temperature: that its logits are divided by.
        calibrated_loss: on the validation digits, with the temperature; cross-entropy in nats.
        threshold: that `is_digit` must reach for a reading to be accepted, 0 to 1.
    """

    model: keras.Model
    read: Callable[[Bytes], Any]
    history: list[Epoch]
    validation: Labelled
    temperature: float
    calibrated_loss: float
    threshold: float


def train_and_report(run: Run, mnist: Mnist, started: float, team: Team | None = None) -> None:
    """Trains a recipe, opens the test set once, and leaves everything about it in a folder.

    Args:
        run: a new run, or an unfinished one, which is resumed.
        mnist: all of MNIST.
        started: `time.monotonic()` when the command began, for `total_seconds`.
        team: the workers to train with, once they have met; this is worker 0.

    Raises:
        DigitsError, Interrupted: as for `train`, or a worker is gone.
    """
    cores = use_cores()
    if team is None:
        trained = fit(run, *dataset.prepare(run.recipe, mnist), cores)
    else:
        with _recorder(run.folder) as on_epoch:
            model, history, validation = distributed.train_together(
                team, run.recipe, mnist, run.state, cores, on_epoch, sys.stderr.isatty()
            )
        trained = calibrate(model, history, validation, cores)
    workers = {"workers": len(team.addresses)} if team else {}
    measure_and_export(trained, run, mnist, cores, started, workers)


def fit(run: Run, training: tuple[Bytes, Labels], validation: Labelled, cores: int) -> Trained:
    """Trains a network, then calibrates it on the validation digits.

    Args:
        run: its folder gets the state, the history and the events; with a state in it, training
            is resumed.
        training, validation: as for `train`.
        cores: parts of a batch that are computed at the same time.

    Raises:
        DigitsError, Interrupted: as for `train`.
    """
    with _recorder(run.folder) as on_epoch:
        model, history = train(
            run.recipe,
            training,
            validation,
            run.state,
            shards=cores,
            on_epoch=on_epoch,
            show_progress=sys.stderr.isatty(),
        )
    return calibrate(model, history, validation, cores)


def calibrate(
    model: keras.Model, history: list[Epoch], validation: Labelled, cores: int
) -> Trained:
    """Settles the temperature and the threshold of acceptance on the validation digits."""
    images, labels = validation
    temperature = fit_temperature(labels, predictor(model, cores)(images)[:, :CLASSES])
    model = finish(model, temperature)
    read = predictor(model, cores)
    answers = read(images)
    calibrated_loss = cross_entropy(labels, answers["probabilities"])
    threshold = threshold_accepting(ACCEPTED, answers["is_digit"])
    return Trained(model, read, history, validation, temperature, calibrated_loss, threshold)


def measure_and_export(
    trained: Trained,
    run: Run,
    mnist: Mnist,
    cores: int,
    started: float,
    more: Mapping[str, Any],
) -> None:
    """Measures a network on the test digits and leaves report, bundle and metrics in a folder.

    Args:
        trained, run, mnist, cores, started: as above.
        more: what metrics.json is to hold besides.

    Raises:
        DigitsError: as for `export`.
    """
    trained.model.save(run.network)
    # The one place where the test set is opened, once everything is decided.
    answers = trained.read(mnist.test_images)
    test = evaluate(mnist.test_labels, answers["probabilities"])
    _draw_figures(trained, test, mnist.test_images, run.folder)
    metrics = {
        **report.metrics_of(test),
        "parameters": trained.model.count_params(),
        "mflop": mflop(trained.model),
        "temperature": trained.temperature,
        "threshold": trained.threshold,
        "test_accepted": float(np.mean(answers["is_digit"] >= trained.threshold)),
        "non_digits_accepted": _non_digits_accepted(trained, run.recipe.seed),
        "validation_accuracy": trained.history[-1].validation_accuracy,
        "train_seconds": sum(epoch.seconds for epoch in trained.history),
        "total_seconds": time.monotonic() - started,
        "peak_memory_mb": _peak_memory_mb(),
        "seed": run.recipe.seed,
        "recipe": asdict(run.recipe),
        "data_source": mnist.source,
        "cores": cores,
        "versions": _versions(),
        **more,
    }
    text = report.as_text(test, metrics)
    print(text, end="")
    (run.folder / "report.txt").write_text(text)
    manifest, layers = manifest_of(metrics), layer_table(trained.model)
    report.write_html(run.folder, mnist.test_images, test, metrics, manifest, layers)
    export(trained.model, run.bundle, trained.validation[0], manifest)
    write_events(trained.history, run.folder / "events.jsonl", result=metrics)
    write_json(run.folder / "metrics.json", metrics)  # last: it marks the run as finished


def _draw_figures(trained: Trained, test: Evaluation, images: Bytes, folder: Path) -> None:
    plots.training_curves(trained.history, trained.calibrated_loss, folder / "training.png")
    plots.confusion_matrix(test, folder / "confusion.png")
    plots.examples(images, test, folder / "examples.png")
    plots.mistakes(images, test, folder / "mistakes.png")
    plots.reliability(test, folder / "reliability.png")


def _non_digits_accepted(trained: Trained, seed: int) -> float:
    """The share that the network accepts of non-digits that it was not trained on."""
    strange = dataset.non_digits(NON_DIGITS, *trained.validation, seed + 1)
    return float(np.mean(trained.read(strange)["is_digit"] >= trained.threshold))


@contextmanager
def _recorder(folder: Path) -> Iterator[Callable[[list[Epoch]], None]]:
    """Gives a function that keeps the history as a table, as JSON lines and for TensorBoard."""
    with tf.summary.create_file_writer(str(folder)).as_default():
        yield lambda history: _record(history, folder)


def _record(history: list[Epoch], folder: Path) -> None:
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
    """Peak resident memory of this process in MiB; None on Windows, which does not report it."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `getrusage` counts the process that started this one, too
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS: in bytes
