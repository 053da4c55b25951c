"""Is a run tried again when its process dies, and does a run that fails leave the others alone?"""

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from digits.runs.recipes import RECIPES
from digits.runs.run import Run, create
from digits.runs.scheduler import ATTEMPTS, Engine, Poll, train_all

# What a process does in the folder of the run that it "trains".
FINISH = "open('metrics.json', 'w').write('{\"validation_accuracy\": 1, \"test_accuracy\": 1}')"
ENDS = {
    "well": FINISH,
    "killed": "import os; os.kill(os.getpid(), 9)",
    "crashed": "raise MemoryError",
    "mistaken": "import sys; print('digits train: the disk is full.'); sys.exit(2)",
    "killed once": "import os, pathlib; there = pathlib.Path('there')\n"
    f"if there.exists(): {FINISH}\nelse: there.touch(); os.kill(os.getpid(), 9)",
    "damaged": f"open('history.csv', 'w').write('nonsense'); {FINISH}",
}


@dataclass
class Trainer:
    """Runs programs instead of trainings, two at once, and keeps the names of those it started."""

    started: list[str] = field(default_factory=list)

    def train(self, planned: Sequence[Run]) -> dict[str, str]:
        """Trains runs; returns the names of those that failed, with the reasons."""
        failures = train_all(planned, Engine(lambda: 2, self.start))
        return {run.name: reason for run, reason in failures.items()}

    def start(self, run: Run) -> Poll:
        self.started.append(run.name)
        command = [sys.executable, "-c", ENDS[run.name]]
        with run.output.open("ab") as output:
            return subprocess.Popen(command, cwd=run.folder, stdout=output, stderr=output).poll


def plan(folder: Path, *names: str) -> list[Run]:
    return [
        Run(folder / name, replace(RECIPES["fast"], seed=seed)) for seed, name in enumerate(names)
    ]


def test_what_is_killed_is_tried_again_and_what_fails_affects_no_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trainer, planned = Trainer(), plan(tmp_path, *ENDS)
    reasons = trainer.train(planned)
    assert Counter(trainer.started) == {
        "well": 1,
        "killed": ATTEMPTS,
        "crashed": ATTEMPTS,
        "mistaken": 1,
        "killed once": 2,
        "damaged": 1,
    }
    assert reasons.keys() == {"killed", "crashed", "mistaken", "damaged"}
    assert reasons["mistaken"] == "the disk is full."
    assert reasons["killed"].startswith("killed by signal 9, 3 times; what it printed is in ")
    assert reasons["crashed"].startswith("ended with status 1, 3 times; what it printed is in ")
    damaged = tmp_path / "damaged" / "history.csv"
    assert reasons["damaged"] == (
        f"{damaged} is damaged (it is not a table of epochs); remove the folder and train again."
    )
    said = capfd.readouterr().err
    assert "killed once  killed by signal 9; tried again, 2 of 3\n" in said
    assert "well         finished  validation 100.00%  test 100.00%\n" in said


def test_what_is_finished_is_not_trained_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    planned = plan(tmp_path, "well", "killed once")
    assert Trainer().train(planned) == {}
    capfd.readouterr()
    again = Trainer()
    assert again.train(planned) == {}
    assert again.started == []
    assert capfd.readouterr().err == "Finished already: 2 of 2 runs.\n"


@pytest.mark.parametrize(("file", "finished"), [("history.csv", False), ("metrics.json", True)])
def test_a_run_that_was_damaged_before_fails_alone(
    tmp_path: Path, file: str, finished: bool
) -> None:
    planned = plan(tmp_path, "damaged", "well")
    create(planned[0].recipe, planned[0].folder)
    (planned[0].folder / file).write_text("[")
    assert planned[0].finished is finished
    trainer = Trainer()
    (name, reason), *others = trainer.train(planned).items()
    assert (name, others, trainer.started) == ("damaged", [], ["well"])
    assert reason.startswith(f"{planned[0].folder / file} is damaged (")
    assert planned[1].finished
