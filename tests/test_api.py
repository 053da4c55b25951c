"""What the commands do, as functions: the same figures, and errors instead of exit statuses."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import digits
from digits import Reader, bundle
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runs.run import Run

TINY: dict[str, Any] = {"epochs": 1, "held_out": 57_000, "variants": 0, "non_digits": 300}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return digits.train("fast", out=tmp_path_factory.mktemp("api") / "run", seed=7, **TINY)


def test_a_network_is_trained_by_a_function(trained: Run, mnist: Mnist) -> None:
    assert trained.finished
    assert (trained.recipe.name, trained.recipe.seed) == ("fast", 7)
    assert len(trained.history()) == 1
    assert Reader(trained.bundle).classify(mnist.test_images[0]).digit in range(10)


def test_it_is_measured_by_a_function_as_it_was_when_trained(trained: Run) -> None:
    measured = digits.evaluate(trained.bundle)
    recorded = trained.metrics()
    assert measured.figures["test_accuracy"] == pytest.approx(recorded["test_accuracy"], abs=2e-4)
    assert f"{measured.figures['test_accuracy']:.2%}" in str(measured)
    assert repr(measured).startswith("Evaluation('Test accuracy: 9")
    assert len(repr(measured)) < 120
    assert repr(trained).endswith("recipe fast, finished)")


def test_runs_and_bundles_are_compared_by_a_function(
    trained: Run, mnist: Mnist, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(mnist, test_images=mnist.test_images[:100], test_labels=mnist.test_labels[:100])
    monkeypatch.setattr("digits.api.load_mnist", lambda: few)
    compared = digits.compare([bundle.SHIPPED, trained.folder])
    first, second = compared.rows
    assert repr(compared) == (
        f"Comparison(A {first.name} {first.accuracy:.2%}, B {second.name} {second.accuracy:.2%})"
    )
    assert first.accuracy > second.accuracy
    assert (first.p, second.recipe["seed"]) == (None, 7)


def test_an_unfinished_run_is_resumed(trained: Run, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes((trained.folder / "run.json").read_bytes())
    resumed = digits.train(resume=tmp_path)
    assert resumed.recipe == trained.recipe
    assert resumed.metrics()["test_accuracy"] == trained.metrics()["test_accuracy"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"recipe": "none"}, "There is no recipe 'none'; choose default or fast"),
        ({"epoch": 3}, "A recipe has no field 'epoch'; it has network, epochs,"),
        ({"epochs": 0}, "--epochs must be from 1"),
        ({"resume": "none"}, "There is no run in none"),
        ({"resume": "none", "epochs": 3}, "give it alone"),
        ({"data": "none"}, "none"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(
    settings: dict[str, Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DigitsError, match=reason):
        digits.train(**settings)
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_measured_with_corruptions_by_no_model() -> None:
    with pytest.raises(DigitsError, match="give one of them"):
        digits.evaluate(images="x", corruptions=True)
