"""Does a finished run leave all its files, and do they say the same?"""

import json
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from html_pages import Page, read_page
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_plots import some

from digits import bundle
from digits.data.mnist import Mnist
from digits.evaluation import evaluate
from digits.reporting import report
from digits.runs.recipes import Recipe
from digits.training.exporting.export import manifest_of
from digits.training.networks import models, size

TEMPLATES = Path(report.__file__).parent / "templates"
FILES = {
    *("run.json", "state.npz", "history.csv", "model.keras", "metrics.json", "report.txt"),
    "events.jsonl",
    *("report.html", "training.png", "confusion.png", "examples.png", "mistakes.png"),
    *("reliability.png", "bundle"),
}


@pytest.fixture(scope="module")
def metrics(finished_run: Path) -> dict[str, Any]:
    return dict(json.loads((finished_run / "metrics.json").read_text()))


@pytest.fixture(scope="module")
def page(finished_run: Path) -> Page:
    return read_page((finished_run / "report.html").read_text())


class TestFinishedRun:
    def test_everything_is_there(self, finished_run: Path) -> None:
        names = {path.name for path in finished_run.iterdir()}
        events = {name for name in names if name.startswith("events.out.tfevents")}
        assert len(events) == 1
        assert names - events == FILES

    def test_metrics_agree_with_each_other(self, metrics: dict[str, Any]) -> None:
        confusion = np.array(metrics["confusion_matrix"])
        assert confusion.shape == (10, 10)
        assert confusion.sum() == 10_000
        assert metrics["test_errors"] == 10_000 - np.trace(confusion)
        assert metrics["test_accuracy"] == np.trace(confusion) / 10_000
        low, high = metrics["test_accuracy_interval"]
        assert low < metrics["test_accuracy"] < high
        for key in ("precision", "recall", "f1"):
            assert len(metrics[key]) == 10
        assert metrics["train_seconds"] < metrics["total_seconds"]
        assert metrics["seed"] == 1
        assert Recipe(**metrics["recipe"]).epochs == 4
        assert set(metrics["versions"]) >= {"python", "tensorflow", "keras", "numpy"}
        assert metrics["cores"] >= 1

    def test_the_saved_network_has_the_reported_accuracy(
        self, finished_run: Path, metrics: dict[str, Any], mnist: Mnist
    ) -> None:
        model = keras.models.load_model(finished_run / "model.keras")
        assert model.count_params() == metrics["parameters"]
        answers = models.predictor(model, 2)(mnist.test_images)
        found = evaluate(mnist.test_labels, answers["probabilities"])
        assert found.errors == metrics["test_errors"]
        assert found.loss == pytest.approx(metrics["test_loss"], abs=1e-6)

    def test_its_bundle_reads(self, finished_run: Path, metrics: dict[str, Any]) -> None:
        found = bundle.read(finished_run / "bundle", every_file=True)
        assert found.threshold == metrics["threshold"]
        assert found.manifest["metrics"]["test_accuracy"] == metrics["test_accuracy"]
        assert found.manifest["command"].startswith("python mnist_model.py --recipe default")

    def test_text_is_on_the_terminal_and_in_the_file(
        self, finished_run: Path, finished_output: str, metrics: dict[str, Any]
    ) -> None:
        text = (finished_run / "report.txt").read_text()
        assert text in finished_output
        assert "\nepoch 4: validation " in finished_output
        assert f"Test accuracy: {metrics['test_accuracy']:.2%}" in text
        first_row = " ".join(f"{n}" for n in metrics["confusion_matrix"][0])
        squeezed = " ".join(text.split())
        assert f"[[ {first_row}]" in squeezed or f"[[{first_row}]" in squeezed
        assert "weighted avg" in text
        assert max(map(len, text.splitlines())) <= 80

    def test_tensorboard_reads_the_events(
        self, finished_run: Path, metrics: dict[str, Any]
    ) -> None:
        events = EventAccumulator(str(finished_run))
        events.Reload()
        assert "validation_accuracy" in events.Tags()["tensors"]
        assert [event.step for event in events.Tensors("loss")] == [1, 2, 3, 4]


class TestPage:
    """`report.html` of the finished run."""

    def test_it_is_one_file(self, page: Page) -> None:
        assert all(source.startswith("data:image/png;base64,") for source in page.sources)
        assert page.links == []

    def test_the_confusion_matrix_is_a_table(self, page: Page, metrics: dict[str, Any]) -> None:
        head, *rows = page.tables[0]
        assert head[1:] == [str(digit) for digit in range(10)]
        assert [row[0] for row in rows] == head[1:]
        assert [[int(cell or 0) for cell in row[1:]] for row in rows] == metrics["confusion_matrix"]

    def test_every_mistake_is_shown(self, page: Page, metrics: dict[str, Any]) -> None:
        mistakes, examples = page.lists
        assert len(mistakes) == min(metrics["test_errors"], report.PICTURED)
        assert len(examples) == 40
        # Two figures of several images, and one for each digit.
        assert len(page.sources) == 2 + len(mistakes) + len(examples)

    def test_it_says_how_to_reproduce_the_run(
        self, page: Page, finished_run: Path, metrics: dict[str, Any]
    ) -> None:
        manifest = bundle.read(finished_run / "bundle").manifest
        assert page.facts["date"] == manifest["created"]
        assert page.facts["seed"] == "1"
        assert page.facts["cores"] == str(metrics["cores"])
        assert f"keras {keras.__version__}" in page.facts["versions"]
        assert manifest["command"] in page.text
        _, *settings = page.tables[-1]
        assert ["epochs", "4"] in [row[:2] for row in settings]

    def test_layers_are_those_of_the_network(self, page: Page, metrics: dict[str, Any]) -> None:
        _, *layers, total = page.tables[2]
        assert ["Conv2D 5×5", "24×24×16", "416"] in layers
        assert total == ["total", "", f"{metrics['parameters']:,}"]
        counts = [int(parameters.replace(",", "")) for _, _, parameters in layers]
        assert sum(counts) == metrics["parameters"]

    def test_it_explains_why_the_losses_differ(self, page: Page, metrics: dict[str, Any]) -> None:
        words = " ".join(page.text.split())
        assert f"divides its logits by {metrics['temperature']:.2f};" in words
        assert f"Compare the test loss ({metrics['test_loss']:.4f}) with the calibrated" in words


@pytest.mark.parametrize("wrong", [0, 1, 250])
def test_the_page_of_any_number_of_mistakes(
    mnist: Mnist, tmp_path: Path, wrong: int, metrics: dict[str, Any]
) -> None:
    images, test = some(mnist, wrong)
    for name in ("training.png", "reliability.png"):
        (tmp_path / name).write_bytes(b"PNG")
    layers = [("Dense", "10", 7_850)]
    report.write_html(tmp_path, images, test, metrics, manifest_of(metrics), layers)
    page = read_page((tmp_path / "report.html").read_text())
    mistakes, examples = page.lists
    assert len(mistakes) == min(wrong, 200)
    if wrong:
        index = test.mistakes[0]
        label, answer = test.labels[index], test.predictions[index]
        assert mistakes[0] == f"{label} read as {answer}80% vs 2%"
    words = " ".join(page.text.split())
    assert ("The first 200 of 250 misread test digits" in words) == (wrong == 250)
    assert ("There are none: every one was read right." in words) == (wrong == 0)
    label, answer = test.labels[0], test.predictions[0]
    assert examples[0] == (f"{label} read as {answer}" if wrong else f"{label}")
    assert examples[1] == (f"{test.labels[1]}" if wrong < 2 else examples[1])


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb, as WCAG 2 defines it."""
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_all_words_on_the_pages_can_be_told_from_their_ground() -> None:
    """A contrast of 4.5 to 1: WCAG's least for text."""
    styles = "".join(path.read_text() for path in TEMPLATES.iterdir())
    inks = set(re.findall(r"[{;\s]color: (#[0-9a-f]{6})", styles))
    assert len(inks) >= 3
    for ink in inks:
        for ground in ("#ffffff", "#f4f6f8"):
            assert (luminance(ground) + 0.05) / (luminance(ink) + 0.05) >= 4.5, (ink, ground)


def test_layer_table_by_hand() -> None:
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 3),
            layers.Activation("relu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(10),
        ]
    )
    assert size.layer_table(network) == [
        ("Conv2D 3×3", "26×26×8", 80),
        ("Activation relu", "26×26×8", 0),
        ("AveragePooling2D 2×2", "13×13×8", 0),
        ("Flatten", "1352", 0),
        ("Dropout 0.25", "1352", 0),
        ("Dense", "10", 13_530),
    ]
