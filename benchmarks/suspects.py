"""Which of MNIST's labels our models dispute, and whether people dispute them too.

    python -m benchmarks.suspects                writes benchmarks/results/suspects.jsonl
    python -m benchmarks.suspects --folder DIR   with the search in DIR, begun or finished there
    python -m benchmarks.suspects --summary      prints what was found

It runs `digits evaluate --suspects --epochs 5` in a process of its own, and copies the figure to
docs/figures. On two otherwise idle cores that takes about five minutes; with all epochs of the
default recipe it would take a quarter of an hour.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import RESULTS_FOLDER, ROOT
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, Lines
from digits.errors import DigitsError

RESULTS = RESULTS_FOLDER / "suspects.jsonl"
FIGURE = ROOT / "docs" / "figures" / "suspects.png"
# Test images whose label fewer than three of five people confirmed, of the 100 that Northcutt,
# Athalye & Mueller (2021) had rated: mturk/mnist_mturk.json of github.com/cleanlab/label-errors,
# commit 5457895. Nothing was chosen with their help.
UNCONFIRMED = [947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679]
UNCONFIRMED += [9729]
EPOCHS = 5
FIRST = (20, 100)  # the most disputed test labels, among which they are counted


def main() -> int:
    parser = command_line.parser(__doc__, RESULTS)
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="of the search (default: a temporary one)"
    )
    command_line.add_data_flag(parser, only_mnist=True)  # people looked at these labels alone

    def measure(arguments: argparse.Namespace) -> list[Line]:
        command_line.given_data(parser, arguments)  # what is wrong with them is said at once
        return search_and_collect(arguments.folder, arguments.data)

    return command_line.main(parser, measure, summary)


def search_and_collect(wanted: Path | None, data: Path | None) -> list[Line]:
    """Searches in a folder, by default a temporary one, and copies the figure to the documentation;
    MNIST may be at a path."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted or Path(temporary) / "search"
        search(folder, data)
        FIGURE.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "suspects.png", FIGURE)
        return collect(folder)


def search(folder: Path, data: Path | None) -> None:
    """Runs the search, or what is left of it.

    Raises:
        DigitsError: it failed.
    """
    if (folder / "suspects.json").exists():
        return
    begun = (folder / "plan.json").exists()
    how = ["--resume", str(folder)] if begun else ["--out", str(folder), "--epochs", str(EPOCHS)]
    command = [sys.executable, "-m", "digits.cli", "evaluate", "--suspects", *how]
    command += command_line.data_flags(data)
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        raise DigitsError(f"{' '.join(command)} failed; see its message above.")


def collect(folder: Path) -> list[Line]:
    """Reads a finished search: a line for it, one for each half of MNIST, one for each suspect."""
    figures = json.loads((folder / "suspects.json").read_text())
    with (folder / "scores.csv").open() as file:
        ranks = {
            int(row["index"]): int(row["rank"])
            for row in csv.DictReader(file)
            if row["half"] == "test"
        }
    halves = {half: figures.pop(half) for half in ("training", "test")}
    suspects = [
        {"half": half, **row}
        for half, found in halves.items()
        for row in found.pop("ranked")
        if row["suspect"]
    ]
    unconfirmed = {"unconfirmed": len(UNCONFIRMED)} | {
        f"unconfirmed_in_first_{count}": sum(ranks[index] <= count for index in UNCONFIRMED)
        for count in FIRST
    }
    return [
        {"what": "search", **figures},
        {"what": "training", **halves["training"]},
        {"what": "test", **halves["test"], **unconfirmed},
        *suspects,
    ]


def summary(lines: Lines) -> str:
    """What was found, as a paragraph of Markdown."""
    by_what = {line["what"]: line for line in lines if "what" in line}
    search, training, test = (by_what[what] for what in ("search", "training", "test"))
    counted = " and ".join(
        f"{test[f'unconfirmed_in_first_{count}']} are among the {count} most disputed"
        for count in FIRST
    )
    return f"""\
{search["folds"]} models of the recipe `{search["recipe"]["name"]}`, trained for \
{search["recipe"]["epochs"]} epochs, each without the images that it judges, disagree with the \
labels of {training["disputed"]} of the {training["images"]:,} training images \
({training["disputed"] / training["images"]:.2%}). Labels that are likely wrong: \
{training["suspects"]}. The mean of the models disagrees with the labels of {test["disputed"]} of \
the {test["images"]:,} test images ({test["disputed"] / test["images"]:.2%}). Labels that are \
likely wrong: {test["suspects"]}. Of the {test["unconfirmed"]} test labels that fewer than three \
of five people confirmed ([Northcutt et al. 2021](https://arxiv.org/abs/2103.14749)), {counted}."""


if __name__ == "__main__":
    sys.exit(main())
