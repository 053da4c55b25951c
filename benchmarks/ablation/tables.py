"""What came of the ablation, as text and as Markdown."""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.ablation.effects import (
    Effect,
    Metric,
    alone,
    effect,
    mnist,
    of_digit,
    on_top,
    others,
)
from benchmarks.ablation.plan import AUGMENTATIONS, FLIPS, MNIST, OTHERS, ROWS
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Lines
from digits.studies import gallery


def in_words(lines: Lines, field: str) -> tuple[str, str]:
    """The name of an augmentation, and how much of it the lines were trained with."""
    amounts: list[Any] = [line["recipe"][field] for line in lines if line["row"] == field]
    recipe = replace(ROWS[field], **{field: amounts[0]}) if amounts else ROWS[field]
    return gallery.in_words(recipe)[field]


def points(change: Effect | None) -> str:
    """An effect in percentage points, with half the width of its interval."""
    if change is None:
        return ""
    half = (change.high - change.low) / 2
    mean = f"{change.mean:+.2f}".replace("-", "−")
    return f"{mean} ± {half:.2f}" if len(change.each) > 1 else mean


def summary(lines: Lines) -> str:
    """A line for each row, with accuracies as means over seeds; lines of other rows are ignored."""
    lines = [line for line in lines if line["row"] in ROWS]
    if not lines:
        return command_line.NOTHING
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
        "Accuracies in percent. With a sign: percentage points gained over 'none', or by 'all but' "
        "over 'all',\nand half the width of the 95% interval. "
        f"{len(lines)} trainings took {seconds:,.0f} core seconds."
    )
    return "\n".join(text)


def block(lines: Lines) -> str:
    """The table of what each augmentation is worth, and which digits mirroring harms most.

    Args:
        lines: of the whole study; those of rows that it does not train any more are ignored.
    """

    def cells(changes: Sequence[Effect | None]) -> str:
        return " | ".join(points(change) for change in changes)

    rows = []
    for field in AUGMENTATIONS:
        name, amount = in_words(lines, field)
        both = [of(lines, field, metric) for metric in (mnist, others) for of in (alone, on_top)]
        rows.append(f"| {name} ({amount}) | {cells(both)} |")
    together = [alone(lines, "all", metric) for metric in (mnist, others)]
    rows.append(f"| all that the recipe uses | {points(together[0])} | | {points(together[1])} | |")
    table = "\n".join(rows)
    none = [line for line in lines if line["row"] == "none"]
    return f"""\
| augmentation, at most | MNIST, alone | on top of the rest | other handwriting, alone \
| on top of the rest |
|---|---|---|---|---|
{table}

Percentage points of accuracy gained, mean of {len(none)} seeds ± half the 95% interval; the same \
seed is compared with and without. Trained for {none[0]["recipe"]["epochs"]} epochs without any \
augmentation and without drawn digits, the default network reads {_mean(none, mnist):.2f}% of \
MNIST's validation and test digits and {_mean(none, others):.2f}% of other people's (mean of \
{len(OTHERS)} sets, network alone). {_harm_of_flips(lines)} Every training: \
[ablation.jsonl](benchmarks/results/ablation.jsonl)."""


def _mean(lines: Lines, metric: Metric) -> float:
    return statistics.fmean(map(metric, lines))


def _harm_of_flips(lines: Lines) -> str:
    """The three digits that each way of mirroring harms most."""
    parts = []
    for field in FLIPS:
        changes = {
            digit: change.mean
            for digit in range(10)
            if (change := alone(lines, field, of_digit(digit))) is not None
        }
        worst = sorted(changes, key=changes.__getitem__)[:3]
        digits = ", ".join(f"{digit} ({changes[digit]:+.1f})".replace("-", "−") for digit in worst)
        parts.append(f"a {in_words(lines, field)[0]} harms {digits} most")
    return f"Of MNIST's digits, {' and '.join(parts)}."
