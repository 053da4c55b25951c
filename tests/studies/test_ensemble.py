"""Is an ensemble the mean of its members, and is what is distilled from it a run like any other?"""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from processes import PATIENCE, TINY, Command, mnist_model, wait_until

from digits import bundle
from digits.data.mnist import Bytes, Mnist
from digits.errors import DigitsError
from digits.evaluation import cross_entropy, evaluate, fit_temperature
from digits.reporting import report
from digits.runs import run as runs
from digits.runs.recipes import RECIPES
from digits.studies import distillation, ensemble
from digits.training.networks.models import predictor

PAIR = [*TINY, "--rotation", "5", "--ensemble", "2"]  # distorted a little


@pytest.fixture(scope="module")
def united(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """An ensemble of two that Ctrl-C stopped while its members trained, and that the same command
    resumed: its folder, and the output before and after."""
    folder = tmp_path_factory.mktemp("ensembles") / "two"
    process = mnist_model(*PAIR, "--out", folder)
    wait_until(lambda: [*folder.glob("members/*/history.csv")], process)
    process.send_signal(signal.SIGINT)
    stopped, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    process = mnist_model(*PAIR, "--out", folder)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return folder, stopped, output


def test_stopped_it_says_how_to_resume_and_resumes(united: tuple[Path, str, str]) -> None:
    folder, stopped, _ = united
    assert (
        f"Stopped; what is finished is saved. Resume with: python mnist_model.py --resume {folder}"
        in stopped
    )
    for output in folder.glob("members/*/output.txt"):  # no epoch twice
        assert [output.read_text().count(f"epoch {epoch}: ") for epoch in (1, 2)] == [1, 1]


def test_the_mean_is_the_mean(united: tuple[Path, str, str], mnist: Mnist) -> None:
    """The mean of the members' probabilities, and its temperature, computed independently."""
    folder, _, _ = united
    members = [
        keras.models.load_model(folder / "members" / name / "model.keras")
        for name in sorted(path.name for path in (folder / "members").glob("*-seed-?"))
    ]
    assert len(members) == 2
    images = mnist.test_images.astype(np.float32)[..., None]
    both = [member.predict(images, verbose=0)["probabilities"] for member in members]
    metrics = json.loads((folder / "metrics.json").read_text())["ensemble"]
    powers = ((both[0] + both[1]) / 2) ** (1 / metrics["mean"]["temperature"])
    test = evaluate(mnist.test_labels, powers / powers.sum(axis=1, keepdims=True))
    assert test.errors == ((both[0] + both[1]).argmax(axis=1) != mnist.test_labels).sum()
    assert metrics["mean"]["test_errors"] == test.errors
    assert metrics["mean"]["test_loss"] == pytest.approx(test.loss, abs=1e-5)
    assert metrics["mean"]["ece"] == pytest.approx(test.ece, abs=1e-4)
    assert metrics["mean"]["test_accuracy_interval"] == pytest.approx(test.accuracy_interval)
    for member, probabilities in zip(metrics["members"], both, strict=True):
        assert member["test_errors"] == (probabilities.argmax(1) != mnist.test_labels).sum()
    held_out = mnist.train_images[2000:].astype(np.float32)[..., None]
    both = [member.predict(held_out, verbose=0)["probabilities"] for member in members]
    loss = cross_entropy(mnist.train_labels[2000:], both[0])
    assert metrics["members"][0]["validation_loss"] == pytest.approx(loss, abs=1e-5)
    temperature = fit_temperature(mnist.train_labels[2000:], np.log((both[0] + both[1]) / 2))
    assert metrics["mean"]["temperature"] == pytest.approx(temperature, rel=1e-3)


def test_the_folder_holds_a_run_like_any_other(united: tuple[Path, str, str], mnist: Mnist) -> None:
    folder, _, output = united
    metrics = json.loads((folder / "metrics.json").read_text())
    found = bundle.read(folder / "bundle", every_file=True)
    assert found.manifest["command"].endswith(" --ensemble 2")
    assert found.manifest["metrics"]["test_accuracy"] == metrics["test_accuracy"]
    kept = keras.models.load_model(folder / "model.keras")
    answers = predictor(kept)(mnist.test_images)["probabilities"]
    assert (answers.argmax(1) != mnist.test_labels).sum() == metrics["test_errors"]
    assert_the_chosen_one_is_bundled(metrics)
    text = (folder / "report.txt").read_text()
    assert text in output
    assert "mean of 2 networks" in text
    assert "The ensemble</h2>" in (folder / "report.html").read_text()
    assert not [*folder.rglob("answers-*"), *folder.rglob("*.part")]


def assert_the_chosen_one_is_bundled(metrics: dict[str, Any]) -> None:
    figures = metrics["ensemble"]
    best, reason = ensemble.choose(figures)
    chosen = figures["student"] if best is None else figures["members"][best]
    assert metrics["test_errors"] == chosen["test_errors"]
    assert figures["bundled"] == reason


def test_the_other_choice_is_bundled_as_well(
    united: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever network the rule chose above, this bundles the other one."""
    folder = tmp_path / "again"
    shutil.copytree(united[0], folder)
    figures = json.loads((folder / "metrics.json").read_text())["ensemble"]
    best, _ = ensemble.choose(figures)
    (folder / "metrics.json").unlink()
    program = (
        "import sys\nfrom digits import cli\nfrom digits.studies import ensemble\n"
        f"ensemble.keeps_the_gain = lambda *_: {best is not None}\n"
        f"sys.exit(cli.run('train', ['--resume', {str(folder)!r}], 'mnist_model.py'))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    monkeypatch.setattr(ensemble, "keeps_the_gain", lambda *_: best is not None)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert_the_chosen_one_is_bundled(metrics)
    assert (ensemble.choose(metrics["ensemble"])[0] is None) != (best is None)


def test_the_choice_by_validation_cross_entropy() -> None:
    figures: dict[str, Any] = {
        "mean": {"validation_loss": 0.010},
        "student": {"validation_loss": 0.0119},
        "members": [
            {"validation_loss": loss, "seed": seed}
            for seed, loss in ((4, 0.015), (5, 0.013), (6, 0.014))
        ],
    }
    best, reason = ensemble.choose(figures)
    assert best is None
    assert "the distilled network is bundled" in reason
    best, reason = ensemble.choose(figures | {"student": {"validation_loss": 0.0121}})
    assert best == 1
    assert "the best member, seed 5, is bundled" in reason


def test_a_finished_ensemble_is_not_trained_again(
    united: tuple[Path, str, str], run_main: Command
) -> None:
    folder, _, _ = united
    for arguments in ([*PAIR, "--out", folder], ["--resume", folder]):
        result = run_main(*arguments)
        assert result.returncode == 2
        assert "is finished" in result.stderr


def test_the_student_must_be_nearer_to_the_ensemble_than_to_its_members() -> None:
    assert ensemble.keeps_the_gain(student=0.0119, ensemble=0.010, members=0.014)
    assert not ensemble.keeps_the_gain(student=0.0121, ensemble=0.010, members=0.014)
    assert ensemble.keeps_the_gain(student=0.0080, ensemble=0.010, members=0.014)


def test_which_folders_an_ensemble_may_use(tmp_path: Path) -> None:
    fast = RECIPES["fast"]
    begun = ensemble.begin(fast, 3, tmp_path / "new")
    assert begun == runs.Run(tmp_path / "new", fast, members=3)
    assert ensemble.begin(fast, 3, begun.folder) == begun
    for recipe, count in ((fast, 4), (replace(fast, epochs=7), 3)):
        with pytest.raises(DigitsError, match="already holds files"):
            ensemble.begin(recipe, count, begun.folder)
    with pytest.raises(DigitsError, match="--ensemble must be at least 2, not 1"):
        ensemble.begin(fast, 1, tmp_path / "other")
    (tmp_path / "swept" / "members").mkdir(parents=True)
    assert ensemble.begin(fast, 2, tmp_path / "swept").members == 2
    assert runs.reopen(tmp_path / "swept").members == 2
    assert runs.create(fast, tmp_path / "run").members is None
    assert runs.find(tmp_path / "run") == runs.Run(tmp_path / "run", fast)
    assert runs.find(tmp_path / "nowhere") is None


# Distillation.


def test_views_are_distorted_and_repeatable(mnist: Mnist) -> None:
    recipe = RECIPES["default"]
    images = mnist.train_images[:2500]
    first, again, last = (distillation.view(recipe, images, number) for number in (0, 0, 7))
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.uint8
    moved = [np.abs(view.astype(int) - images).mean() for view in (first, last)]
    assert moved[0] > 1.5 * moved[1] > 1.5
    # Each is still the digit that it was: most of its ink stays in place.
    overlap = (np.minimum(last, images).sum((1, 2)) / images.sum((1, 2))).mean()
    assert overlap > 0.6


def test_targets_are_probabilities_of_eleven() -> None:
    answers = {
        "probabilities": np.full((3, 10), 0.1, np.float32),
        "is_digit": np.array([1, 0.5, 0], np.float32),
    }
    found = distillation.targets(answers)
    assert found.dtype == np.float16
    np.testing.assert_allclose(
        found[:, :10], np.array([[0.1], [0.05], [0]]) * np.ones(10), atol=1e-4
    )
    np.testing.assert_allclose(found[:, 10], [0, 0.5, 1])


def test_the_teacher_reads_each_picture_shown_once(mnist: Mnist, tmp_path: Path) -> None:
    recipe = replace(RECIPES["default"], clutter=0.3)
    images = mnist.train_images[:1500]
    read = []

    def teacher(pictures: Bytes) -> dict[str, Any]:
        read.append(pictures.copy())
        one = np.eye(10, dtype=np.float32)[pictures[:, 14, 14] % 10]
        return {"probabilities": one, "is_digit": np.ones(len(pictures), np.float32)}

    shown, answers = distillation.lessons(recipe, images, teacher, tmp_path)
    np.testing.assert_array_equal(shown, np.concatenate(read))
    assert shown.shape == (8 * 1500, 28, 28)
    np.testing.assert_array_equal(answers.argmax(axis=1), shown[:, 14, 14] % 10)
    read.clear()
    (tmp_path / "answers-5.npy").unlink()  # as if interrupted there
    again = distillation.lessons(recipe, images, teacher, tmp_path)
    assert len(read) == 1
    np.testing.assert_array_equal(again[0], shown)
    np.testing.assert_array_equal(again[1], answers)


@pytest.mark.parametrize("name", RECIPES)
def test_a_student_is_trained_without_further_distortion(name: str) -> None:
    recipe = RECIPES[name]
    student = distillation.student_of(recipe)
    assert not student.distorts
    assert student.clutter == student.label_smoothing == 0
    assert (student.network, student.batch, student.seed) == (
        recipe.network,
        recipe.batch,
        recipe.seed,
    )
    steps = student.epochs * distillation.views_of(recipe)
    assert recipe.epochs <= steps <= 8 * max(recipe.epochs, 1)


def test_report_of_an_ensemble() -> None:
    of: dict[str, Any] = {
        "validation_accuracy": 0.99,
        "validation_loss": 0.03,
        "test_accuracy": 0.98,
        "test_loss": 0.04,
        "ece": 0.001,
    }
    text = report.ensemble_text(
        {"mean": of, "student": of, "members": [of | {"seed": 4}], "bundled": "So it is. " * 20}
    )
    assert "member, seed 4" in text
    assert max(map(len, text.splitlines())) <= 80
