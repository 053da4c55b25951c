"""A sweep of short runs, two processes at a time, beside the same sweep one run after another.

    python -m benchmarks.sweep               writes benchmarks/results/sweep.jsonl
    python -m benchmarks.sweep --data PATH   trains on other data than MNIST
    python -m benchmarks.sweep --summary     prints what was measured

It runs `digits sweep` as a user does, with eight runs of the recipe `fast`, seeds 1 to 8. With
`--processes 1` each run has all cores to itself; with `--processes 2` each has half of them. Run
nothing else meanwhile. Two turns take ten minutes on two cores.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import RESULTS_FOLDER
from benchmarks.harness import command_line, interleaving
from benchmarks.harness.json_lines import Line, Lines

RESULTS = RESULTS_FOLDER / "sweep.jsonl"
AT_ONCE = (2, 1)  # processes


def measure(flags: str, at_once: int, data: Path | None) -> float:
    """The seconds that a whole sweep takes, from command to prompt, on MNIST or the data at a
    path."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.txt"
        spec.write_text(flags + "\n")
        command = [sys.executable, "-m", "digits.cli", "sweep", str(spec)]
        command += ["--out", f"{folder}/out", "--processes", str(at_once)]
        command += command_line.data_flags(data)
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            _, errors = process.communicate()
        except BaseException:
            process.terminate()  # do not leave it behind when interrupted
            process.wait()
            raise
        seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(
            f"{shlex.join(command)} failed with status {process.returncode}:\n{errors.decode()}"
        )
    return seconds


def summary(lines: Lines) -> str:
    """The mean seconds of both, and their ratio."""
    two, one = (interleaving.mean_seconds(lines, at_once) for at_once in AT_ONCE)
    return (
        f"{lines[0]['runs']} runs on {lines[0]['cores']} cores, two at a time: {two:.1f} s; one "
        f"after another: {one:.1f} s, {one / two:.2f} times as long"
    )


def main() -> None:
    parser = interleaving.parser(__doc__, RESULTS)
    parser.add_argument(
        "--flags", default="--recipe fast", help="of each run (default: --recipe fast)"
    )
    command_line.add_data_flag(parser)
    parser.add_argument("--runs", type=int, default=8, help="in a sweep (default: 8)")
    arguments = parser.parse_args()
    flags = f"{arguments.flags} --seed 1..{arguments.runs}"
    sweep: Line = {"runs": arguments.runs, "flags": flags, "cores": len(os.sched_getaffinity(0))}
    if not arguments.summary:
        sweep |= command_line.of_data(command_line.given_data(parser, arguments))

    def measured(at_once: int) -> Line:
        return sweep | {"seconds": measure(flags, at_once, arguments.data)}

    interleaving.take_turns(arguments, AT_ONCE, measured, summary)


if __name__ == "__main__":
    main()
