"""Accuracy and training time of our recipes beside the Keras textbook CNN, in one run.

    python -m benchmarks.training                writes benchmarks/results/training.jsonl
    python -m benchmarks.training --resume       goes on with an interrupted run
    python -m benchmarks.training --summary      prints the table of what is there

Each training is a process of its own: our main job as a user runs it, figures and report
included, or `benchmarks.textbook`. They take turns, so that a machine that slows down slows all of
them, and mean times are compared. Run nothing else meanwhile. All take twenty minutes on two cores.
"""

import argparse
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
from typing import Any

from benchmarks import RESULTS_FOLDER, ROOT
from benchmarks.harness.json_lines import Lines, read_lines

RESULTS = RESULTS_FOLDER / "training.jsonl"
FIGURES = ROOT / "docs" / "figures"
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
    """What the training benchmark found for one recipe over all its seeds.

    Accuracies are fractions; times are means over seeds, and ratios are to the textbook CNN's.
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


def plan() -> list[tuple[str, int]]:
    """Every training in order: what to train, and its seed."""
    jobs: list[tuple[str, int]] = []
    for seed in (1, 2, 3):
        jobs += [("textbook", seed), ("default", seed)]
        jobs += [("fast", 2 * seed - 1), ("fast", 2 * seed)]
    return jobs


def measure(name: str, seed: int, out: Path) -> dict[str, Any]:
    """Trains in a process of its own and returns its metrics with whole-process figures."""
    command = [sys.executable]
    if name == "textbook":
        command += ["-m", "benchmarks.textbook"]
    else:
        command += ["mnist_model.py", "--recipe", name]
    command += ["--seed", str(seed), "--out", str(out)]
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    try:
        assert process.stderr is not None
        errors = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()  # whoever stops the benchmark stops what it started
        raise
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with status {process.returncode}:\n{errors}")
    metrics = json.loads((out / "metrics.json").read_text())
    return {key: metrics[key] for key in KEPT if key in metrics} | {
        "process_seconds": seconds,
        "process_cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_memory_mb": usage.ru_maxrss / 1024,  # Linux counts it in KiB
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines")
    parser.add_argument("--resume", action="store_true", help="keep the lines that are there")
    parser.add_argument("--summary", action="store_true", help="print the table and end")
    arguments = parser.parse_args()
    results: Path = arguments.out
    if not arguments.summary:
        results.parent.mkdir(parents=True, exist_ok=True)
        if not arguments.resume:
            results.write_text("")
        run(results)
    print(summary(results))


def run(results: Path) -> None:
    """Does what of the plan is not in the file yet, appending a line for each training."""
    done = {(line["name"], line["seed"]) for line in read_lines(results)}
    for name, seed in plan():
        if (name, seed) in done:
            continue
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            measured = measure(name, seed, out)
            if (name, seed) == ("default", 1):
                FIGURES.mkdir(parents=True, exist_ok=True)
                for figure in out.glob("*.png"):
                    shutil.copy(figure, FIGURES / figure.name)
        line = {"name": name, "seed": seed} | measured
        with results.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(
            f"{name:9s} seed {seed:2d}  {line['test_accuracy']:.2%}  "
            f"{line['train_seconds']:6.1f} s training  {line['process_seconds']:6.1f} s in all  "
            f"{line['peak_memory_mb']:5.0f} MB",
            flush=True,
        )


def rows(lines: Lines) -> list[Row]:
    """Groups the lines of `benchmarks/training.py` by recipe, in the order of appearance."""

    def mean(name: str, key: str) -> float:
        return statistics.fmean(line[key] for line in lines if line["name"] == name)

    def row(name: str) -> Row:
        of_name = [line for line in lines if line["name"] == name]
        accuracies = [line["test_accuracy"] for line in of_name]
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
        )

    return [row(name) for name in dict.fromkeys(line["name"] for line in lines)]


def summary(results: Path) -> str:
    """A line for each recipe: mean and standard deviation over seeds, and times as ratios."""
    return "\n".join(
        f"{row.name:9s} {len(row.seeds):2d} seeds  {row.accuracy:.3%} ± {row.accuracy_sd:.3%}  "
        f"training {row.train_seconds:6.1f} s = {row.train_ratio:.3f}  "
        f"in all {row.process_seconds:6.1f} s = {row.process_ratio:.3f}  "
        f"at most {row.peak_memory_mb:.0f} MB"
        for row in rows(read_lines(results))
    )


if __name__ == "__main__":
    main()
