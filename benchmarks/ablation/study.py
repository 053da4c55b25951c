"""What each augmentation is worth, on MNIST and on handwriting that is not MNIST.

    DIGITS_HANDWRITING=DIR python -m benchmarks.ablation    writes benchmarks/results/ablation.jsonl
    python -m benchmarks.ablation --resume       goes on, and trains again what was killed
    python -m benchmarks.ablation --summary      prints the table of what is there
    python -m benchmarks.ablation --figure       draws docs/figures/ablation.png from it

Every row is trained with every seed: with no augmentation, with each one alone, with all that help
or were thought to, and with each of those left out. Nothing is drawn for training, no digits of
other hands and no non-digits, so that what is seen is the augmentation. The test digits are opened
once a training and chose nothing here.

Each training is a process on a core of its own, `--processes` of them at a time (default: as many
as there are cores). The whole study is 51 of them of about a minute, 25 minutes on two cores.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import RESULTS_FOLDER, ROOT
from benchmarks.handwriting_data import evaluation_sets as sets
from benchmarks.harness import pinned_processes
from benchmarks.harness.intervals import mean_interval
from benchmarks.harness.json_lines import Lines, read_lines
from digits.errors import DigitsError
from digits.runs.recipes import RECIPES, Recipe
from digits.studies import gallery

RESULTS = RESULTS_FOLDER / "ablation.jsonl"
FIGURE = ROOT / "docs" / "figures" / "ablation.png"
SEEDS = (1, 2, 3)
OTHERS = {  # sets of other people's digits, and their files
    "mousedrawn140": "mousedrawn140.npz",
    "hwd1000": "hwd1000.npz",
    "semeion16": "semeion16.npz",
    "pendigits": "pendigits_strokes.npz",
}
MNIST = ("validation", "test")

ALL = replace(
    RECIPES["default"],
    name="ablation",
    epochs=4,
    pen=0.5,  # these two as the default recipe had them when the results were written
    clutter=0,
    variants=0,
    non_digits=0,
    held_out=10_000,
)
AUGMENTATIONS = tuple(field for field in gallery.SHOWN if field != "clutter")
USED = tuple(field for field in AUGMENTATIONS if getattr(ALL, field))
FLIPS = ("horizontal_flip", "vertical_flip")


def _rows() -> dict[str, Recipe]:
    """Everything that is trained, by name."""
    nothing: dict[str, Any] = dict.fromkeys(AUGMENTATIONS, 0)
    rows = {"none": replace(ALL, **nothing), "all": ALL}
    for field in AUGMENTATIONS:
        if field != "reframed":  # alone it does nothing: MNIST's digits stand in MNIST's frame
            change: dict[str, Any] = {field: getattr(ALL, field) or gallery.SHOWN[field]}
            rows[field] = replace(rows["none"], **change)
    for field in USED:
        change = {field: 0}
        rows[f"all but {field}"] = replace(ALL, **change)
    return rows


ROWS = _rows()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines")
    parser.add_argument("--resume", action="store_true", help="keep the lines that are there")
    parser.add_argument("--processes", type=int, metavar="N", help="trainings at a time")
    parser.add_argument("--limit", type=int, metavar="N", help="a try: the first N of all only")
    parser.add_argument("--summary", action="store_true", help="print the table and end")
    parser.add_argument("--figure", type=Path, nargs="?", const=FIGURE, help="draw it and end")
    arguments = parser.parse_args()
    results: Path = arguments.out
    failed = 0
    try:
        if not (arguments.summary or arguments.figure):
            sets.folder()  # that it is there is known before anything is overwritten
            results.parent.mkdir(parents=True, exist_ok=True)
            if not arguments.resume:
                results.write_text("")
            failed = study(results, arguments.processes, arguments.limit)
        lines = read_lines(results)
        if arguments.figure is not None:
            from benchmarks.ablation.figure import draw

            draw(lines, arguments.figure)
    except DigitsError as error:
        print(error, file=sys.stderr)
        return 2
    print(summary(lines))
    return 1 if failed else 0


def study(results: Path, processes: int | None, limit: int | None) -> int:
    """Trains what of the plan is not in the file yet; returns how many trainings failed."""
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
            return [*program, *row, "--core", str(core)]

        return pinned_processes.run(results, plan(), command, told, processes)


def told(line: dict[str, Any]) -> str:
    """What a screen shows of a training that has ended."""
    return f"{mnist(line):.2f} % of MNIST, {others(line):.2f} % of the others"


def plan() -> list[pinned_processes.Job]:
    """Every training in order, seed by seed, so that an unfinished study compares, too."""
    return [(name, seed) for seed in SEEDS for name in ROWS]


# What came out.


@dataclass(frozen=True)
class Effect:
    """What a change does to an accuracy, in percentage points, seed against same seed.

    Attributes:
        mean: over the seeds.
        low, high: its 95 % interval by Student's t; both the mean if there is one seed only.
        each: per seed.
    """

    mean: float
    low: float
    high: float
    each: tuple[float, ...]


def mnist(line: dict[str, Any]) -> float:
    """Accuracy on MNIST's validation and test digits together, in percent."""
    return 100 * statistics.fmean(line["sets"][name]["accuracy"] for name in MNIST)


def others(line: dict[str, Any]) -> float:
    """Mean accuracy over the sets of other people's digits, in percent."""
    return 100 * statistics.fmean(line["sets"][name]["accuracy"] for name in OTHERS)


Metric = Callable[[dict[str, Any]], float]


def effect(lines: Lines, row: str, base: str, metric: Metric) -> Effect | None:
    """What training as `row` instead of as `base` changes; None without a seed that has both."""
    by_job = {(line["row"], line["seed"]): line for line in lines}
    seeds = sorted({seed for name, seed in by_job if name == row})
    each = tuple(
        metric(by_job[row, seed]) - metric(by_job[base, seed])
        for seed in seeds
        if (base, seed) in by_job
    )
    if not each:
        return None
    mean = statistics.fmean(each)
    low, high = mean_interval(each) if len(each) > 1 else (mean, mean)
    return Effect(mean, low, high, each)


def alone(lines: Lines, field: str, metric: Metric) -> Effect | None:
    """What an augmentation adds to none, or "all" of them."""
    return effect(lines, field, "none", metric)


def on_top(lines: Lines, field: str, metric: Metric) -> Effect | None:
    """What an augmentation that is used adds to the others that are."""
    return effect(lines, "all", f"all but {field}", metric)


def of_digit(digit: int) -> Metric:
    """The share of a digit's MNIST images that are read right, in percent."""

    def metric(line: dict[str, Any]) -> float:
        return 100 * statistics.fmean(line["sets"][name]["recall"][digit] for name in MNIST)

    return metric


def in_words(field: str) -> tuple[str, str]:
    """The name of an augmentation and how much of it was used."""
    recipe = ALL if field in USED else ROWS[field]
    return gallery.in_words(recipe)[field]


def summary(lines: Lines) -> str:
    """The table: a line for each row, accuracies as means over seeds."""
    if not lines:
        return "There are no results yet; run python -m benchmarks.ablation."
    text = [
        f"{'row':24s}{'seeds':>6s}{'validation':>12s}{'test':>9s}{'MNIST':>17s}{'the others':>21s}"
    ]
    for name in ROWS:
        of_row = [line for line in lines if line["row"] == name]
        if not of_row:
            continue
        accuracies = [
            100 * statistics.fmean(line["sets"][of]["accuracy"] for line in of_row) for of in MNIST
        ]
        base = "all" if name.startswith("all but") else "none"
        text.append(
            f"{name:24s}{len(of_row):6d}{accuracies[0]:12.2f}{accuracies[1]:9.2f}"
            f"{points(effect(lines, name, base, mnist)):>17s}"
            f"{statistics.fmean(map(others, of_row)):8.2f}"
            f"{points(effect(lines, name, base, others)):>16s}"
        )
    seconds = sum(line["cpu_seconds"] for line in lines)
    text.append(
        "in percent; with sign, points gained over 'none', and of 'all but' over 'all', with half "
        f"the width of the 95 % interval\n{len(lines)} trainings took {seconds:,.0f} core seconds"
    )
    return "\n".join(text)


def points(change: Effect | None) -> str:
    """An effect in points with half the width of its interval."""
    if change is None:
        return ""
    half = (change.high - change.low) / 2
    mean = f"{change.mean:+.2f}".replace("-", "−")
    return f"{mean} ± {half:.2f}" if len(change.each) > 1 else mean


def ablation_block(lines: Lines) -> str:
    """The table of what each is worth, and which digits mirroring harms most.

    Args:
        lines: of the whole study, as `run` wrote them.
    """

    def cells(changes: Sequence[Effect | None]) -> str:
        return " | ".join(points(change) for change in changes)

    rows = []
    for field in AUGMENTATIONS:
        name, amount = in_words(field)
        both = [of(lines, field, metric) for metric in (mnist, others) for of in (alone, on_top)]
        rows.append(f"| {name} ({amount}) | {cells(both)} |")
    together = [effect(lines, "all", "none", metric) for metric in (mnist, others)]
    rows.append(
        f"| all but elastic, cutout and flips | {points(together[0])} | | {points(together[1])} | |"
    )
    table = "\n".join(rows)
    none = [line for line in lines if line["row"] == "none"]
    return f"""\
| augmentation, at most | MNIST, alone | on top of the rest | other handwriting, alone \
| on top of the rest |
|---|---|---|---|---|
{table}

Percentage points of accuracy gained, mean of {len(none)} seeds ± half the 95% interval; the same \
seed is compared with and without. Trained for {ALL.epochs} epochs without any augmentation and \
without drawn digits, the default network reads {_mean(none, mnist):.2f}% of MNIST's validation \
and test digits and {_mean(none, others):.2f}% of other people's (mean of {len(OTHERS)} sets, \
network alone). {_flips_told(lines)} Every training: \
[ablation.jsonl](benchmarks/results/ablation.jsonl)."""


def _mean(lines: Lines, metric: Metric) -> float:
    return statistics.fmean(map(metric, lines))


def _flips_told(lines: Lines) -> str:
    """The three digits that each way of mirroring harms most."""
    said = []
    for field in FLIPS:
        changes = {
            digit: change.mean
            for digit in range(10)
            if (change := alone(lines, field, of_digit(digit))) is not None
        }
        worst = sorted(changes, key=changes.__getitem__)[:3]
        digits = ", ".join(f"{digit} ({changes[digit]:+.1f})".replace("-", "−") for digit in worst)
        said.append(f"a {in_words(field)[0]} harms {digits} most")
    return f"Of MNIST's digits, {' and '.join(said)}."


if __name__ == "__main__":
    sys.exit(main())
