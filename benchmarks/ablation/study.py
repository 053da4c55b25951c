"""Runs every training of the ablation, each in a process and on a core of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import ROOT
from benchmarks.ablation import plan
from benchmarks.ablation.effects import mnist, others
from benchmarks.harness import command_line, pinned_processes
from benchmarks.harness.json_lines import Line
from digits.errors import DigitsError


def run(results: Path, processes: int | None, limit: int | None, data: Path | None = None) -> int:
    """Trains what is planned and not in the results yet.

    Args:
        results: JSON lines, which are appended to.
        processes: how many run at a time; None is as many as there are cores.
        limit: how many digits of every set, from the first on; None is all.
        data: where MNIST is; None finds or downloads it.

    Returns:
        how many trainings failed.

    Raises:
        DigitsError: the sets could not be prepared, or `processes` or `limit` is out of range.
    """
    if limit is not None and limit < plan.RECIPE.batch:
        raise DigitsError(f"--limit must be at least {plan.RECIPE.batch}, a batch, not {limit}.")
    with tempfile.TemporaryDirectory() as folder:
        digits = Path(folder) / "digits.npz"
        limited = [] if limit is None else ["--limit", str(limit)]
        program = [sys.executable, "-m", "benchmarks.ablation.training", *limited]
        prepared = subprocess.run(
            [*program, "--prepare", digits],
            cwd=ROOT,
            env=os.environ | pinned_processes.QUIET,
            capture_output=True,
            text=True,
        )
        if prepared.returncode:
            raise DigitsError(f"The sets could not be prepared: {prepared.stderr[-500:].strip()}")

        def command(job: pinned_processes.Job, core: int) -> list[str]:
            name, seed = job
            row = ["--row", name, "--seed", str(seed), "--digits", str(digits)]
            return [*program, *row, "--core", str(core), *command_line.data_flags(data)]

        return pinned_processes.run(results, plan.jobs(), command, describe, processes)


def describe(line: Line) -> str:
    """What is printed of a training that has ended."""
    return f"{mnist(line):.2f}% of MNIST, {others(line):.2f}% of the others"
