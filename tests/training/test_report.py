"""Do figures and reports come out, whole and true?"""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import keras
import matplotlib.image
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from digits import bundle
from digits.data import mnist as data
from digits.evaluation import Evaluation, evaluate
from digits.runs.history import Epoch
from digits.runs.recipes import Recipe
from digits.training import models, plots, report

FILES = {
    *("run.json", "state.npz", "history.csv", "model.keras", "metrics.json", "report.txt"),
    "events.jsonl",
    *("report.html", "training.png", "confusion.png", "examples.png", "mistakes.png"),
    *("reliability.png", "bundle"),
}


@pytest.fixture(scope="module")
def metrics(finished_run: Path) -> dict[str, Any]:
    return dict(json.loads((finished_run / "metrics.json").read_text()))


def some(mnist: data.Mnist, wrong: int, count: int = 300) -> tuple[data.Bytes, Evaluation]:
    """The first test digits with invented predictions, so many of them wrong."""
    labels = mnist.test_labels[:count].astype(int)
    answers = labels.copy()
    answers[:wrong] = (answers[:wrong] + 1) % 10
    probabilities = np.full((count, 10), 0.01)
    probabilities[np.arange(count), answers] = 0.91
    return mnist.test_images[:count], evaluate(labels, probabilities)


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
        self, finished_run: Path, metrics: dict[str, Any], mnist: data.Mnist
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

    def test_html_is_one_file(self, finished_run: Path, metrics: dict[str, Any]) -> None:
        text = (finished_run / "report.html").read_text()
        page = Page()
        page.feed(text)
        assert len(page.sources) == len(report.FIGURES)
        assert all(source.startswith("data:image/png;base64,") for source in page.sources)
        assert page.links == []
        assert page.open == []
        assert f"{metrics['test_accuracy']:.2%}" in text


class Page(HTMLParser):
    """Collects what a page loads, and the elements that it leaves open."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if tag == "img":
            assert named["alt"]
            self.sources.append(named["src"] or "")
        self.links += [named[key] or "" for key in ("href", "action") if key in named]
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class TestFigures:
    @pytest.mark.parametrize("wrong", [0, 1, 17, 200])
    def test_any_number_of_mistakes(self, mnist: data.Mnist, tmp_path: Path, wrong: int) -> None:
        images, evaluation = some(mnist, wrong)
        for draw in (plots.examples, plots.mistakes):
            draw(images, evaluation, tmp_path / "figure.png")
            assert ink(tmp_path / "figure.png") > 0.001
        for plot in (plots.confusion_matrix, plots.reliability):
            plot(evaluation, tmp_path / "figure.png")
            assert ink(tmp_path / "figure.png") > 0.01

    def test_mistakes_shows_each_of_them(self, mnist: data.Mnist, tmp_path: Path) -> None:
        """Twice the rows of pictures, about twice the height."""
        heights = []
        for wrong in (80, 160):
            images, evaluation = some(mnist, wrong)
            plots.mistakes(images, evaluation, tmp_path / "figure.png")
            heights.append(matplotlib.image.imread(tmp_path / "figure.png").shape[0])
        assert heights[1] == pytest.approx(2 * heights[0], rel=0.05)

    @pytest.mark.parametrize("epochs", [1, 30])
    def test_training_curves(self, tmp_path: Path, epochs: int) -> None:
        history = [Epoch(i + 1, 1.0, 0.001, 1 / (i + 1), 0.9, 0.5, 0.95) for i in range(epochs)]
        plots.training_curves(history, tmp_path / "figure.png")
        assert ink(tmp_path / "figure.png") > 0.01


def ink(path: Path) -> float:
    """The fraction of a picture that is not white."""
    picture = matplotlib.image.imread(path)[..., :3]
    return float((picture.min(axis=2) < 0.9).mean())
