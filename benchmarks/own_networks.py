"""The networks of the documentation's tutorial on networks of one's own, trained and measured.

    python -m benchmarks.own_networks              writes benchmarks/results/own_networks.jsonl
    python -m benchmarks.own_networks --data PATH  trains on other data than MNIST
    python -m benchmarks.own_networks --summary    prints the table

Each is trained by `digits train --network docs/examples/…`, as the tutorial does, with every seed.
It takes some minutes on two cores. Times are not compared, so other programs may run meanwhile.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import RESULTS_FOLDER, ROOT
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, Lines

RESULTS = RESULTS_FOLDER / "own_networks.jsonl"
NETWORKS = ("docs/examples/mlp.py:build", "docs/examples/transformer.py:build")
FLAGS = ("--recipe", "fast", "--epochs", "3", "--learning-rate", "0.003")  # as in the tutorial
SEEDS = (1, 2, 3)
KEPT = (
    *("parameters", "mflop", "outputs", "test_accuracy", "test_errors", "test_accepted"),
    *("non_digits_accepted", "recipe", "cores", "versions"),
)


def main() -> int:
    parser = command_line.parser(__doc__, RESULTS)
    command_line.add_data_flag(parser)

    def measure(arguments: argparse.Namespace) -> list[Line]:
        command_line.given_data(parser, arguments)  # what is wrong with them is said once
        return [train(network, seed, arguments.data) for network in NETWORKS for seed in SEEDS]

    return command_line.main(parser, measure, summary)


def train(network: str, seed: int, data: Path | None) -> Line:
    """Trains one network in a process of its own, on MNIST or the data at a path; returns its
    figures."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "digits.cli", "train", "--network", network, *FLAGS]
        command += ["--seed", str(seed), "--out", str(out), *command_line.data_flags(data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
        metrics = json.loads((out / "metrics.json").read_text())
    line = {"network": network, "seed": seed} | {key: metrics[key] for key in KEPT}
    line |= command_line.of_run(metrics)
    print(f"{network}, seed {seed}: {line['test_accuracy']:.2%}", file=sys.stderr, flush=True)
    return line


def rows(lines: Lines) -> list[list[str]]:
    """The cells of each network: name, parameters, MFLOP, accuracy, non-digits accepted, seeds."""
    found = []
    for network in dict.fromkeys(line["network"] for line in lines):
        runs = [line for line in lines if line["network"] == network]
        accuracies = [run["test_accuracy"] for run in runs]
        accepted = statistics.fmean(run["non_digits_accepted"] for run in runs)
        found.append(
            [
                network.removeprefix("docs/examples/"),
                f"{runs[0]['parameters']:,}",
                f"{runs[0]['mflop']:.1f}",
                f"{statistics.fmean(accuracies):.2%} ± {statistics.stdev(accuracies):.2%}",
                f"{accepted:.1%}",
                ", ".join(str(run["seed"]) for run in runs),
            ]
        )
    return found


def summary(lines: Lines) -> str:
    """A line for each network."""
    return "\n".join("  ".join(row) for row in rows(lines))


def block(lines: Lines) -> str:
    """The table of the tutorial, in Markdown."""
    body = [f"| `{name}` | {' | '.join(cells)} |" for name, *cells in rows(lines)]
    return "\n".join(
        [
            "| network | parameters | MFLOP an image | MNIST's test digits read "
            "| non-digits accepted | seeds |",
            "|---|---|---|---|---|---|",
            *body,
            "",
            f"Means ± standard deviations, with `{' '.join(FLAGS)}`. Every run: "
            "[own_networks.jsonl](benchmarks/results/own_networks.jsonl).",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
