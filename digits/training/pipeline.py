"""The whole chain: data -> training -> calibration -> one test -> report -> bundle."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import tensorflow as tf

from digits.data.mnist import Bytes, Dataset, split
from digits.reporting import plots, report
from digits.runs.history import Epoch, LineEpoch, write_history
from digits.runs.run import Run, write_json
from digits.runs.workers import Team
from digits.training import dataset, distributed
from digits.training.calibration import Trained, calibrate
from digits.training.dataset import Labelled
from digits.training.exporting.export import export, manifest_of
from digits.training.lines.training import TrainedLines, train_lines
from digits.training.measurement import measure
from digits.training.networks.size import layer_table
from digits.training.train import Labels, train, use_cores

CHECKED = 1000  # lines of validation digits that are read after each epoch


def train_and_report(run: Run, data: Dataset, started: float, team: Team | None = None) -> None:
    """Trains a recipe, opens the test set once, and leaves everything about it in a folder.

    Args:
        run: a new run, or an unfinished one, which is resumed.
        data: what to train on, and to measure on once.
        started: `time.monotonic()` when the command began.
        team: the workers to train with, once they have met; this is worker 0.

    Raises:
        DigitsError, Interrupted: as for `train`, `train_together` and `export`.
    """
    cores, done = use_cores(), len(run.history())
    if team is None:
        trained = fit(run, *dataset.prepare(run.recipe, data), cores)
    else:
        on_epoch = _recorder(run.folder)
        together = distributed.train_together(team, run.recipe, data, run.state, cores, on_epoch)
        trained = calibrate(*together, cores)
    lines = fit_lines(run, data, cores) if run.recipe.lines else None
    more = {"workers": len(team.addresses)} if team else {}
    if done:  # then the epochs took longer than this command
        more["resumed_after"] = done
    finish(trained, run, data, started, more, lines)


def fit(run: Run, training: tuple[Bytes, Labels], validation: Labelled, cores: int) -> Trained:
    """Trains a network as `train` does, then calibrates it on the validation digits.

    The run's folder gets state, history and events; with a state in it, training is resumed.
    """
    on_epoch = _recorder(run.folder)
    model, history = train(run.recipe, training, validation, run.state, cores, on_epoch)
    return calibrate(model, history, validation, cores)


def fit_lines(run: Run, data: Dataset, cores: int) -> TrainedLines:
    """Trains the network for lines on lines of training digits; with a state in the run's folder,
    training is resumed."""
    recipe = run.recipe
    parts = split(data.train_images, data.train_labels, recipe.held_out)
    training, validation = (
        dataset.lines_of(recipe, *part, count, number)
        for number, (part, count) in enumerate(zip(parts, (recipe.lines, CHECKED), strict=True))
    )

    def on_epoch(history: list[LineEpoch]) -> None:
        last = history[-1]
        if not sys.stderr.isatty():
            print(f"line epoch {last.epoch}: validation {last.validation_right:.2%}", flush=True)

    return train_lines(recipe, training, validation, run.line_state, cores, on_epoch)


def finish(
    trained: Trained,
    run: Run,
    data: Dataset,
    started: float,
    more: Mapping[str, Any],
    lines: TrainedLines | None = None,
) -> None:
    """Opens the test set, once everything is decided, and leaves figures, report, bundle and
    metrics in the run's folder; `more` is what metrics.json is to hold besides, and `lines` the
    network for lines, if there is one. Raises DigitsError as `export` does."""
    if not data.digits:  # nothing was learnt that could be refused
        trained = replace(trained, threshold=0.0)
    trained.model.save(run.network)
    test, metrics = measure(trained, run.recipe, data)
    plots.training_curves(trained.history, trained.calibrated_loss, run.folder / "training.png")
    plots.confusion_matrix(test, run.folder / "confusion.png")
    plots.examples(data.test_images, test, run.folder / "examples.png")
    plots.mistakes(data.test_images, test, run.folder / "mistakes.png")
    plots.reliability(test, run.folder / "reliability.png")
    # Only now: the figures above take their time, too.
    if lines:
        metrics["lines"] = lines.metrics
    metrics |= {**more, "total_seconds": time.monotonic() - started}
    text = report.as_text(test, metrics)
    print(text, end="")
    (run.folder / "report.txt").write_text(text)
    manifest, layers = manifest_of(metrics), layer_table(trained.model)
    report.write_html(run.folder, data.test_images, test, metrics, manifest, layers)
    of_lines = (lines.model, lines.strips) if lines else None
    export(trained.model, run.bundle, trained.validation[0], manifest, of_lines, canvas=data.digits)
    write_history(trained.history, run.folder, metrics)
    write_json(run.folder / "metrics.json", metrics)  # last: it marks the run as finished


def _recorder(folder: Path) -> Callable[[list[Epoch]], None]:
    """A function that keeps the history as a table, as JSON lines and for TensorBoard."""
    # Opened with the first epoch: workers must set up their strategy before any operation.
    writer = cache(lambda: tf.summary.create_file_writer(str(folder)))

    def record(history: list[Epoch]) -> None:
        write_history(history, folder)
        last = history[-1]
        if not sys.stderr.isatty():  # a log gets a line where a screen has the bar
            print(f"epoch {last.epoch}: validation {last.validation_accuracy:.2%}", flush=True)
        with writer().as_default():
            for name, value in asdict(last).items():
                if name != "epoch":
                    tf.summary.scalar(name, value, step=last.epoch)

    return record
