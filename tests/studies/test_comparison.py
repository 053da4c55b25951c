"""Does a comparison of runs report what their bundles read, and which of them is better?"""

import base64
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from html_pages import read_page
from PIL import Image
from processes import SMALL, mnist_model

from digits import bundle, runtime
from digits.cli import main
from digits.data.mnist import Mnist
from digits.evaluation import Floats
from digits.studies import comparison as comparison_of_runs
from digits.studies import comparison_report, measure
from digits.studies.comparison import (
    LETTERS,
    Comparison,
    disagreements,
    mcnemar,
    measure_entries,
    open_entries,
)
from digits.training.networks import models, size


@pytest.fixture(scope="module")
def other_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch, seed 2, in a folder of the same name as the folder of `finished_run`."""
    folder = tmp_path_factory.mktemp("others") / "whole"
    process = mnist_model("--out", folder, "--epochs", "1", "--seed", "2", *SMALL)
    _, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, "")
    return folder


@pytest.fixture(scope="module")
def few(mnist: Mnist) -> Mnist:
    """The first 400 test images only."""
    return replace(mnist, test_images=mnist.test_images[:400], test_labels=mnist.test_labels[:400])


@pytest.fixture(scope="module")
def comparison(finished_run: Path, other_run: Path, few: Mnist) -> Comparison:
    runs = open_entries([finished_run, other_run, bundle.SHIPPED])
    return measure_entries(runs, few.test_images, few.test_labels)


# The command, on all of MNIST.


def test_two_runs_side_by_side(
    finished_run: Path,
    other_run: Path,
    mnist: Mnist,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "page.html"
    folders = [finished_run, other_run]
    assert main(["compare", *map(str, folders), "--json", "--out", str(out)]) == 0
    output, errors = capfd.readouterr()
    assert errors == ""
    found = json.loads(output)
    assert (found["digits"], found["corrupted_digits"]) == (10_000, 2_000)
    right = []
    for row, folder in zip(found["rows"], folders, strict=True):
        metrics = json.loads((folder / "metrics.json").read_text())
        assert row["accuracy"] == row["recorded_accuracy"] == metrics["test_accuracy"]
        assert row["accuracy_interval"] == pytest.approx(metrics["test_accuracy_interval"])
        assert row["errors"] == metrics["test_errors"]
        assert row["ece"] == pytest.approx(metrics["ece"], abs=1e-4)
        for figure in ("parameters", "mflop", "train_seconds", "recipe"):
            assert row[figure] == metrics[figure]
        model = keras.models.load_model(folder / "model.keras")
        answers = models.predictor(model, 2)(mnist.test_images)["probabilities"].argmax(axis=1)
        right.append(answers == mnist.test_labels)
    first, second = found["rows"]
    assert first["gained"] is first["lost"] is first["p"] is None
    assert second["gained"] == np.sum(right[1] & ~right[0])
    assert second["lost"] == np.sum(right[0] & ~right[1])
    assert second["p"] < 1e-6  # an epoch of eight steps against four of them
    assert len(found["disagreements"]) >= second["gained"] + second["lost"]
    assert "Worse than A: B.</p>" in out.read_text()


# What is measured.


def test_mcnemar_by_hand() -> None:
    # 2 gained and 8 lost, so 10 tosses: 2 * (1 + 10 + 45) / 1024 = 0.109375
    first = np.array([True] * 8 + [False] * 2 + [True] * 50 + [False] * 40)
    other = np.array([False] * 8 + [True] * 2 + [True] * 50 + [False] * 40)
    assert mcnemar(first, other) == pytest.approx((2, 8, 0.109375))
    assert mcnemar(other, first) == pytest.approx((8, 2, 0.109375))
    assert mcnemar(first[:10], other[:10]) == pytest.approx((2, 8, 0.109375))
    # 0 gained and 6 lost: 2 / 64
    assert mcnemar(first[:6], other[:6]) == pytest.approx((0, 6, 0.03125))
    assert mcnemar(first, first) == (0, 0, 1.0)


def test_disagreements_come_most_confident_first() -> None:
    def sure(*answers: tuple[int, float]) -> Floats:
        rows = np.zeros((len(answers), 10), np.float32)
        for row, (digit, probability) in zip(rows, answers, strict=True):
            row[:] = (1 - probability) / 9
            row[digit] = probability
        return rows

    found = disagreements(
        np.array([1, 2, 3, 4, 5], np.uint8),
        [
            sure((1, 0.9), (2, 0.99), (3, 0.9), (4, 0.5), (5, 0.8)),
            sure((1, 0.9), (2, 0.99), (8, 0.9), (4, 0.9), (6, 0.5)),
            sure((1, 0.2), (7, 0.4), (3, 0.3), (4, 0.8), (7, 0.7)),
        ],
    )
    assert [one.index for one in found] == [2, 4, 1]  # by 0.9, 0.7 and 0.4
    assert found[0].label == 3
    assert found[0].answers == (3, 8, 3)
    assert found[0].confidences == pytest.approx((0.9, 0.9, 0.3))


def test_figures_are_those_of_the_bundles(comparison: Comparison, few: Mnist) -> None:
    answers = []
    for row in comparison.rows:
        folder = Path(row.folder)
        found = bundle.read(folder if folder == bundle.SHIPPED else folder / "bundle")
        probabilities, _ = runtime.answers(found, few.test_images)
        answers.append(probabilities.argmax(axis=1))
        assert row.errors == np.sum(answers[-1] != few.test_labels)
        figures, _ = measure.under_corruptions(found, few.test_images[::5], few.test_labels[::5])
        assert row.corruption_error == pytest.approx(figures["mean_error"])
        assert row.corruptions == {
            name: figure["error"]
            for name, figure in figures["corruptions"].items()
            if name != measure.CLEAN
        }
        model = keras.models.load_model(found.folder / "model.keras")
        assert row.parameters == model.count_params()
        assert row.mflop in (size.mflop(model), None)  # None: not recorded
        assert (row.canvas_microseconds or 0) > row.digit_microseconds > 1
    differing = {int(i) for i in np.flatnonzero(np.ptp(answers, axis=0))}
    assert {one.index for one in comparison.disagreements} == differing
    for one in comparison.disagreements:
        assert one.answers == tuple(own[one.index] for own in answers)


def test_networks_take_turns_when_they_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a machine that is slow for a while slows all of them alike."""
    calls: list[tuple[str, str]] = []

    class Network:
        def __init__(self, content: str, name: str) -> None:
            self.name = content

        def run(self, signature: str, image: np.ndarray) -> None:
            calls.append((self.name, signature))

    monkeypatch.setattr("digits.runtime.Model", Network)
    bundles: Any = [
        SimpleNamespace(model=name, digits=True, folder=Path(name)) for name in ("first", "second")
    ]
    found = comparison_of_runs.latencies(bundles, np.zeros((28, 28), np.uint8))
    assert found.shape == (2, 2)  # of each signature, for each network
    a_turn = len(calls) // comparison_of_runs.TURNS
    assert calls == calls[:a_turn] * comparison_of_runs.TURNS
    assert {*calls[:a_turn]} == {
        (name, signature) for name in ("first", "second") for signature in ("digit", "canvas")
    }
    del calls[:]
    bundles[1].digits = False  # so it has no canvas
    assert comparison_of_runs.latencies(bundles, np.zeros((28, 28), np.uint8)).shape == (1, 2)
    assert {signature for _, signature in calls} == {"digit"}


def test_mflop_by_hand() -> None:
    layers = keras.layers
    textbook = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, groups=2, strides=2),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    by_hand = 26 * 26 * 9 * 32 + 6 * 6 * 9 * 16 * 64 + 6 * 6 * 64 * 10
    assert size.mflop(textbook) == pytest.approx(2e-6 * by_hand)
    nested = keras.Sequential([keras.Input((28, 28, 1)), textbook])
    assert size.mflop(nested) == size.mflop(textbook)


def test_the_same_network_twice(finished_run: Path, few: Mnist, tmp_path: Path) -> None:
    shutil.copytree(finished_run / "bundle", tmp_path / "again")
    runs = open_entries([finished_run, tmp_path / "again"])
    found = measure_entries(runs, few.test_images, few.test_labels)
    second = found.rows[1]
    assert (second.gained, second.lost, second.p) == (0, 0, 1.0)
    assert found.disagreements == ()
    sentence = "All runs give the same answer to each of the 400 test images."
    assert sentence in comparison_report.as_text(found)
    comparison_report.write_html(found, few.test_images, tmp_path / "page.html")
    assert sentence in (tmp_path / "page.html").read_text()


# The text and the page.


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("count", range(1, 9))
def test_the_tables_fit_a_terminal(
    comparison: Comparison, count: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    rows = tuple(
        replace(
            comparison.rows[min(index, 1)],
            letter=letter,
            name=f"study/{index}/default-20261123-101500" * (index > 0) or "a",
            mflop=1331.0,
            parameters=1_514_187,
            train_seconds=12_345.0,
        )
        for index, letter in enumerate(LETTERS[:count])
    )
    disagreements = tuple(
        replace(one, answers=(7,) * count, confidences=(1.0,) * count)
        for one in comparison.disagreements
    )
    found = replace(comparison, rows=rows, disagreements=disagreements)
    text = comparison_report.as_text(found)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.startswith("A  a ") for line in lines) == 2
    assert ("p: the probability" in text) == (count > 1)
    for index, letter in enumerate(LETTERS[1:count], start=1):
        own = [line for line in lines if line.startswith(f"{letter}  ")]
        assert len(own) == 2
        assert all("101500 " in line for line in own)  # names differ at their end
        assert f"study/{index}/default-20261123-101500" in own[0] or "…" in own[0]


def test_the_page_is_one_file(comparison: Comparison, few: Mnist, tmp_path: Path) -> None:
    rows = (replace(comparison.rows[0], name='<i>"mine"'), *comparison.rows[1:])
    out = tmp_path / "page.html"
    comparison_report.write_html(replace(comparison, rows=rows), few.test_images, out)
    text = out.read_text()
    page = read_page(text)
    assert page.links == []
    assert "http" not in text
    assert "url(" not in text
    assert "&lt;i&gt;&#34;mine&#34;" in text
    assert "<i>" not in text
    shown = comparison.disagreements[: comparison_report.PICTURED]
    assert len(page.sources) == len(shown) > 3
    for one, source in zip(shown, page.sources, strict=True):
        content = base64.b64decode(source.removeprefix("data:image/png;base64,"))
        picture = np.asarray(Image.open(io.BytesIO(content)))
        np.testing.assert_array_equal(255 - picture, few.test_images[one.index])
    cards = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    for one, card in zip(shown, cards, strict=True):
        assert re.findall(r"<td>(\d)</td>", card) == [str(answer) for answer in one.answers]
        assert card.count("wrong") == sum(answer != one.label for answer in one.answers)
    for name, values in (("epochs", "4 1 40"), ("seed", "1 2 1")):
        cells = "".join(f"<td>{value}</td>" for value in values.split())
        assert f'<th scope="row">{name}</th>{cells}' in re.sub(r"\s*\n\s*", "", text)
    assert 'scope="row">rotation<' not in text  # the same in all


def test_a_long_page_says_how_much_it_leaves_out(
    comparison: Comparison, few: Mnist, tmp_path: Path
) -> None:
    many = comparison.disagreements * 20
    comparison_report.write_html(
        replace(comparison, disagreements=many), few.test_images, tmp_path / "page.html"
    )
    text = " ".join((tmp_path / "page.html").read_text().split())
    assert text.count("<img") == comparison_report.PICTURED
    assert f"disagree on {len(many):,} of 400 test images. The first 60 are shown" in text


def test_a_record_that_is_not_reproduced_is_reported(
    finished_run: Path, few: Mnist, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(metrics | {"test_accuracy": 399 / 400}))
    found = measure_entries(open_entries([run]), few.test_images, few.test_labels)
    right = 400 - found.rows[0].errors
    sentence = f"reads {right} of 400 test images correctly, but 399 are recorded"
    assert sentence in " ".join(comparison_report.as_text(found).split())
    comparison_report.write_html(found, few.test_images, tmp_path / "page.html")
    assert sentence in (tmp_path / "page.html").read_text()
    honest = replace(found.rows[0], recorded_accuracy=found.rows[0].accuracy)
    assert "recorded" not in comparison_report.as_text(replace(found, rows=(honest,)))


def test_runs_of_the_same_name_have_letters_and_folders(
    finished_run: Path, other_run: Path
) -> None:
    first, second = open_entries([finished_run, other_run])
    assert (first.letter, second.letter) == ("A", "B")
    assert first.name == f"{finished_run.parent.name}/whole" != second.name


def test_a_bundle_may_lack_its_size(comparison: Comparison) -> None:
    """As one that was not written by a run may."""
    *others, last = comparison.rows
    rows = (*others, replace(last, mflop=None))
    known = comparison_report.as_text(comparison)
    assert comparison_report.as_text(replace(comparison, rows=rows)).count("–") > known.count("–")
