"""Runs trained on this machine, each in a process of its own on its share of the cores."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from digits.runs.engine import STOP_SECONDS, Engine, Poll
from digits.runs.run import Run

Cores = Sequence[int]  # that a process may use; empty for any
Process = subprocess.Popen[bytes]

PACKAGE_PARENT = Path(__file__).parent.parent.parent  # where a child finds an uninstalled package


@contextmanager
def engine(count: int | None = None, data: Path | None = None) -> Iterator[Engine]:
    """Trains in processes of this machine. Those still running when the block ends are stopped.

    Args:
        count: runs at once, which share the cores that this process may use; default one per core.
        data: as for `digits train --data`.
    """
    shares = shares_of_cores(count)
    running: dict[int, Process] = {}  # by place in `shares`

    def start(run: Run) -> Poll:
        place = next(place for place in range(len(shares)) if place not in running)
        process = running[place] = start_training(run, shares[place], data)

        def poll() -> int | None:
            status = process.poll()
            if status is not None:
                running.pop(place, None)
            return status

        return poll

    try:
        yield Engine(lambda: len(shares), start)
    finally:
        stop(list(running.values()))


def shares_of_cores(count: int | None) -> list[Cores]:
    """Divides the cores that this process may use among `count` runs at once, default one each.

    If there are more runs than cores, some share a core. Only Linux lets a process choose its
    cores; elsewhere the shares are empty.
    """
    cores = usable_cores()
    count = count or len(cores) or os.cpu_count() or 1
    if not cores:
        return [()] * count
    if count > len(cores):
        return [[cores[place % len(cores)]] for place in range(count)]
    bounds = [place * len(cores) // count for place in range(count + 1)]
    return [cores[low:high] for low, high in itertools.pairwise(bounds)]


def usable_cores() -> list[int]:
    """The cores that this process may use, ascending; empty where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def start_training(run: Run, cores: Cores, data: Path | None) -> Process:
    """Starts a process that resumes a run and appends what it prints to `run.output`."""
    command = [sys.executable, "-m", "digits.runs.child", str(os.getpid())]
    command += [",".join(map(str, cores)), "train", "--resume", str(run.folder)]
    command += ["--data", str(data)] if data else []
    paths = [str(PACKAGE_PARENT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with run.output.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C reaches the parent alone, which passes it on once
        )


def stop(processes: Sequence[Process]) -> None:
    """Ends processes as Ctrl-C does, and kills those that take longer than `STOP_SECONDS`.

    A second Ctrl-C kills them at once.
    """
    try:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        with contextlib.suppress(subprocess.TimeoutExpired):
            for process in processes:
                process.wait(max(0, deadline - time.monotonic()))
    finally:
        for process in processes:
            process.kill()
            process.wait()
