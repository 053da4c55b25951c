"""Which of MNIST's labels our models dispute, and whether people dispute them too.

    python -m benchmarks.suspects                writes benchmarks/results/suspects.jsonl
    python -m benchmarks.suspects --folder DIR   with the search in DIR, begun or finished there
    python -m benchmarks.suspects --summary      prints what is there

It runs `digits evaluate --suspects --epochs 5`, in a process of its own, and puts the figure into
docs/figures. Takes some five minutes on two cores that do nothing else; with all 15 epochs of the
default recipe it would be a quarter of an hour.
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
from benchmarks.harness.json_lines import Lines, read_lines

RESULTS = RESULTS_FOLDER / "suspects.jsonl"
FIGURE = ROOT / "docs" / "figures" / "suspects.png"
# Test images whose label fewer than three of five people confirmed, of the 100 that Northcutt,
# Athalye & Mueller (2021) had rated: mturk/mnist_mturk.json of github.com/cleanlab/label-errors,
# commit 5457895. Nothing is chosen by them.
UNCONFIRMED = [947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679]
UNCONFIRMED += [9729]
EPOCHS = 5
FIRST = (20, 100)  # ranks among which they are counted


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines")
    parser.add_argument("--folder", type=Path, help="of the search (default: a temporary one)")
    parser.add_argument("--summary", action="store_true", help="print what is there and end")
    arguments = parser.parse_args()
    if not arguments.summary:
        with tempfile.TemporaryDirectory() as temporary:
            folder = arguments.folder or Path(temporary) / "search"
            search(folder)
            lines = collect(folder)
            FIGURE.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / "suspects.png", FIGURE)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(summary(read_lines(arguments.out)))
    return 0


def search(folder: Path) -> None:
    """Runs the search to its end, or what is left of it."""
    if (folder / "suspects.json").exists():
        return
    begun = (folder / "plan.json").exists()
    how = ["--resume", str(folder)] if begun else ["--out", str(folder), "--epochs", str(EPOCHS)]
    command = [sys.executable, "-m", "digits.cli", "evaluate", "--suspects", *how]
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        sys.exit(f"{' '.join(command)} failed; its message is above.")


def collect(folder: Path) -> Lines:
    """A line for the search, one for each half of MNIST, one for each suspect."""
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
        for half, told in halves.items()
        for row in told.pop("ranked")
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
    """What was found, in sentences that Markdown takes."""
    told = {line["what"]: line for line in lines if "what" in line}
    search, training, test = (told[what] for what in ("search", "training", "test"))
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
