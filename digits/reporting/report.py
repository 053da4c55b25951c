"""Results -> the text on the terminal and report.html."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from digits.data.mnist import Bytes
from digits.evaluation import CLASSES, Evaluation
from digits.files import replacing
from digits.reporting.pages import render
from digits.runs.recipes import Recipe
from digits.terminal import table

PICTURED = 200  # mistakes on the page; mistakes.png has all


def metrics_of(test: Evaluation) -> dict[str, Any]:
    """The figures of an evaluation, as in metrics.json."""
    return {
        "test_accuracy": test.accuracy,
        "test_accuracy_interval": list(test.accuracy_interval),
        "test_errors": test.errors,
        "test_loss": test.loss,
        "ece": test.ece,
        "precision": test.precision.tolist(),
        "recall": test.recall.tolist(),
        "f1": test.f1.tolist(),
        "confusion_matrix": test.confusion.tolist(),
    }


def as_text(test: Evaluation, metrics: dict[str, Any]) -> str:
    """The report for the terminal and report.txt."""
    ensemble = ensemble_text(metrics["ensemble"]) if "ensemble" in metrics else ""
    after = metrics.get("resumed_after")
    resumed = f", which resumed the run after epoch {after}," if after else ""
    return f"""{ensemble}
{test.as_text()}
{metrics["parameters"]:,} parameters. The epochs took {metrics["train_seconds"]:.0f} s on \
{metrics["cores"]} cores, this command{resumed} {metrics["total_seconds"]:.0f} s.
"""


def ensemble_text(ensemble: Mapping[str, Any]) -> str:
    """The part of `as_text` on an ensemble: its mean, the distilled network, and each member."""
    head, *rows = _ensemble_rows(ensemble)
    lines = [*table(head, rows), "", *textwrap.wrap(ensemble["bundled"], 80)]
    return "\n" + "\n".join(lines) + "\n"


def _ensemble_rows(ensemble: Mapping[str, Any]) -> list[tuple[str, ...]]:
    members = ensemble["members"]
    named = {f"mean of {len(members)} networks": ensemble["mean"], "distilled": ensemble["student"]}
    named |= {f"member, seed {member['seed']}": member for member in members}
    columns = {
        "validation": ("validation_accuracy", ".2%"),
        "val. loss": ("validation_loss", ".4f"),
        "test": ("test_accuracy", ".2%"),
        "test loss": ("test_loss", ".4f"),
        "ECE": ("ece", ".2%"),
    }
    rows = [
        (name, *(format(of[key], form) for key, form in columns.values()))
        for name, of in named.items()
    ]
    return [("network", *columns), *rows]


def write_html(
    folder: Path,
    images: Bytes,
    test: Evaluation,
    metrics: Mapping[str, Any],
    manifest: Mapping[str, Any],
    layers: Sequence[tuple[str, str, int]],
) -> None:
    """Writes `report.html`, one file that holds its figures, into the folder of a run.

    `images` are the test digits, uint8 of shape (n, 28, 28), ink 255 on 0, and `test` is their
    evaluation. `metrics` is the content of metrics.json, `manifest` is from `export.manifest_of`,
    and `layers` from `models.layer_table`. Raises OSError if training.png or reliability.png is
    missing, or the folder cannot be written.
    """
    own_network = bool(metrics["recipe"].get("network_sha256"))
    own = metrics.get("own_data")
    digits = own is None or own["digits"]
    total = ("total", "", metrics["parameters"])
    page = render(
        "report.html",
        folder=folder,
        images=images,
        test=test,
        metrics=metrics,
        manifest=manifest,
        layers=[(name, shape, f"{count:,}") for name, shape, count in (*layers, total)],
        title=manifest["name"] if own_network else f"recipe {manifest['name']}",
        kind="network" if own_network else "convolutional network",
        settings=[
            (field.name.replace("_", " "), metrics["recipe"][field.name], field.metadata["help"])
            for field in fields(Recipe)
            if metrics["recipe"].get(field.name) != ""  # as the hash of a file that there is not
        ],
        ensemble=_ensemble_rows(metrics["ensemble"]) if "ensemble" in metrics else None,
        most_confused=max(1, np.max(test.confusion * (1 - np.eye(CLASSES, dtype=int)))),
        pictured=PICTURED,
        own=own,
        data=Path(own["path"]).name if own else "MNIST",
        thing="digit" if digits else "label",
        things="digits" if digits else "images",
    )
    with replacing(folder / "report.html") as file:
        file.write(page)
