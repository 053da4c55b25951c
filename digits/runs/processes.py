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

from digits.runs.run import Run
from digits.runs.scheduler import Engine, Poll

Cores = Sequence[int]  # that a process may use; empty for any
Process = subprocess.Popen[bytes]

STOP_SECONDS = 20  # that a run gets to end in after it is asked to
PACKAGE_PARENT = Path(__file__).parent.parent.parent  # where a child finds an uninstalled package


@contextmanager
def engine(count: int | None = None, data: Path | None = None) -> Iterator[Engine]:
    """Trains in processes of this machine. Those still running when the block ends are stopped.

    Args:
        count: runs at once, which share the cores that this process may use; default one per core.
        data: as for `digits train --data`.
    """
    shares = shares_of_cores(count)
    processes: dict[int, Process] = {}  # the last one on each share

    def start(run: Run) -> Poll:
        at_work = [place for place, process in processes.items() if process.poll() is None]
        free = next(place for place in range(len(shares)) if place not in at_work)
        processes[free] = start_training(run, shares[free], data)
        return processes[free].poll

    try:
        yield Engine(lambda: len(shares), start)
    finally:
        stop(list(processes.values()))


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
