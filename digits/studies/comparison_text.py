"""A comparison of runs -> tables and sentences for the terminal. The page shares the sentences."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence

from digits.studies.comparison import Comparison, Row

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
    "corruptions of MNIST-C",
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
    quality: dict[str, Cell] = {
        "accuracy": lambda row: f"{row.accuracy:.2%}",
        "95% interval": interval,
        **(AGAINST if len(rows) > 1 else {}),
        "ECE": lambda row: f"{row.ece:.2%}",
        "corrupted": lambda row: f"{row.corruption_error:.1%}",
    }
    sentences = [*warnings(comparison), verdict(comparison)]
    parts = [
        _text_table(rows, quality, width),
        *(line for sentence in sentences for line in textwrap.wrap(sentence, width)),
        "",
        _text_table(rows, COST, width),
        "",
        *_text_notes(comparison, width),
    ]
    if len(rows) > 1:
        parts += ["", *_text_disagreements(comparison)]
    return "\n".join(parts)


def _text_table(rows: Sequence[Row], columns: Mapping[str, Cell], width: int) -> str:
    cells = [[cell(row) for cell in columns.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    room = max(SHORTEST_NAME, width - 3 - sum(2 + column for column in widths))
    named = min(room, max(len("run"), *(len(row.name) for row in rows)))

    def line(letter: str, name: str, values: Iterable[str]) -> str:
        padded = (f"  {value:>{column}}" for value, column in zip(values, widths, strict=True))
        return f"{letter:3}{_cut(name, named):{named}}" + "".join(padded)

    head = line("", "run", columns)
    body = (line(row.letter, row.name, own) for row, own in zip(rows, cells, strict=True))
    return "\n".join(text.rstrip() for text in (head, *body))


def _cut(name: str, longest: int) -> str:
    """A name that is too long loses its middle: runs tend to differ at the end."""
    if len(name) <= longest:
        return name
    end = (longest - 1) * 2 // 3
    return f"{name[: longest - 1 - end]}…{name[-end:]}"


def _text_notes(comparison: Comparison, width: int) -> list[str]:
    single = len(comparison.rows) == 1
    lines = []
    for name, meaning in NOTES.items():
        if single and name in ("gained, lost", "p"):
            continue
        text = f"{name}: {meaning.format(corrupted=comparison.corrupted_digits)}."
        lines += textwrap.wrap(
            text, min(width, 100), subsequent_indent="  ", break_on_hyphens=False
        )
    return lines


def _text_disagreements(comparison: Comparison) -> list[str]:
    found = comparison.disagreements
    if not found:
        return [agreement(comparison)]
    letters = "".join(f"{row.letter:>8}" for row in comparison.rows)
    return [
        f"{agreement(comparison)}{' Most confident first:' if len(found) > LISTED else ''}",
        f"digit  label{letters}",
        *(
            f"{one.index:5}  {one.label:5}"
            + "".join(
                f"{f'{answer} {confidence:.0%}':>8}"
                for answer, confidence in zip(one.answers, one.confidences, strict=True)
            )
            for one in found[:LISTED]
        ),
    ]


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
        right = comparison.digits - row.errors
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
    if not others:
        return ""
    kinds = {
        f"Better than {first.letter}": [row for row in others if _significance(row) > 0],
        f"Worse than {first.letter}": [row for row in others if _significance(row) < 0],
        f"Not significantly different from {first.letter} (p is {SIGNIFICANT} or more)": [
            row for row in others if not _significance(row)
        ],
    }
    return " ".join(
        f"{words}: {', '.join(row.letter for row in rows)}."
        for words, rows in kinds.items()
        if rows
    )


def _significance(row: Row) -> int:
    """1 if a run is significantly better than the first, -1 if it is worse, 0 if neither."""
    if row.p is None or row.gained is None or row.lost is None or row.p >= SIGNIFICANT:
        return 0
    return 1 if row.gained > row.lost else -1


def _probability(p: float) -> str:
    return "<0.0001" if p < 1e-4 else f"{p:.4f}" if p < 1e-3 else f"{p:.3f}"
