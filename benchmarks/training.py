"""Accuracy and training time of our recipes beside the Keras textbook CNN, in one run.

    python -m benchmarks.training                writes benchmarks/results/training.jsonl
    python -m benchmarks.training --resume       continues an interrupted run
    python -m benchmarks.training --data PATH    trains on other data than MNIST
    python -m benchmarks.training --summary      prints the table

Each training is a process of its own: our main command as a user runs it, figures and report
included, or `benchmarks.textbook`. They take turns, so that a machine that slows down slows all of
them, and mean times are compared. Run nothing else meanwhile. It takes half an hour on two cores.
Where the processor computes in bfloat16, `default` is also trained in float32, as others do.

A ratio of times holds for the machine and the load that it was measured under. So each line also
has the load average (over one minute, this benchmark's own processes included) before and after the
process, and its CPU time, which divided by its time is the number of cores that it kept busy.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import RESULTS_FOLDER, ROOT
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, Lines, append_line, read_lines, write_lines
from digits.runs.recipes import fastest_precision

RESULTS = RESULTS_FOLDER / "training.jsonl"
FIGURES = ROOT / "docs" / "figures"
FLOAT32 = "default float32"
KEPT = (
    "test_accuracy",
    "test_accuracy_interval",
    "test_errors",
    "test_loss",
    "ece",
    "precision",
    "recall",
    "f1",
    "confusion_matrix",
    "parameters",
    "mflop",
    "train_seconds",
    "cores",
    "versions",
    "recipe",
)


@dataclass(frozen=True)
class Row:
    """What was measured for one recipe, or for the textbook CNN, over all its seeds.

    Accuracies are fractions; times are means over seeds, and ratios are to the textbook CNN's.

    Attributes:
        busy_cores: CPU time of the process divided by its time.
        load: lowest and highest load average before and after the processes.
    """

    name: str
    seeds: tuple[int, ...]
    parameters: int
    accuracy: float
    accuracy_sd: float
    loss: float
    ece: float
    train_seconds: float
    process_seconds: float
    train_ratio: float
    process_ratio: float
    peak_memory_mb: float
    busy_cores: float
    load: tuple[float, float]


def plan() -> list[tuple[str, int]]:
    """Every training in order: what is trained, and its seed."""
    jobs: list[tuple[str, int]] = []
    for seed in range(1, 6):
        if seed <= 3:
            jobs += [("textbook", seed)]
        jobs += [("default", seed), ("fast", 2 * seed - 1), ("fast", 2 * seed)]
        if seed <= 2 and fastest_precision() != "float32":
            jobs += [(FLOAT32, seed)]
    return jobs


def measure(name: str, seed: int, out: Path, data: Path | None = None) -> Line:
    """Trains in a process of its own, on MNIST or the data at a path; returns its metrics and what
    the whole process took."""
    command = [sys.executable]
    if name == "textbook":
        command += ["-m", "benchmarks.textbook"]
    else:
        recipe, *precision = name.split()
        command += ["mnist_model.py", "--recipe", recipe]
        command += ["--precision", *precision] if precision else []
    command += ["--seed", str(seed), "--out", str(out), *command_line.data_flags(data)]
    load_before = os.getloadavg()[0]
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
    ) as process:
        try:
            assert process.stderr is not None
            errors = process.stderr.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()  # do not leave it behind when interrupted
            raise
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed with status {process.returncode}:\n{errors}")
    metrics = json.loads((out / "metrics.json").read_text())
    return {key: metrics[key] for key in KEPT if key in metrics} | {
        "process_seconds": seconds,
        "process_cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_memory_mb": usage.ru_maxrss / 1024,  # Linux counts it in KiB
        "load_average": [load_before, os.getloadavg()[0]],
        "machine_cores": os.cpu_count(),
        **command_line.of_run(metrics),
    }


def main() -> None:
    parser = command_line.parser(__doc__, RESULTS)
    command_line.add_data_flag(parser)
    parser.add_argument("--resume", action="store_true", help="keep the lines that are there")
    arguments = parser.parse_args()
    results: Path = arguments.out
    if not arguments.summary:
        data = command_line.given_data(parser, arguments)
        if not arguments.resume:
            write_lines(results, [])
        command_line.check_kept(parser, read_lines(results), data)
        run(results, arguments.data)
    print(summary(read_lines(results)))


def run(results: Path, data: Path | None = None) -> None:
    """Does what is planned and not in the file yet, on MNIST or the data at a path, and appends a
    line for each training."""
    done = {(line["name"], line["seed"]) for line in read_lines(results)}
    for name, seed in plan():
        if (name, seed) in done:
            continue
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            measured = measure(name, seed, out, data)
            if (name, seed) == ("default", 1) and command_line.OWN_DATA not in measured:
                FIGURES.mkdir(parents=True, exist_ok=True)
                for figure in out.glob("*.png"):
                    shutil.copy(figure, FIGURES / figure.name)
        line = {"name": name, "seed": seed} | measured
        append_line(results, line)
        print(
            f"{name:15s} seed {seed:2d}  {line['test_accuracy']:.2%}  "
            f"training {line['train_seconds']:6.1f} s  process {line['process_seconds']:6.1f} s  "
            f"{line['peak_memory_mb']:5.0f} MB",
            flush=True,
        )


def rows(lines: Lines) -> list[Row]:
    """Groups the lines of this benchmark by recipe, in the order in which they appear."""

    def mean(name: str, key: str) -> float:
        return statistics.fmean(line[key] for line in lines if line["name"] == name)

    def row(name: str) -> Row:
        of_name = [line for line in lines if line["name"] == name]
        accuracies = [line["test_accuracy"] for line in of_name]
        loads = [load for line in of_name for load in line["load_average"]]
        return Row(
            name=name,
            seeds=tuple(line["seed"] for line in of_name),
            parameters=of_name[0]["parameters"],
            accuracy=mean(name, "test_accuracy"),
            accuracy_sd=statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0,
            loss=mean(name, "test_loss"),
            ece=mean(name, "ece"),
            train_seconds=mean(name, "train_seconds"),
            process_seconds=mean(name, "process_seconds"),
            train_ratio=mean(name, "train_seconds") / mean("textbook", "train_seconds"),
            process_ratio=mean(name, "process_seconds") / mean("textbook", "process_seconds"),
            peak_memory_mb=max(line["peak_memory_mb"] for line in of_name),
            busy_cores=mean(name, "process_cpu_seconds") / mean(name, "process_seconds"),
            load=(min(loads), max(loads)),
        )

    return [row(name) for name in dict.fromkeys(line["name"] for line in lines)]


def conditions(lines: Lines) -> str:
    """What the ratios depend on, as a sentence: how busy the machine was."""
    found = rows(lines)
    busy = ", ".join(f"{row.name} {row.busy_cores:.2f}" for row in found)
    loads = [load for row in found for load in row.load]
    return (
        f"Of {lines[0]['machine_cores']} cores the processes kept busy, in the mean, {busy}; the "
        f"load average, their own included, was {min(loads):.1f} to {max(loads):.1f}."
    )


def summary(lines: Lines) -> str:
    """A line for each recipe, with means over seeds, and what the ratios depend on."""
    if not lines:
        return command_line.NOTHING
    table = [
        f"{row.name:15s} {len(row.seeds):2d} seeds  {row.accuracy:.3%} ± {row.accuracy_sd:.3%}  "
        f"training {row.train_seconds:6.1f} s = {row.train_ratio:.3f}  "
        f"process {row.process_seconds:6.1f} s = {row.process_ratio:.3f}  "
        f"at most {row.peak_memory_mb:.0f} MB"
        for row in rows(lines)
    ]
    return "\n".join([*table, conditions(lines)])


if __name__ == "__main__":
    main()
