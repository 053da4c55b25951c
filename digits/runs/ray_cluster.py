"""Runs trained as tasks of Ray, on this machine or on a cluster whose machines share a disk."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from digits.errors import DigitsError
from digits.runs.processes import STOP_SECONDS, Cores, start_training, stop, usable_cores
from digits.runs.run import Run
from digits.runs.scheduler import Engine, Poll
from digits.runs.workers import ADDRESS, responds
from digits.terminal import needing

STARTS = 3  # attempts to start Ray here: it gives itself 30 s, too little on a loaded machine
SHARED_SECONDS = 90  # in which a file that one machine wrote appears on the others
KILLED = -9  # exit status of a killed process on Unix


@contextmanager
def engine(address: str | None = None, data: Path | None = None) -> Iterator[Engine]:
    """Trains as tasks of Ray, one core each. Those still running when the block ends are stopped.

    `address` is as for `ray.init`; by default, a Ray of this machine alone. `data` is as for
    `digits train --data`; every machine of the cluster must have it. Raises DigitsError if Ray is
    not installed, does not start, or no cluster answers.
    """
    ray = _connect(address)
    task = ray.remote(num_cpus=1, max_retries=0)(train_in_task)
    promises: list[Any] = []

    def start(run: Run) -> Poll:
        there = replace(run, folder=run.folder.absolute())
        promises.append(task.remote(there, data and data.absolute()))
        return _statuses(ray, promises[-1], run).__next__

    try:
        yield Engine(lambda: max(1, int(ray.cluster_resources().get("CPU", 1))), start)
    finally:
        try:
            for promise in promises:  # those that have ended ignore it
                ray.cancel(promise)
            if promises:
                ray.wait(promises, num_returns=len(promises), timeout=STOP_SECONDS + 5)
        finally:
            ray.shutdown()


def _statuses(ray: Any, promise: Any, run: Run) -> Iterator[int | None]:
    """What each poll of a task returns; DigitsError if no run can succeed on this cluster."""
    while not ray.wait([promise], timeout=0)[0]:
        yield None
    try:
        status = ray.get(promise)
    except ray.exceptions.RayTaskError as error:
        raise DigitsError(
            f"Ray could not train {run.folder} ({error.cause}); every machine of the cluster needs "
            "this version of this package."
        ) from None
    except ray.exceptions.RayError:  # its worker or its machine is gone
        status = KILLED
    if isinstance(status, str):
        raise DigitsError(status)
    deadline = time.monotonic() + SHARED_SECONDS
    while status == 0 and not run.finished:
        if time.monotonic() > deadline:
            raise DigitsError(_not_shared(run.folder, "this machine"))
        yield None
    yield status


def train_in_task(run: Run, data: Path | None) -> int | str:
    """Resumes a run in a process beside Ray's worker, on a core that no other task uses. Returns
    the exit status, or a sentence if the run's folder is not on this machine."""
    if not (run.folder / "run.json").exists():
        return _not_shared(run.folder, socket.gethostname())
    with unused_core() as cores:
        process = start_training(run, cores, data)
        try:
            while (status := process.poll()) is None:  # cancelling cannot interrupt `wait`
                time.sleep(0.1)
            return status
        finally:
            stop([process])


@contextmanager
def unused_core() -> Iterator[Cores]:
    """Reserves a core that no other task on this machine has; none if all are taken.

    Ray counts cores but does not assign them. A Unix socket's name belongs to one process, and is
    free again as soon as that process ends, however it ends.
    """
    for core in usable_cores():
        with socket.socket(socket.AF_UNIX) as mark:
            try:
                mark.bind(f"\0digits trains on core {core}")
            except OSError:  # another task has it
                continue
            yield [core]
            return
    yield []


def _connect(address: str | None) -> Any:
    """The module `ray`, connected to a cluster or to processes that it starts on this machine."""
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # otherwise it warns of a change to come
    }
    with needing("--engine ray", "train,cluster"):
        import ray
    # If nothing listens there, Ray itself tries for many minutes, with a line for each attempt.
    if address and ADDRESS.fullmatch(address) and not responds(address):
        raise DigitsError(
            f"No Ray cluster answers at {address}; start it with: ray start --head, or correct "
            "--address."
        )
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if not address:
        options |= {
            "num_cpus": len(usable_cores()) or os.cpu_count(),
            "include_dashboard": False,
            "object_store_memory": 100 << 20,  # nothing is stored; Ray would take a third of memory
        }
    for attempts_left in reversed(range(1 if address else STARTS)):
        try:
            ray.init(address=address or "local", **options)
            break
        except Exception as error:  # Ray raises many kinds, and a bare one when its time is up
            ray.shutdown()
            if attempts_left:
                continue
            where = f"connect to {address}" if address else "start on this machine"
            reason = str(error).partition("\n")[0].rstrip(".")
            raise DigitsError(f"Ray could not {where}: {reason}.") from None
    return ray


def _not_shared(folder: Path, machine: str) -> str:
    return (
        f"{folder} is not on {machine}; --out must be on a disk that all machines of the cluster "
        "share."
    )
