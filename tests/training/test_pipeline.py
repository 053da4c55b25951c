"""Does the test set steer nothing, and is it opened once?"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import ROOT

from digits import bundle

# The run of `finished_run` again, by the same functions, but the labels of the test digits are
# scrambled: whatever they decide comes out differently.
SCRAMBLED = """
import json, sys, time
from dataclasses import replace
from pathlib import Path
import numpy as np
from digits.data.mnist import load_mnist
from digits.runs.recipes import Recipe
from digits.runs.run import create
from digits.terminal import importing_tensorflow
with importing_tensorflow():
    from digits.training import pipeline
recipe = Recipe(**json.loads(Path(sys.argv[1]).read_text())["recipe"])
mnist = load_mnist()
labels = np.random.default_rng(0).permutation(mnist.test_labels)
run = create(recipe, Path(sys.argv[2]))
pipeline.train_and_report(run, replace(mnist, test_labels=labels), time.monotonic())
"""
DECIDED = (
    *("temperature", "threshold", "test_accepted", "non_digits_accepted"),
    *("validation_accuracy", "parameters", "recipe", "seed"),
)


@pytest.fixture(scope="module")
def scrambled(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scrambled") / "run"
    program = [sys.executable, "-c", SCRAMBLED, str(finished_run / "run.json"), str(folder)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder


def test_scrambled_test_labels_change_no_weight(finished_run: Path, scrambled: Path) -> None:
    with np.load(finished_run / "state.npz") as true, np.load(scrambled / "state.npz") as other:
        assert true.files == other.files
        for name in true.files:
            if name != "history":
                np.testing.assert_array_equal(true[name], other[name])
        seconds = 1  # the column that may differ
        histories = (np.delete(file["history"], seconds, axis=1) for file in (true, other))
        np.testing.assert_array_equal(*histories)


def test_scrambled_test_labels_change_no_choice(finished_run: Path, scrambled: Path) -> None:
    true, other = (
        json.loads((run / "metrics.json").read_text()) for run in (finished_run, scrambled)
    )
    assert {name: true[name] for name in DECIDED} == {name: other[name] for name in DECIDED}
    first, second = (
        bundle.read(run / "bundle", every_file=True) for run in (finished_run, scrambled)
    )
    assert first.model == second.model
    assert first.manifest["thresholds"] == second.manifest["thresholds"]


def test_scrambled_test_labels_are_measured(finished_run: Path, scrambled: Path) -> None:
    """Or the two tests above would pass because nothing was scrambled."""
    true, other = (
        json.loads((run / "metrics.json").read_text()) for run in (finished_run, scrambled)
    )
    assert true["test_accuracy"] > 0.9
    assert other["test_accuracy"] < 0.2
