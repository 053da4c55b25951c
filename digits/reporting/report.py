"""Results -> the text on the terminal and report.html."""

import base64
import html
import io
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from digits.data.mnist import Bytes
from digits.evaluation import Evaluation
from digits.files import replacing
from digits.runs.recipes import Recipe

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
    low, high = test.accuracy_interval
    ensemble = ensemble_text(metrics["ensemble"]) if "ensemble" in metrics else ""
    return f"""{ensemble}
Test accuracy: {test.accuracy:.2%}  (95% interval {low:.2%} to {high:.2%}; \
{test.errors} of {len(test.labels):,} misread)
Test loss: {test.loss:.4f}  (expected calibration error {test.ece:.2%})

Confusion matrix (row: true digit, column: read as):
{np.array2string(test.confusion)}

Classification report:
{test.classification_report}
{metrics["parameters"]:,} parameters. The epochs took {metrics["train_seconds"]:.0f} s on \
{metrics["cores"]} cores, this command {metrics["total_seconds"]:.0f} s.
"""


def ensemble_text(ensemble: Mapping[str, Any]) -> str:
    """The part of `as_text` on an ensemble: its mean, the distilled network, and each member."""
    head, *rows = _ensemble_rows(ensemble)
    lines = [
        "".join([f"{name:20}", *(f"{cell:>12}" for cell in cells)])
        for name, *cells in [head, *rows]
    ]
    return "\n" + "\n".join([*lines, "", *textwrap.wrap(ensemble["bundled"], 80)]) + "\n"


def _ensemble_rows(ensemble: Mapping[str, Any]) -> list[tuple[str, ...]]:
    members = ensemble["members"]
    named = {f"mean of {len(members)} networks": ensemble["mean"], "distilled": ensemble["student"]}
    named |= {f"member, seed {member['seed']}": member for member in members}
    rows = [
        (
            name,
            f"{of['validation_accuracy']:.2%}",
            f"{of['validation_loss']:.4f}",
            f"{of['test_accuracy']:.2%}",
            f"{of['test_loss']:.4f}",
            f"{of['ece']:.2%}",
        )
        for name, of in named.items()
    ]
    return [("network", "validation", "val. loss", "test", "test loss", "ECE"), *rows]


def write_html(
    folder: Path,
    images: Bytes,
    test: Evaluation,
    metrics: Mapping[str, Any],
    manifest: Mapping[str, Any],
    layers: Sequence[tuple[str, str, int]],
) -> None:
    """Writes `report.html`, one file that holds its figures.

    Args:
        folder: of the run, with training.png and reliability.png.
        images: the test digits, uint8 of shape (n, 28, 28), ink 255 on 0.
        test: the evaluation of these digits.
        metrics: the content of metrics.json.
        manifest: of the run's bundle, from `export.manifest_of`.
        layers: of the network, from `models.layer_table`.

    Raises:
        OSError: a figure is missing or the folder cannot be written.
    """
    low, high = test.accuracy_interval
    count = f"{len(test.labels):,}"
    tiles = {
        "test accuracy": (f"{test.accuracy:.2%}", f"95% interval {low:.2%} to {high:.2%}"),
        "misread": (f"{test.errors:,}", f"of {count} test digits"),
        "test loss": (f"{test.loss:.4f}", "cross-entropy, nats"),
        "calibration error": (f"{test.ece:.2%}", "gap between confidence and accuracy"),
        "training": (f"{metrics['train_seconds']:.0f} s", f"on {metrics['cores']} cores"),
        "parameters": (f"{metrics['parameters']:,}", "weights and biases"),
    }
    facts = {
        "date": manifest["created"],
        "seed": manifest["seed"],
        "data": manifest["data"],
        "cores": metrics["cores"],
        **({"workers": metrics["workers"]} if "workers" in metrics else {}),
        "versions": ", ".join(f"{name} {number}" for name, number in metrics["versions"].items()),
    }
    page = fill(
        "digits.reporting",
        "report.html",
        title=f"MNIST, recipe {html.escape(metrics['recipe']['name'])}",
        count=count,
        tiles="".join(
            f'<div class="card"><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>'
            for name, (value, note) in tiles.items()
        ),
        ensemble=_ensemble(metrics["ensemble"]) if "ensemble" in metrics else "",
        training=_figure(folder / "training.png", "Accuracy and loss over epochs"),
        temperature=f"{metrics['temperature']:.2f}",
        test_loss=f"{test.loss:.4f}",
        confusion=_confusion(test),
        digits=_table(
            ("digit", "precision", "recall", "F1", "test digits"),
            (
                (digit, f"{p:.2%}", f"{r:.2%}", f"{f:.2%}", f"{n:,}")
                for digit, (p, r, f, n) in enumerate(
                    zip(test.precision, test.recall, test.f1, test.confusion.sum(1), strict=True)
                )
            ),
        ),
        mistakes="".join(_mistake(images, test, index) for index in test.mistakes[:PICTURED]),
        mistakes_caption=_mistakes_caption(test),
        examples="".join(_example(images, test, index) for index in range(min(40, len(images)))),
        reliability=_figure(folder / "reliability.png", "Accuracy against confidence"),
        layers=_table(
            ("layer", "output", "parameters"),
            [
                *((name, shape, f"{parameters:,}") for name, shape, parameters in layers),
                ("total", "", f"{metrics['parameters']:,}"),
            ],
        ),
        command=html.escape(manifest["command"]),
        facts="".join(
            f"<dt>{name}</dt><dd>{html.escape(str(value))}</dd>" for name, value in facts.items()
        ),
        recipe=_table(
            ("setting", "value", "meaning"),
            (
                (name.replace("_", " "), metrics["recipe"][name], meaning)
                for name, meaning in ((of.name, of.metadata["help"]) for of in fields(Recipe))
            ),
        ),
    )
    with replacing(folder / "report.html") as file:
        file.write(page)


def fill(package: str, template: str, **parts: str) -> bytes:
    """A page: the template that lies in a package, filled with its parts and the shared style."""
    style = files("digits.reporting").joinpath("style.css").read_text(encoding="utf-8")
    text = files(package).joinpath(template).read_text(encoding="utf-8")
    return Template(text).substitute(style=style, **parts).encode()


def picture(image: Bytes) -> str:
    """The address of a digit's picture, dark on white, that holds the picture itself."""
    buffer = io.BytesIO()
    Image.fromarray(255 - image).save(buffer, "png", optimize=True)
    return _address(buffer.getvalue())


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _figure(path: Path, alternative: str) -> str:
    return f'<img src="{_address(path.read_bytes())}" alt="{alternative}">'


def _ensemble(ensemble: Mapping[str, Any]) -> str:
    head, *rows = _ensemble_rows(ensemble)
    return (
        f'<h2>The ensemble</h2><div class="card"><div class="scroll" tabindex="0" role="group" '
        'aria-label="Networks of the ensemble">'
        f"{_table(head, rows)}</div><p>{html.escape(ensemble['bundled'])}</p></div>"
    )


def _confusion(test: Evaluation) -> str:
    """The confusion matrix as a table whose errors are coloured by their number."""
    digits = range(len(test.confusion))
    most = max(1, int(np.max(test.confusion * (1 - np.eye(len(digits), dtype=int)))))

    def cell(digit: int, answer: int) -> str:
        count = test.confusion[digit, answer]
        if digit == answer:
            return f'<td class="right">{count}</td>'
        return f'<td style="--share: {count / most:.2f}">{count}</td>' if count else "<td></td>"

    head = "".join(f'<th scope="col">{digit}</th>' for digit in digits)
    body = "".join(
        f'<tr><th scope="row">{digit}</th>{"".join(cell(digit, answer) for answer in digits)}</tr>'
        for digit in digits
    )
    return (
        f'<table class="confusion"><thead><tr><th scope="col">true</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _mistake(images: Bytes, test: Evaluation, index: int) -> str:
    label, answer, given = test.labels[index], test.predictions[index], test.probabilities[index]
    return _digit(
        images,
        index,
        f"{label} read as {answer}<small>{given[answer]:.0%} vs {given[label]:.0%}</small>",
    )


def _mistakes_caption(test: Evaluation) -> str:
    if not test.errors:
        return "There are none: every test digit was read right."
    shown = f"The first {PICTURED} of {test.errors:,}" if test.errors > PICTURED else "All"
    return (
        f"{shown} misread test digits, most confident first: the label and what it was read as, "
        "then the probability of what was read against that of the label."
    )


def _example(images: Bytes, test: Evaluation, index: int) -> str:
    label, answer = test.labels[index], test.predictions[index]
    wrong = f'<span class="wrong">{label} read as {answer}</span>'
    return _digit(images, index, f"{label}" if label == answer else wrong)


def _digit(images: Bytes, index: int, caption: str) -> str:
    return f'<li><img src="{picture(images[index])}" alt="test digit {index}">{caption}</li>'


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table whose first column names its rows."""

    def cells(values: Iterable[object], tag: str, scope: str = "") -> str:
        return "".join(f"<{tag}{scope}>{html.escape(str(value))}</{tag}>" for value in values)

    body = "".join(
        f"<tr>{cells([name], 'th', ' scope=row')}{cells(values, 'td')}</tr>"
        for name, *values in rows
    )
    titles = cells(head, "th", " scope=col")
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
