"""Does Ray train a sweep, and is there a sentence for it when it cannot?"""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from processes import PATIENCE, digits_sweep

from benchmarks.harness.json_lines import read_lines
from benchmarks.workers import free_addresses
from digits.errors import DigitsError
from digits.runs import ray_cluster
from digits.runs.recipes import RECIPES
from digits.runs.run import Run


def test_a_sweep_on_ray(tiny: Path) -> None:
    folder = tiny.parent / "out"
    process = digits_sweep(tiny, "--out", folder, "--engine", "ray")
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert errors.count("finished  validation") == 2
    assert {line.split()[1] for line in errors.splitlines()} <= {"epoch", "finished"}
    lines = read_lines(folder / "sweep.jsonl")
    assert [line["seed"] for line in lines] == [1, 2]
    assert all(line["cores"] == 1 for line in lines)
    assert "   2  1-2\n" in output


def test_without_ray_a_sentence_says_what_to_install(tiny: Path) -> None:
    program = (
        "import sys; sys.modules['ray'] = None\nfrom digits.cli import main\n"
        f"sys.exit(main(['sweep', {str(tiny)!r}, '--engine', 'ray', '--out', 'out']))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tiny.parent
    )
    assert found.returncode == 2
    assert "ray is not installed, which --engine ray needs" in found.stderr
    assert 'pip install -e ".[train,cluster]"' in found.stderr
    assert found.stderr.count("\n") == 1


def test_an_address_at_which_nothing_answers(tiny: Path) -> None:
    """Ray itself would try for minutes; it is not even asked."""
    (address,) = free_addresses(1)
    process = digits_sweep(
        tiny, "--out", tiny.parent / "out", "--engine", "ray", "--address", address
    )
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (2, "")
    assert errors.startswith(f"digits sweep: No Ray cluster answers at {address}; start it with")
    assert errors.count("\n") == 1


class Ray(SimpleNamespace):
    """As much of Ray as starting it takes, which fails some times."""

    def __init__(self, failures: int) -> None:
        super().__init__(init=self.start, shutdown=self.end, failures=failures, started=[], ended=0)
        self.remote = lambda **_: lambda function: function

    def start(self, address: str, **_: object) -> None:
        self.started.append(address)
        if len(self.started) <= self.failures:
            raise Exception("The current node timed out during startup.\nThis could happen.")

    def end(self) -> None:
        self.ended += 1


def test_ray_that_takes_too_long_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = Ray(failures=ray_cluster.STARTS - 1)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with ray_cluster.engine():
        pass
    assert ray.started == ["local"] * ray_cluster.STARTS
    assert ray.ended == ray_cluster.STARTS  # what a failed start left behind, and in the end


@pytest.mark.parametrize(
    ("address", "attempts", "reason"),
    [
        (None, ray_cluster.STARTS, "Ray could not start on this machine: The current node timed"),
        ("auto", 1, "Ray could not connect to auto: The current node timed"),
    ],
)
def test_ray_that_does_not_start(
    monkeypatch: pytest.MonkeyPatch, address: str | None, attempts: int, reason: str
) -> None:
    ray = Ray(failures=100)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(DigitsError) as caught, ray_cluster.engine(address):
        pass
    assert str(caught.value) == f"{reason} out during startup."
    assert len(ray.started) == ray.ended == attempts


def test_a_machine_that_does_not_share_the_disk(tmp_path: Path) -> None:
    """The task says so."""
    said = ray_cluster.train_in_task(Run(tmp_path / "elsewhere", RECIPES["fast"]), None)
    assert isinstance(said, str)
    assert "must be on a disk that all machines of the cluster share" in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process choose its cores")
def test_tasks_on_one_machine_get_a_core_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1003, 1004})
    with ray_cluster.unused_core() as first, ray_cluster.unused_core() as second:
        assert [first, second] == [[1003], [1004]]
        with ray_cluster.unused_core() as third:
            assert third == []
    with ray_cluster.unused_core() as again:
        assert again == [1003]
