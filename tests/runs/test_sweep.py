"""Does a sweep train what is asked, once each, whatever is killed meanwhile?"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from processes import ROOT, SMALL

from benchmarks.harness.json_lines import read_lines
from digits.cli import main
from digits.errors import DigitsError
from digits.runs import engines, sweep, sweep_spec
from digits.runs import run as runs
from digits.runs.engines import Engine, Poll
from digits.runs.recipes import RECIPES, Recipe
from digits.runs.run import Run
from digits.runs.scheduler import ATTEMPTS, train_all

# 2,000 training digits in 42 steps an epoch, all of the chain.
TINY = " ".join([*SMALL, "--held-out 58000 --batch 50 --variants 50 --non-digits 50 --epochs 2"])
PATIENCE = 900  # seconds, for a machine that is busy with other things
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Starts a sweep as a user does, with its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "digits.cli", "sweep", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(pid: int) -> list[int]:
    """Processes that a process started and that have not ended."""
    return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def wait_until(true: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "spec.txt"
    path.write_text(f"# two seeds\n--recipe fast {TINY} --seed 1..2\n")
    return path


# What is to be trained.


def test_ranges_comments_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "spec.txt"
    path.write_text(
        "# ours\n\n--recipe fast --seed 1..3  # three seeds\n"
        "--recipe fast --seed=2..4\n--epochs 2..3 --seed 7..8 --dropout 0.1\n"
    )
    found = sweep_spec.read(path)
    fast, default = RECIPES["fast"], replace(RECIPES["default"], dropout=0.1)
    assert found == [replace(fast, seed=seed) for seed in (1, 2, 3, 4)] + [
        replace(default, epochs=epochs, seed=seed) for epochs in (2, 3) for seed in (7, 8)
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--epochs many", "argument --epochs: invalid int value: 'many'"),
        ("--recipe slow", "There is no recipe 'slow'"),
        ("--dropout 2", "--dropout must be from 0 to 0.95, not 2.0"),
        ("--out somewhere", "unrecognized arguments: --out somewhere"),
        ("fast", "unrecognized arguments: fast"),
        ("--seed 5..1", "the range 5..1 is empty; write 1..5"),
        ("--seed 1..99999999", "makes more than 10,000 runs"),
        ("--seed 1..200 --epochs 1..200", "more than 10,000 runs"),
        ("--seed", "argument --seed: expected one argument"),
        ('--recipe "fast', "No closing quotation"),
    ],
)
def test_a_line_that_is_no_recipe_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "spec.txt"
    path.write_text(f"--recipe fast\n\n{line}\n")
    with pytest.raises(DigitsError) as caught:
        sweep_spec.read(path)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read"), (b"# nothing\n", "names no run"), (b"\xff", "no text file")],
)
def test_no_spec(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "spec.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DigitsError, match=reason):
        sweep_spec.read(path)


def test_names_can_be_read_and_are_folders() -> None:
    fast = RECIPES["fast"]
    assert sweep_spec.name_of(fast) == "fast-seed-1"
    assert sweep_spec.name_of(replace(fast, dropout=0.5, seed=3)) == "fast-dropout-0.5-seed-3"
    assert sweep_spec.name_of(replace(fast, dropout=0.5, seed=3), seed=False) == "fast-dropout-0.5"
    long = Recipe(name="fast", batch=7, rotation=1, scaling=0.1, shear=0.1, shift=1, pen=0.1)
    names = {sweep_spec.name_of(replace(long, epochs=epochs)) for epochs in range(1, 50)}
    assert len(names) == 49
    assert max(map(len, names)) < 130


def test_a_run_is_known_by_its_recipe(tmp_path: Path) -> None:
    """Not by its line, nor by its name, which may have meant something else before."""
    fast = RECIPES["fast"]
    runs.create(replace(fast, seed=5), tmp_path / "whatever")
    runs.create(replace(fast, epochs=9), tmp_path / "fast-seed-1")
    (tmp_path / "fast-seed-3").mkdir()
    (tmp_path / "fast-seed-3" / "run.json-1a2b.part").write_text("half")
    (tmp_path / "fast-seed-4").mkdir()
    (tmp_path / "fast-seed-4" / "thesis.txt").write_text("years of work")
    planned = sweep.plan([replace(fast, seed=seed) for seed in (5, 1, 3, 4)], tmp_path)
    names = ["whatever", "fast-seed-1-2", "fast-seed-3", "fast-seed-4-2"]
    assert [run.name for run in planned] == names
    assert [run.folder for run in planned] == [tmp_path / name for name in names]


# Who trains it.

ENDS = {  # what a process does in the folder of a run that "trains" so
    "well": "open('metrics.json', 'w').write('{\"validation_accuracy\": 1, \"test_accuracy\": 1}')",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "crashed": "raise MemoryError",
    "mistaken": "import sys; print('digits train: the disk is full.'); sys.exit(2)",
    "killed once": "import os, pathlib; there = pathlib.Path('there')\n"
    "if there.exists(): open('metrics.json', 'w').write('{\"validation_accuracy\": 1, "
    '"test_accuracy": 1}\')\nelse: there.touch(); os.kill(os.getpid(), 9)',
}


def test_what_fails_is_tried_again_and_the_others_go_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    started = []

    def begin(folder: Path) -> Poll:
        started.append(folder.name)
        with (folder / "output.txt").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-c", ENDS[folder.name]], cwd=folder, stdout=output, stderr=output
            ).poll

    planned = [
        Run(tmp_path / name, replace(RECIPES["fast"], seed=seed)) for seed, name in enumerate(ENDS)
    ]
    failures = train_all(planned, Engine(lambda: 2, begin))
    assert {run.name for run in planned if run.finished} == {"well", "killed once"}
    assert {run.name: started.count(run.name) for run in planned} == {
        "well": 1,
        "killed": ATTEMPTS,
        "crashed": ATTEMPTS,
        "mistaken": 1,
        "killed once": 2,
    }
    reasons = {run.name: reason for run, reason in failures.items()}
    assert reasons["mistaken"] == "the disk is full."
    assert reasons["killed"].startswith("killed by signal 9, 3 times; what it said is in ")
    assert reasons["crashed"].startswith("ended with status 1, 3 times; what it said is in ")
    said = capfd.readouterr().err
    assert "killed once  killed by signal 9; tried again, 2 of 3\n" in said
    assert "well         finished  validation 100.00%  test 100.00%\n" in said
    # Asked again, what is finished is left alone.
    started.clear()
    train_all([run for run in planned if run.finished], Engine(lambda: 2, begin))
    assert started == []


@linux
def test_cores_are_dealt_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 4, 5, 9, 10})
    assert engines.shares_of_cores(None) == [[3], [4], [5], [9], [10]]
    assert engines.shares_of_cores(2) == [[3, 4], [5, 9, 10]]
    assert engines.shares_of_cores(1) == [[3, 4, 5, 9, 10]]
    assert engines.shares_of_cores(7) == [[3], [4], [5], [9], [10], [3], [4]]


@linux
def test_tasks_on_one_machine_get_a_core_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1003, 1004})
    with engines.core_of_its_own() as first, engines.core_of_its_own() as second:
        assert [first, second] == [[1003], [1004]]
        with engines.core_of_its_own() as third:
            assert third == []
    with engines.core_of_its_own() as again:
        assert again == [1003]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A finished sweep of two runs, one of which was killed: its folder, output and errors."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "spec.txt").write_text(f"--recipe fast {TINY} --seed 1..2\n")
    process = start(folder / "spec.txt", "--out", folder / "out")
    wait_until(lambda: [*folder.glob("out/*/history.csv")], process)
    begun = next(folder.glob("out/*/history.csv")).parent
    if sys.platform == "linux":
        (pid,) = (
            child
            for child in children(process.pid)
            if str(begun) in Path(f"/proc/{child}/cmdline").read_text()
        )
        os.kill(pid, signal.SIGKILL)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return folder, output, errors


@linux
def test_a_killed_run_is_tried_again_and_finished(swept: tuple[Path, str, str]) -> None:
    folder, output, errors = swept
    assert errors.count("killed by signal 9; tried again, 2 of 3") == 1
    assert errors.count("finished  validation") == 2
    (killed,) = (path for path in folder.glob("out/*/output.txt") if _starts(path) == 2)
    # It went on from its last epoch: none is told twice.
    assert [killed.read_text().count(f"epoch {epoch}: ") for epoch in (1, 2)] == [1, 1]
    assert "\nEvery figure of each run: " in output


def _starts(path: Path) -> int:
    return path.read_text().count("MNIST from")


def test_results_are_lines_of_json_and_a_table(swept: tuple[Path, str, str]) -> None:
    folder, output, _ = swept
    lines = read_lines(folder / "out" / "sweep.jsonl")
    assert [line["seed"] for line in lines] == [1, 2]
    for line in lines:
        metrics = json.loads((folder / "out" / line["folder"] / "metrics.json").read_text())
        assert line == {"name": line["name"], "folder": line["folder"], **metrics}
        assert 0.5 < line["test_accuracy"] < 1
    mean = sum(line["test_accuracy"] for line in lines) / 2
    deviation = abs(lines[0]["test_accuracy"] - lines[1]["test_accuracy"]) / 2**0.5
    assert f"{mean:.2%} ± {deviation:.2%}" in output
    assert "   2  1-2\n" in output
    assert max(map(len, output.splitlines())) <= 80 + len(str(folder))


def test_nothing_finished_is_run_twice(swept: tuple[Path, str, str]) -> None:
    folder, before, _ = swept
    files = {path: path.stat().st_mtime for path in folder.glob("out/*/*")}
    process = start(folder / "spec.txt", "--out", folder / "out")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, before)
    assert errors == "Finished already: 2 of 2 runs.\n"
    assert {path: path.stat().st_mtime for path in folder.glob("out/*/*")} == files


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_a_sweep_ends_its_runs(tiny: Path, number: signal.Signals) -> None:
    process = start(tiny, "--out", tiny.parent / "out")
    wait_until(lambda: len(children(process.pid)) == 2, process)
    started = children(process.pid)
    wait_until(lambda: len([*tiny.parent.glob("out/*/output.txt")]) == 2, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    wait_until(lambda: not any(map(alive, started)))
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        return
    assert process.returncode == 128 + number
    assert "Resume with the same command." in errors
    assert "Traceback" not in errors


def test_two_sweeps_do_not_train_into_one_folder(tiny: Path) -> None:
    with (
        sweep.alone(tiny.parent),
        pytest.raises(DigitsError, match="Another command is training"),
        sweep.alone(tiny.parent),
    ):
        pass
    assert not [*tiny.parent.glob("fast*")]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--processes", "0"], "--processes must be at least 1, not 0"),
        (["--processes", "2", "--engine", "ray"], "Ray gives each run a core"),
        (["--address", "10.0.0.1:6379"], "give --engine ray with it"),
        (["--out", "/proc/here"], "cannot be used"),
    ],
)
def test_mistakes(
    tiny: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert main(["sweep", str(tiny), "--out", str(tiny.parent / "out"), *arguments]) == 2
    assert reason in capfd.readouterr().err


# Ray.


def test_on_ray(tiny: Path) -> None:
    folder = tiny.parent / "out"
    process = start(tiny, "--out", folder, "--engine", "ray")
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert errors.count("finished  validation") == 2
    assert all(
        word in "epoch finished" for word in {line.split()[1] for line in errors.splitlines()}
    )
    lines = read_lines(folder / "sweep.jsonl")
    assert [line["seed"] for line in lines] == [1, 2]
    assert all(line["cores"] == 1 for line in lines)
    assert "   2  1-2\n" in output


def test_without_ray_it_says_what_to_install(tiny: Path) -> None:
    program = (
        "import sys; sys.modules['ray'] = None\nfrom digits.cli import main\n"
        f"sys.exit(main(['sweep', {str(tiny)!r}, '--engine', 'ray', '--out', 'out']))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tiny.parent
    )
    assert found.returncode == 2
    assert "ray is not installed" in found.stderr
    assert 'pip install -e ".[train,cluster]"' in found.stderr
    assert found.stderr.count("\n") == 1


def test_a_machine_that_does_not_share_the_disk(tmp_path: Path) -> None:
    """What a task finds there, and what is said of it."""
    said = engines.train_in_task(tmp_path / "elsewhere", None)
    assert isinstance(said, str)
    assert "must be on a disk that all machines of the cluster share" in said
