"""A sweep of short runs, two processes at once, against the same one after another.

    python -m benchmarks.sweep               writes benchmarks/results/sweep.jsonl
    python -m benchmarks.sweep --summary     prints what is there

Eight runs of the recipe `fast`, seeds 1 to 8, by `digits sweep` as a user gives it. One after
another means `--processes 1`, where each run has all cores to itself; with `--processes 2` each has
half of them. Run nothing else meanwhile. Two turns take ten minutes on two cores.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import RESULTS_FOLDER
from benchmarks.harness import interleaving
from benchmarks.harness.json_lines import Lines

RESULTS = RESULTS_FOLDER / "sweep.jsonl"
AT_ONCE = (2, 1)


def measure(flags: str, at_once: int) -> float:
    """Seconds that a whole sweep takes, from command to prompt."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.txt"
        spec.write_text(flags + "\n")
        command = [sys.executable, "-m", "digits.cli", "sweep", str(spec)]
        command += ["--out", f"{folder}/out", "--processes", str(at_once)]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            _, errors = process.communicate()
        except BaseException:
            process.terminate()  # whoever stops the benchmark stops what it started
            process.wait()
            raise
        seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{shlex.join(command)} ended with {process.returncode}:\n{errors.decode()}")
    return seconds


def summary(lines: Lines) -> str:
    """Mean seconds of both, and how many times as fast two at once are."""
    two, one = (interleaving.mean_seconds(lines, at_once) for at_once in AT_ONCE)
    return (
        f"{lines[0]['runs']} runs, two at once: {two:.1f} s; one after another: {one:.1f} s, "
        f"{one / two:.2f} times as long, on {lines[0]['cores']} cores"
    )


def main() -> None:
    parser = interleaving.parser(__doc__, RESULTS)
    parser.add_argument("--flags", default="--recipe fast", help="of each run")
    parser.add_argument("--runs", type=int, default=8, help="in a sweep")
    arguments = parser.parse_args()
    flags = f"{arguments.flags} --seed 1..{arguments.runs}"
    told = {"runs": arguments.runs, "flags": flags, "cores": len(os.sched_getaffinity(0))}

    def sweep(at_once: int) -> dict[str, Any]:
        return told | {"seconds": measure(flags, at_once)}

    interleaving.take(arguments, AT_ONCE, sweep, summary)


if __name__ == "__main__":
    main()
