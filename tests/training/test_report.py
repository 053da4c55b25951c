"""Do figures and reports come out, whole and true?"""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from digits import bundle
from digits.data.mnist import Mnist
from digits.evaluation import evaluate
from digits.runs.recipes import Recipe
from digits.training import models, report

FILES = {
    *("run.json", "state.npz", "history.csv", "model.keras", "metrics.json", "report.txt"),
    "events.jsonl",
    *("report.html", "training.png", "confusion.png", "examples.png", "mistakes.png"),
    *("reliability.png", "bundle"),
}


@pytest.fixture(scope="module")
def metrics(finished_run: Path) -> dict[str, Any]:
    return dict(json.loads((finished_run / "metrics.json").read_text()))


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
