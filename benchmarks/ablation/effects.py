"""What a change of the recipe does to an accuracy, from the ablation's lines."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.ablation.plan import MNIST, OTHERS
from benchmarks.harness.intervals import mean_interval
from benchmarks.harness.json_lines import Line, Lines

Metric = Callable[[Line], float]


@dataclass(frozen=True)
class Effect:
    """What a change does to an accuracy, in percentage points, for the same seeds with and without.

    Attributes:
        mean: over the seeds.
        low, high: its 95% interval by Student's t; both are the mean if there is only one seed.
        each: per seed.
    """

    mean: float
    low: float
    high: float
    each: tuple[float, ...]


def mnist(line: Line) -> float:
    """The mean accuracy on MNIST's validation and test digits, in percent."""
    return 100 * statistics.fmean(line["sets"][name]["accuracy"] for name in MNIST)


def others(line: Line) -> float:
    """The mean accuracy over the sets of other people's digits, in percent."""
    return 100 * statistics.fmean(line["sets"][name]["accuracy"] for name in OTHERS)


def of_digit(digit: int) -> Metric:
    """The share of a digit's MNIST images that are read correctly, in percent."""

    def metric(line: Line) -> float:
        return 100 * statistics.fmean(line["sets"][name]["recall"][digit] for name in MNIST)

    return metric


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


def alone(lines: Lines, row: str, metric: Metric) -> Effect | None:
    """What an augmentation adds to none, or what all of the recipe's add together (row "all")."""
    return effect(lines, row, "none", metric)


def on_top(lines: Lines, field: str, metric: Metric) -> Effect | None:
    """What an augmentation that the recipe uses adds to the others that it uses."""
    return effect(lines, "all", f"all but {field}", metric)
