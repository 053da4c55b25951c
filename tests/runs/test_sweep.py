"""Does a sweep train each recipe once, whatever is killed meanwhile?"""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from processes import PATIENCE, TINY, digits_sweep, wait_until

from benchmarks.harness.json_lines import read_lines
from digits.cli import main
from digits.errors import DigitsError
from digits.runs import run as runs
from digits.runs import sweep
from digits.runs.recipes import RECIPES

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


def children(pid: int) -> list[int]:
    """Processes that a process started and that have not ended."""
    return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_run_is_identified_by_its_recipe(tmp_path: Path) -> None:
    """Not by its line or its name, which may have stood for another recipe before."""
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


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A finished sweep of two runs, one of which was killed: its folder, output and errors."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "spec.txt").write_text(f"{' '.join(TINY)} --seed 1..2\n")
    process = digits_sweep(folder / "spec.txt", "--out", folder / "out")
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
    # It was resumed after its last epoch: no epoch is printed twice.
    assert [killed.read_text().count(f"epoch {epoch}: ") for epoch in (1, 2)] == [1, 1]
    assert "\nAll figures of each run: " in output


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
    process = digits_sweep(folder / "spec.txt", "--out", folder / "out")
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (0, before)
    assert errors == "Finished already: 2 of 2 runs.\n"
    assert {path: path.stat().st_mtime for path in folder.glob("out/*/*")} == files


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_a_sweep_ends_its_runs(tiny: Path, number: signal.Signals) -> None:
    process = digits_sweep(tiny, "--out", tiny.parent / "out")
    wait_until(lambda: len(children(process.pid)) == 2, process)
    started = children(process.pid)
    wait_until(lambda: len([*tiny.parent.glob("out/*/output.txt")]) == 2, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE)
    wait_until(lambda: not any(map(alive, started)))
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        return
    assert process.returncode == 128 + number
    assert "Resume with the same command." in errors
    assert "Traceback" not in errors


def test_two_sweeps_do_not_train_into_one_folder(
    tiny: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tiny.parent / "out"
    out.mkdir()
    with sweep.locked(out):
        assert main(["sweep", str(tiny), "--out", str(out)]) == 2
    assert f"Another command is training into {out}; wait for it to end" in capfd.readouterr().err
    assert not [*out.glob("fast*")]
    with sweep.locked(out):  # it is free again
        pass


@linux
def test_a_killed_sweep_leaves_no_lock(tmp_path: Path) -> None:
    program = (
        "import os; from pathlib import Path; from digits.runs import sweep\n"
        f"with sweep.locked(Path({str(tmp_path)!r})): print('locked', flush=True); input()"
    )
    command = [sys.executable, "-c", program]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(DigitsError, match="Another command"), sweep.locked(tmp_path):
        pass
    process.kill()
    process.communicate()
    with sweep.locked(tmp_path):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP])
def test_a_disk_without_locks_is_used_without_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    for _ in range(2):
        with sweep.locked(tmp_path), sweep.locked(tmp_path):
            pass


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--processes", "0"], "--processes must be at least 1, not 0"),
        (["--processes", "2", "--engine", "ray"], "Ray gives each run a core"),
        (["--address", "10.0.0.1:6379"], "names a Ray cluster; add --engine ray"),
        (["--out", "/proc/here"], "cannot be used"),
    ],
)
def test_mistakes(
    tiny: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert main(["sweep", str(tiny), "--out", str(tiny.parent / "out"), *arguments]) == 2
    assert reason in capfd.readouterr().err
