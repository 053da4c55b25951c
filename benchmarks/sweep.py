"""A sweep of short runs, two processes at once, against the same one after another.

    python -m benchmarks.sweep               writes benchmarks/results/sweep.jsonl
    python -m benchmarks.sweep --summary     prints what is there

Eight runs of the recipe `fast`, seeds 1 to 8, by `digits sweep` as a user gives it. One after
another means `--processes 1`, where each run has all cores to itself; with `--processes 2` each has
half of them. Both take turns, so that a machine that slows down slows both. Run nothing else
meanwhile. Two turns take ten minutes on two cores.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import FOLDER, Lines, read_lines

RESULTS = FOLDER / "sweep.jsonl"
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
    if {line["processes"] for line in lines} != {*AT_ONCE}:
        return "Nothing is measured yet."
    means = {
        at_once: statistics.fmean(line["seconds"] for line in lines if line["processes"] == at_once)
        for at_once in AT_ONCE
    }
    return (
        f"{lines[0]['runs']} runs, two at once: {means[2]:.1f} s; one after another: "
        f"{means[1]:.1f} s, {means[1] / means[2]:.2f} times as long, on {lines[0]['cores']} cores"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines")
    parser.add_argument("--flags", default="--recipe fast", help="of each run")
    parser.add_argument("--runs", type=int, default=8, help="in a sweep")
    parser.add_argument("--turns", type=int, default=2, help="sweeps of each kind")
    parser.add_argument("--summary", action="store_true", help="print what is there and end")
    arguments = parser.parse_args()
    if not arguments.summary:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text("")
        for turn in range(1, arguments.turns + 1):
            for at_once in AT_ONCE:
                flags = f"{arguments.flags} --seed 1..{arguments.runs}"
                line = {
                    "processes": at_once,
                    "turn": turn,
                    "runs": arguments.runs,
                    "flags": flags,
                    "seconds": measure(flags, at_once),
                    "cores": len(os.sched_getaffinity(0)),
                }
                with arguments.out.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(f"turn {turn}, {at_once} at once: {line['seconds']:.1f} s", flush=True)
    print(summary(read_lines(arguments.out)))


if __name__ == "__main__":
    main()
