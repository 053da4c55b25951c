"""Trainings as processes, each on a core of its own; what is finished is never done again."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks import ROOT
from benchmarks.harness.json_lines import read_lines
from digits.errors import DigitsError

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}

Job = tuple[str, int]
Command = Callable[[Job, int], list[str]]


@dataclass(frozen=True)
class Training:
    """One that is running, or has just ended."""

    job: Job
    process: subprocess.Popen[str]
    errors: IO[str]
    started: float


def run(
    results: Path,
    jobs: Sequence[Job],
    command: Command,
    told: Callable[[dict[str, Any]], str],
    processes: int | None = None,
) -> int:
    """Runs a process for each job that is not in the file yet.

    A line is appended when a process ends well. One that fails or is killed is told and passed
    over: the next `run` tries it again.

    Args:
        results: JSON lines with `row` and `seed`.
        jobs: rows and seeds.
        command: from a job and the number of a core to a command that prints a line of JSON.
        told: from such a line to what a screen shows of it.
        processes: how many at a time, at most as many as there are cores (the default).

    Returns:
        how many failed.

    Raises:
        DigitsError: more processes than cores.
    """
    able = hasattr(os, "sched_getaffinity")
    cores = sorted(os.sched_getaffinity(0)) if able else list(range(os.cpu_count() or 1))
    if processes is not None and not 1 <= processes <= len(cores):
        raise DigitsError(f"--processes must be from 1 to {len(cores)}, the cores there are.")
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
                print(f"{ended} of {total}  {_finish(training, results, told)}", flush=True)
    finally:
        for training in running.values():  # whoever stops the study stops what it started
            training.process.kill()
            training.process.communicate()
            training.errors.close()
    return failed


def _start(job: Job, command: list[str]) -> Training:
    # A file, since a pipe that nobody reads meanwhile would fill.
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed when the process has ended
    environment = os.environ | QUIET
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    return Training(job, process, errors, time.monotonic())


def _finish(training: Training, results: Path, told: Callable[[dict[str, Any]], str]) -> str:
    """Keeps what an ended process printed, if it ended well, and says how it went."""
    output, _ = training.process.communicate()
    training.errors.seek(0)
    last = training.errors.read().strip().splitlines()[-1:]
    training.errors.close()
    name, seed = training.job
    text = f"{name}, seed {seed}: {time.monotonic() - training.started:.0f} s"
    if status := training.process.returncode:
        return "\n".join([f"{text}, FAILED with status {status}; --resume tries it again", *last])
    line = json.loads(output)
    with results.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return f"{text}, {told(line)}"
