"""Do several workers train as one process does, and does the loss of one merely stop the others?"""

import argparse
import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from processes import PATIENCE, SMALL, mnist_model

from benchmarks.workers import free_addresses
from digits import cli
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runs import recipes, workers
from digits.runs.workers import Team
from digits.training import dataset, distributed
from digits.training.distributed import PACKAGE
from digits.training.train import train

# float32, so that only the order of additions differs; a batch for two workers or three; and no
# distortion, which takes long to compile and is the same here as anywhere.
RECIPE = ["--recipe", "fast", *SMALL, "--epochs", "4", "--precision", "float32", "--batch", "960"]
Process = subprocess.Popen[str]
Main = Callable[..., tuple[int, str, str]]


@pytest.fixture
def main(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, mnist: Mnist) -> Main:
    """Runs `digits train` in this process; it must end before it needs TensorFlow."""
    monkeypatch.delenv("TF_CONFIG", raising=False)

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        return (cli.main(["train", *map(str, arguments)]), *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, mnist: Mnist) -> Path:
    """The state that one process ends with."""
    state = tmp_path_factory.mktemp("workers") / "alone.npz"
    train_alone(state, mnist)
    return state


def train_alone(state: Path, mnist: Mnist) -> None:
    parser = argparse.ArgumentParser()
    recipes.add_flags(parser)
    recipe = recipes.from_flags(parser.parse_args(RECIPE))
    assert recipe is not None
    train(recipe, *dataset.prepare(recipe, mnist), state, shards=2)


@contextmanager
def at_work(
    count: int, *of_first: str | Path, others: Sequence[str] = ()
) -> Iterator[list[Process]]:
    """Starts the workers of one run, and kills those that are left in the end."""
    addresses = ",".join(free_addresses(count))
    processes = [
        mnist_model("--workers", addresses, "--index", str(index), *(others if index else of_first))
        for index in range(count)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def ended(process: Process) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, output, errors


def wait_for_epochs(folder: Path, count: int, processes: Sequence[Process]) -> None:
    """Waits until at least `count` epochs are saved."""
    history = folder / "history.csv"
    while not history.exists() or len(history.read_text().splitlines()) < count + 1:
        assert [process.poll() for process in processes] == [None] * len(processes)
        time.sleep(0.05)


def assert_close(one: Path, other: Path) -> None:
    """Rounding grows from step to step, so the first epoch is the closest."""
    with np.load(one) as first, np.load(other) as second:
        assert first.files == second.files
        assert second["history"][0, 3] == pytest.approx(first["history"][0, 3], rel=5e-4)  # loss
        for name in first.files:
            if name != "history":
                apart = np.linalg.norm(first[name] - second[name])
                assert apart <= 0.3 * np.linalg.norm(first[name]), name


def test_two_workers_end_with_the_weights_of_one(alone: Path, tmp_path: Path) -> None:
    """Worker 1 gets no recipe and no folder."""
    folder = tmp_path / "run"
    with at_work(2, "--out", folder, *RECIPE) as processes:
        results = [ended(process) for process in processes]
    assert [(status, errors) for status, _, errors in results] == [(0, "")] * 2
    weights = [re.findall(r"weights ([0-9a-f]{64})", output) for _, output, _ in results]
    assert len(weights[0]) == 1
    assert weights[0] == weights[1]
    assert_close(alone, folder / "state.npz")
    assert "Test accuracy" in results[0][1]
    assert "Test accuracy" not in results[1][1]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["workers"] == 2
    assert metrics["test_accuracy"] > 0.9
    assert (folder / "bundle" / "manifest.json").exists()


def test_one_is_killed_the_others_stop_and_fewer_resume(
    alone: Path, mnist: Mnist, tmp_path: Path
) -> None:
    """Three train until one dies, two resume until Ctrl-C stops one, and one process finishes."""
    folder = tmp_path / "run"
    with at_work(3, "--out", folder, *RECIPE) as processes:
        wait_for_epochs(folder, 1, processes)
        processes[2].kill()
        for process in processes[:2]:
            status, _, errors = ended(process)
            assert status == 2
            assert re.fullmatch(
                r"mnist_model.py: Workers? .*2 \(localhost:\d+\) stopped; what is finished is "
                r"saved: start all workers again, worker 0 with --resume.\n",
                errors,
            )
    with at_work(2, "--resume", folder, others=["--resume", "not-on-this-disk"]) as processes:
        wait_for_epochs(folder, 2, processes)
        processes[1].send_signal(signal.SIGINT)
        results = [ended(process) for process in processes]
    assert [(status, errors) for status, _, errors in results] == [(130, "")] * 2
    saved = len((folder / "history.csv").read_text().splitlines()) - 1
    assert f"Stopped after epoch {saved} of 4, which is saved." in results[0][1]
    assert f"Stopped; worker 0 has saved {saved} epochs." in results[1][1]
    train_alone(folder / "state.npz", mnist)
    assert_close(alone, folder / "state.npz")
    assert not list(folder.glob("*.part"))


def test_worker_0_is_killed_and_the_other_stops(tmp_path: Path) -> None:
    with at_work(2, "--out", tmp_path / "run", *RECIPE) as processes:
        wait_for_epochs(tmp_path / "run", 1, processes)
        processes[0].kill()
        status, _, errors = ended(processes[1])
    assert status == 2
    assert re.search(r"Worker 0 \(localhost:\d+\) stopped; what is finished is saved", errors)
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")}),
    ids=str,
)
def test_a_change_of_code_in_any_folder_makes_another_program(folder: Path, tmp_path: Path) -> None:
    """Workers compare their programs before they train."""
    copy = shutil.copytree(PACKAGE, tmp_path / "digits", ignore=shutil.ignore_patterns("*.pyc"))
    before = distributed._program(copy)
    assert before == distributed._program()
    changed = next((copy / folder).glob("*.py"))
    changed.write_text(changed.read_text() + "# changed\n")
    after = distributed._program(copy)
    assert {name for name in before if after[name] != before[name]} == {"digits"}


def test_other_recipes_are_refused(tmp_path: Path) -> None:
    with at_work(
        2, "--out", tmp_path / "run", *RECIPE, others=[*RECIPE, "--epochs", "5"]
    ) as processes:
        for process in processes:
            status, _, errors = ended(process)
            assert status == 2
            assert re.search(
                r"Worker 1 \(.*\) has another recipe .*: epochs 5 instead of 4", errors
            )
            assert errors.count("\n") == 1
    assert not (tmp_path / "run" / "state.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--workers", "a:1,b:2"], "--workers needs --index"),
        (["--index", "0"], "give --workers, too"),
        (["--workers", "a:1,b:2", "--index", "2"], "must be from 0 to 1"),
        (["--workers", "a:1,b:2", "--index", "-1"], "must be from 0 to 1"),
        (["--workers", "a:1,b", "--index", "0"], "'b' in --workers is not HOST:PORT"),
        (["--workers", "a:1,b:70000", "--index", "0"], "'b:70000' in --workers is not HOST:PORT"),
        (["--workers", "a:1,,b:2", "--index", "0"], "'' in --workers is not HOST:PORT"),
        (["--workers", "a:1,a:1", "--index", "0"], "names a:1 twice"),
        (["--workers", "a:1,b:2", "--index", "0", "--ensemble", "2"], "leave --workers out"),
        (["--workers", "a:1,b:2,c:3", "--index", "0"], "128 does not divide among 3 workers"),
        (["--workers", "a:1,b:2,c:3", "--index", "1", "--batch", "5"], "5 does not divide"),
    ],
)
def test_mistakes(main: Main, tmp_path: Path, arguments: list[str], reason: str) -> None:
    status, output, errors = main("--out", tmp_path / "run", *arguments)
    assert (status, output) == (2, "")
    assert reason in errors
    assert errors.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_port_in_use(main: Main, tmp_path: Path) -> None:
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        addresses = f"{free_addresses(1)[0]},localhost:{port}"
        status, _, errors = main("--workers", addresses, "--index", "1")
    assert status == 2
    assert f"Port {port} cannot be opened here (Address already in use)" in errors
    assert errors.count("\n") == 1


def test_a_worker_that_never_comes(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 1)
    addresses = free_addresses(2)
    with (
        socket.create_server(("localhost", 0)) as one,
        socket.create_server(("localhost", 0)) as two,
    ):
        addresses += [f"localhost:{there.getsockname()[1]}" for there in (one, two)]
        status, output, errors = main(
            "--workers", ",".join(addresses), "--index", "0", "--out", tmp_path / "run"
        )
    assert status == 2
    assert "Worker 0 of 4 waits for the others, at most 1 seconds." in output
    assert f"Worker 1 ({addresses[1]}) did not start within 1 seconds" in errors
    assert errors.count("\n") == 1


def test_tf_config(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = {"worker": ["b:2", "c:3"]}

    def team(text: str) -> Team | None:
        monkeypatch.setenv("TF_CONFIG", text)
        return workers.team_of(None, None)

    def config(kind: str, index: int) -> str:
        return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})

    assert team("") is None
    assert team(config("worker", 1)) == Team(("b:2", "c:3"), 1)
    cluster["chief"] = ["a:1"]
    assert team(config("chief", 0)) == Team(("a:1", "b:2", "c:3"), 0)
    assert team(config("worker", 1)) == Team(("a:1", "b:2", "c:3"), 2)
    assert workers.team_of("d:4,e:5", 1) == Team(("d:4", "e:5"), 1)
    cluster.clear()
    cluster["worker"] = ["a:1"]
    assert team(config("worker", 0)) is None
    for wrong in ("{", "[]", '{"cluster": {}}', config("evaluator", 0), "7"):
        with pytest.raises(DigitsError, match="TF_CONFIG does not say which worker"):
            team(wrong)
    with pytest.raises(DigitsError, match="must be from 0 to 0"):
        team(config("worker", 1))
