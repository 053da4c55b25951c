"""A comparison of runs -> tables and sentences for the terminal. The page shares the sentences."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence

from digits.studies.comparison import Comparison, Row
from digits.terminal import table

LISTED = 10  # disagreements on a terminal
SHORTEST_NAME = 8
SIGNIFICANT = 0.05  # p falls below it in one of twenty comparisons of equally good networks
Cell = Callable[[Row], str]

NOTES = {
    "gained, lost": "test digits that a run reads correctly and A misreads, and the reverse",
    "p": "the probability of so unequal a gain and loss if both networks were equally good "
    "(McNemar's exact test). It is not corrected for several runs, and it is about these networks: "
    "another seed gives another network",
    "ECE": "expected calibration error, the mean gap between confidence and accuracy",
    "corrupted": "fraction of {corrupted:,} test digits (every fifth) misread, mean of the 15 "
    "corruptions after MNIST-C",
    "MFLOP": "millions of floating-point operations to read one image, a multiply-add being two",
    "digit, canvas": "median time to read one image with LiteRT on one thread, the runs taking "
    "turns: a digit in MNIST's frame, and a drawing of 256×256 pixels with a digit anywhere in it",
}


def as_text(comparison: Comparison, width: int | None = None) -> str:
    """The comparison for a terminal. It fits 80 columns with up to 8 runs.

    Args:
        comparison: from `comparison.compare`.
        width: in columns; by default the terminal's, at least 80.
    """
    width = width or max(80, shutil.get_terminal_size().columns)
    rows = comparison.rows
    several = len(rows) > 1
    quality: dict[str, Cell] = {
        "accuracy": lambda row: f"{row.accuracy:.2%}",
        "95% interval": interval,
        **(AGAINST if several else {}),
        "ECE": lambda row: f"{row.ece:.2%}",
        "corrupted": lambda row: f"{row.corruption_error:.1%}",
    }
    lines = _runs_table(rows, quality, width)
    for sentence in (*warnings(comparison), verdict(comparison)):
        lines += textwrap.wrap(sentence, width)
    lines += ["", *_runs_table(rows, COST, width), ""]
    for name, meaning in NOTES.items():
        if several or name not in ("gained, lost", "p"):
            note = f"{name}: {meaning.format(corrupted=comparison.corrupted_digits)}."
            lines += textwrap.wrap(
                note, min(width, 100), subsequent_indent="  ", break_on_hyphens=False
            )
    return "\n".join([*lines, "", *_disagreements(comparison)] if several else lines)


def _runs_table(rows: Sequence[Row], columns: Mapping[str, Cell], width: int) -> list[str]:
    figures = [[cell(row) for cell in columns.values()] for row in rows]
    taken = max(map(len, table(("", *columns), [("A", *own) for own in figures])))
    room = max(SHORTEST_NAME, width - taken - 2)
    named = [(row.letter, _cut(row.name, room)) for row in rows]
    body = [(*names, *own) for names, own in zip(named, figures, strict=True)]
    return table(("", "run", *columns), body, left=2)


def _cut(name: str, longest: int) -> str:
    """A name that is too long loses its middle: runs tend to differ at the end."""
    if len(name) <= longest:
        return name
    end = (longest - 1) * 2 // 3
    return f"{name[: longest - 1 - end]}…{name[-end:]}"


def _disagreements(comparison: Comparison) -> list[str]:
    found = comparison.disagreements
    if not found:
        return [agreement(comparison)]
    body = [
        (str(one.index), str(one.label), *map("{} {:.0%}".format, one.answers, one.confidences))
        for one in found[:LISTED]
    ]
    head = ("digit", "label", *(row.letter for row in comparison.rows))
    more = " Most confident first:" if len(found) > LISTED else ""
    return [agreement(comparison) + more, *table(head, body, left=0)]


# Shared with the page.


def interval(row: Row) -> str:
    low, high = row.accuracy_interval
    return f"{100 * low:.2f}–{high:.2%}"


AGAINST: dict[str, Cell] = {
    "gained": lambda row: "" if row.gained is None else f"{row.gained}",
    "lost": lambda row: "" if row.lost is None else f"{row.lost}",
    "p": lambda row: "" if row.p is None else _probability(row.p),
}
COST: dict[str, Cell] = {
    "parameters": lambda row: "–" if row.parameters is None else f"{row.parameters:,}",
    "MFLOP": lambda row: "–" if row.mflop is None else f"{row.mflop:,.1f}",
    "training": lambda row: "–" if row.train_seconds is None else f"{row.train_seconds:,.0f} s",
    "digit": lambda row: f"{row.digit_microseconds:,.0f} µs",
    "canvas": lambda row: f"{row.canvas_microseconds:,.0f} µs",
}


def warnings(comparison: Comparison) -> list[str]:
    """A sentence for each run whose bundle does not give the accuracy recorded for it."""
    sentences = []
    for row in comparison.rows:
        recorded = right = comparison.digits - row.errors
        if row.recorded_accuracy is not None:
            recorded = round(row.recorded_accuracy * comparison.digits)
        if recorded != right:
            sentences.append(
                f"{row.letter} does not reproduce its own record: here it reads {right:,} of "
                f"{comparison.digits:,} test digits correctly, but {recorded:,} are recorded. "
                "All figures describe its bundle as it is now."
            )
    return sentences


def agreement(comparison: Comparison) -> str:
    count = len(comparison.disagreements)
    if not count:
        return f"All runs give the same answer to each of the {comparison.digits:,} test digits."
    digits = "1 test digit" if count == 1 else f"{count:,} of {comparison.digits:,} test digits"
    return f"The runs disagree on {digits}."


def verdict(comparison: Comparison) -> str:
    """The result of the paired tests in a few sentences; empty for a single run."""
    first, *others = comparison.rows
    gains = {row.letter: _significant_gain(row) for row in others}
    kinds = {
        f"Better than {first.letter}": [letter for letter, gain in gains.items() if gain > 0],
        f"Worse than {first.letter}": [letter for letter, gain in gains.items() if gain < 0],
        f"Not significantly different from {first.letter} (p is {SIGNIFICANT} or more)": [
            letter for letter, gain in gains.items() if not gain
        ],
    }
    return " ".join(f"{words}: {', '.join(runs)}." for words, runs in kinds.items() if runs)


def _significant_gain(row: Row) -> int:
    """Digits gained less digits lost against the first run; 0 if that is not significant."""
    if row.p is None or row.gained is None or row.lost is None or row.p >= SIGNIFICANT:
        return 0
    return row.gained - row.lost


def _probability(p: float) -> str:
    return "<0.0001" if p < 1e-4 else f"{p:.4f}" if p < 1e-3 else f"{p:.3f}"
