"""Trainings in processes of their own, each pinned to a core. Finished ones are not repeated."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks import ROOT
from benchmarks.harness.json_lines import Line, append_line, read_lines
from digits.errors import DigitsError

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}

Job = tuple[str, int]
Command = Callable[[Job, int], list[str]]


@dataclass(frozen=True)
class Training:
    """A training that is running, or has just ended."""

    job: Job
    process: subprocess.Popen[str]
    errors: IO[str]
    started: float


def run(
    results: Path,
    jobs: Sequence[Job],
    command: Command,
    describe: Callable[[Line], str],
    processes: int | None = None,
) -> int:
    """Runs a process for each job that is not in the results yet.

    A line is appended when a process succeeds. A process that fails or is killed is reported and
    skipped; the next `run` tries it again.

    Args:
        results: JSON lines with `row` and `seed`.
        jobs: rows and seeds.
        command: takes a job and the number of a core, and returns a command that prints a line of
            JSON.
        describe: takes such a line and returns what is printed of it.
        processes: how many run at a time, at most (and by default) as many as there are cores.

    Returns:
        how many failed.

    Raises:
        DigitsError: more processes than cores.
    """
    pins = hasattr(os, "sched_getaffinity")
    cores = sorted(os.sched_getaffinity(0)) if pins else list(range(os.cpu_count() or 1))
    if processes is not None and not 1 <= processes <= len(cores):
        raise DigitsError(
            f"--processes must be from 1 to {len(cores)}, the number of cores, not {processes}."
        )
    done = {(line["row"], line["seed"]) for line in read_lines(results)}
    waiting = [job for job in jobs if job not in done]
    total, ended, failed = len(waiting), 0, 0
    running: dict[int, Training] = {}
    try:
        while waiting or running:
            for core in cores[:processes]:
                if core not in running and waiting:
                    job = waiting.pop(0)
                    running[core] = _start(job, command(job, core))
            time.sleep(0.05)
            for core, training in list(running.items()):
                if training.process.poll() is None:
                    continue
                del running[core]
                ended += 1
                failed += training.process.returncode != 0
                print(f"{ended} of {total}  {_finish(training, results, describe)}", flush=True)
    finally:
        for training in running.values():  # do not leave processes behind when interrupted
            training.process.kill()
            training.process.communicate()
            training.errors.close()
    return failed


def _start(job: Job, command: list[str]) -> Training:
    # A file, since a pipe that is not read meanwhile would fill up.
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed when the process has ended
    environment = os.environ | QUIET
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    return Training(job, process, errors, time.monotonic())


def _finish(training: Training, results: Path, describe: Callable[[Line], str]) -> str:
    """Keeps what a process printed, if it succeeded, and describes how it ended."""
    output, _ = training.process.communicate()
    training.errors.seek(0)
    last = training.errors.read().strip().splitlines()[-1:]
    training.errors.close()
    name, seed = training.job
    text = f"{name}, seed {seed}: {time.monotonic() - training.started:.0f} s"
    if status := training.process.returncode:
        return "\n".join([f"{text}, FAILED with status {status}; --resume tries it again", *last])
    line = json.loads(output)
    append_line(results, line)
    return f"{text}, {describe(line)}"
