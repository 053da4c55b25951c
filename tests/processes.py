"""Processes: commands started as a user starts them, and what test processes share."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parent.parent
# 8,000 training digits in 8 steps an epoch: seconds, and the same code as any run.
SMALL = ["--network", "small", "--held-out", "52000", "--batch", "1000"]
SMALL += ["--variants", "300", "--non-digits", "700"]
# 2,000 training digits in 42 steps an epoch.
TINY = ["--recipe", "fast", *SMALL, "--held-out", "58000", "--batch", "50", "--variants", "50"]
TINY += ["--non-digits", "50", "--epochs", "2"]
PATIENCE = 900  # seconds, for a machine that is busy with other things

Command = Callable[..., subprocess.CompletedProcess[str]]


def mnist_model(*arguments: str | Path) -> subprocess.Popen[str]:
    """Starts the main command with its output in pipes."""
    # Without what the tests set for TensorFlow in this process.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    return subprocess.Popen(
        [sys.executable, "mnist_model.py", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def digits_sweep(*arguments: str | Path) -> subprocess.Popen[str]:
    """Starts `digits sweep` with its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "digits.cli", "sweep", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(true: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Waits for something, which a process that must not end meanwhile may have to do."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def descendants(process: int) -> list[int]:
    """The numbers of all processes that a process and its descendants have started."""
    found = [process]
    for one in found:
        with suppress(OSError):  # it has ended meanwhile
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found[1:]


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder that all test processes share; the first one to enter the block fills it while the
    others wait."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(folder.with_suffix(".lock")):
        yield folder
