"""Accuracy of recipes for MNIST alone over all their seeds, and of ensembles.

    python -m benchmarks.records                  trains everything, in many core hours
    python -m benchmarks.records tiny vgg         trains these recipes
    python -m benchmarks.records --data PATH      trains on other data than MNIST
    python -m benchmarks.records --summary        prints the table

Runs are trained by `digits sweep`, one on each core; those of `best` and `vgg` are trained by
`digits train --recipe NAME --ensemble 10`. Both keep their folders in --work, and the same command
resumes where it was interrupted. Schedules are fixed, every run opens the test set once, at its
end, and every seed counts. Since runs share the machine, their times mean little. `fast` and
`default` are measured, with their times, by `python -m benchmarks.training`.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import RESULTS_FOLDER, ROOT
from benchmarks.harness import command_line
from benchmarks.harness.intervals import mean_interval
from benchmarks.harness.json_lines import Line, Lines, read_lines, write_lines
from benchmarks.training import KEPT

RESULTS = RESULTS_FOLDER / "records.jsonl"
ENSEMBLES = ("best", "vgg")  # recipes whose seeds are also averaged and distilled
SEEDS = {
    "tiny": 10,
    "vgg": 10,
    "resnet": 5,
    "vgg --network cnn": 5,  # shows what depth is worth
    "best": 10,
}


def main() -> None:
    parser = command_line.parser(__doc__, RESULTS)
    command_line.add_data_flag(parser)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(SEEDS)}")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("runs/records"),
        metavar="DIR",
        help="folder of the runs (default: runs/records)",
    )
    arguments = parser.parse_args()
    unknown = set(arguments.recipes) - set(SEEDS)
    if unknown:
        parser.error(
            f"there are no records of {', '.join(sorted(unknown))}; choose from {', '.join(SEEDS)}"
        )
    if not arguments.summary:
        data = command_line.given_data(parser, arguments)
        command_line.check_kept(parser, read_lines(arguments.out), data)
        for recipe in arguments.recipes or SEEDS:
            measured = train(recipe, arguments.work / recipe, arguments.data)
            others = [line for line in read_lines(arguments.out) if line["recipe_name"] != recipe]
            write(arguments.out, [*others, *measured])
    print(summary(read_lines(arguments.out)))


def train(recipe: str, folder: Path, data: Path | None = None) -> list[Line]:
    """Trains those seeds of a recipe that `folder` does not have yet, on MNIST or the data at a
    path.

    Returns:
        a line for each seed, and for an ensemble one more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count, of_data = SEEDS[recipe], command_line.data_flags(data)
    if recipe in ENSEMBLES:
        if not (folder / "metrics.json").exists():
            begin = ["--recipe", recipe, "--ensemble", str(count), "--out", str(folder)]
            _digits("train", *begin, *of_data)
        runs = sorted((folder / "members").glob("*/metrics.json"))
    else:
        spec = folder / "spec.txt"
        spec.write_text(f"--recipe {recipe} --seed 1..{count}\n")
        _digits("sweep", str(spec), "--out", str(folder / "runs"), *of_data)
        runs = sorted((folder / "runs").glob("*/metrics.json"))
    lines: list[Line] = [
        {"recipe_name": recipe, "seed": metrics["seed"]}
        | {key: metrics[key] for key in KEPT if key in metrics}
        | command_line.of_run(metrics)
        for metrics in (json.loads(run.read_text()) for run in runs)
    ]
    lines.sort(key=lambda line: line["seed"])
    if recipe in ENSEMBLES:
        metrics = json.loads((folder / "metrics.json").read_text())
        line = {"recipe_name": recipe, "seed": None, "ensemble": metrics["ensemble"]}
        lines.append(line | command_line.of_run(metrics))
    return lines


def _digits(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "digits.cli", *arguments], cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


def write(path: Path, lines: Lines) -> None:
    """Writes the lines in the order of `SEEDS`; the order within a recipe stays."""
    order = list(SEEDS)
    write_lines(path, sorted(lines, key=lambda line: order.index(line["recipe_name"])))


def by_recipe(lines: Lines) -> dict[str, list[Line]]:
    """The runs of each recipe, without its ensemble."""
    return {
        recipe: [line for line in lines if line["recipe_name"] == recipe and line["seed"]]
        for recipe in dict.fromkeys(line["recipe_name"] for line in lines)
    }


def summary(lines: Lines) -> str:
    """A line for each recipe, with mean, deviation and interval over its seeds, and one for each
    ensemble."""
    table = []
    for recipe, runs in by_recipe(lines).items():
        accuracies = [run["test_accuracy"] for run in runs]
        table.append(f"{recipe:17s} {runs[0]['parameters']:7,}  {_spread(accuracies)}")
    for line in lines:
        if "ensemble" in line:
            table.append(_ensemble(line))
    return "\n".join(table) or command_line.NOTHING


def block(lines: Lines) -> str:
    """The table of all recipes, in Markdown."""
    rows = []
    for recipe, runs in by_recipe(lines).items():
        accuracies = [run["test_accuracy"] for run in runs]
        low, high = mean_interval(accuracies)
        rows.append(
            f"| `{recipe}` | {runs[0]['parameters']:,} | {runs[0]['mflop']:.1f} "
            f"| {statistics.fmean(accuracies):.3%} ± {statistics.stdev(accuracies):.3%} "
            f"| {low:.2%} to {high:.2%} | {runs[0]['seed']}–{runs[-1]['seed']} "
            f"| {statistics.fmean(run['ece'] for run in runs):.2%} |"
        )
    return "\n".join(
        [
            "| recipe | parameters | MFLOP an image | test accuracy | interval of the mean "
            "| seeds | calibration error |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            " ".join(_ensemble(line) for line in lines if "ensemble" in line),
            "",
            "Mean ± standard deviation over all seeds, the last epoch of a fixed schedule. Every "
            "run: [records.jsonl](benchmarks/results/records.jsonl), and for `fast` and `default` "
            "[training.jsonl](benchmarks/results/training.jsonl).",
        ]
    )


def _ensemble(line: Line) -> str:
    """The accuracy of an ensemble, and of the network that was distilled from it."""
    figures = line["ensemble"]
    mean, student = (
        "{:.2%} ({:.2%} to {:.2%})".format(of["test_accuracy"], *of["test_accuracy_interval"])
        for of in (figures["mean"], figures["student"])
    )
    return (
        f"The mean of {len(figures['members'])} `{line['recipe_name']}` networks reads {mean}; one "
        f"network distilled from them reads {student}."
    )


def _spread(accuracies: Sequence[float]) -> str:
    low, high = mean_interval(accuracies)
    worst, best = min(accuracies), max(accuracies)
    return (
        f"{statistics.fmean(accuracies):.3%} ± {statistics.stdev(accuracies):.3%} "
        f"(mean {low:.3%} to {high:.3%}; {len(accuracies)} seeds, {worst:.2%} to {best:.2%})"
    )


if __name__ == "__main__":
    main()
