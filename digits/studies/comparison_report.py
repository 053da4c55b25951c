"""A comparison of runs -> tables and sentences for the terminal, and one self-contained page."""

import shutil
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from digits.data.mnist import Bytes
from digits.files import replacing
from digits.reporting.pages import render
from digits.studies.comparison import Comparison, Row
from digits.terminal import table

LISTED = 10  # disagreements on a terminal
PICTURED = 60  # disagreements on the page
SHORTEST_NAME = 8
HASH = 12  # characters of it are enough to tell files apart
SIGNIFICANT = 0.05  # p falls below it in one of twenty comparisons of equally good networks

NOTES = {
    "gained, lost": "test images that a run reads correctly and A misreads, and the reverse",
    "p": "the probability of so unequal a gain and loss if both networks were equally good "
    "(McNemar's exact test). It is not corrected for several runs, and it is about these networks: "
    "another seed gives another network",
    "ECE": "expected calibration error, the mean gap between confidence and accuracy",
    "corrupted": "fraction of {corrupted:,} test images (every fifth) misread, mean of the 15 "
    "corruptions after MNIST-C",
    "MFLOP": "millions of floating-point operations to read one image, a multiply-add being two",
    "digit": "median time to read an image of 28×28 pixels with LiteRT on one thread, the runs "
    "taking turns",
    "canvas": "the same for a drawing of 256×256 pixels with a digit anywhere in it",
}
ON_TERMINAL = ("accuracy", "95% interval", "gained", "lost", "p", "ECE", "corrupted")
ON_PAGE = ("accuracy", "95% interval", "misread", "gained", "lost", "p", "ECE")
COST = ("parameters", "MFLOP", "training", "digit", "canvas")
CELLS: dict[str, Callable[[Row], str]] = {
    "accuracy": lambda row: f"{row.accuracy:.2%}",
    "95% interval": lambda row: "{:.2f}–{:.2f}%".format(*(100 * x for x in row.accuracy_interval)),
    "misread": lambda row: f"{row.errors:,}",
    "gained": lambda row: "" if row.gained is None else f"{row.gained}",
    "lost": lambda row: "" if row.lost is None else f"{row.lost}",
    "p": lambda row: "" if row.p is None else _probability(row.p),
    "ECE": lambda row: f"{row.ece:.2%}",
    "corrupted": lambda row: f"{row.corruption_error:.1%}",
    "parameters": lambda row: "–" if row.parameters is None else f"{row.parameters:,}",
    "MFLOP": lambda row: "–" if row.mflop is None else f"{row.mflop:,.1f}",
    "training": lambda row: "–" if row.train_seconds is None else f"{row.train_seconds:,.0f} s",
    "digit": lambda row: f"{row.digit_microseconds:,.0f} µs",
    "canvas": lambda row: (
        "" if row.canvas_microseconds is None else f"{row.canvas_microseconds:,.0f} µs"
    ),
}


def as_text(comparison: Comparison) -> str:
    """The comparison for a terminal of 80 columns or more. It fits 80 with up to 8 runs."""
    width = max(80, shutil.get_terminal_size().columns)
    rows = comparison.rows
    several = len(rows) > 1
    lines = [] if comparison.data == "MNIST" else [f"On the test part of {comparison.data}:", ""]
    lines += _runs_table(rows, ON_TERMINAL, width)
    for sentence in (*_warnings(comparison), _verdict(rows)):
        lines += textwrap.wrap(sentence, width)
    lines += ["", *_runs_table(rows, COST, width), ""]
    for name, meaning in NOTES.items():
        if name in _noted(rows):
            note = f"{name}: {meaning.format(corrupted=comparison.corrupted_digits)}."
            lines += textwrap.wrap(
                note, min(width, 100), subsequent_indent="  ", break_on_hyphens=False
            )
    return "\n".join([*lines, "", *_disagreements(comparison)] if several else lines)


def write_html(comparison: Comparison, images: Bytes, out: Path) -> None:
    """Writes one self-contained page, replacing an earlier one. `images` are the test images, uint8
    of shape (n, 28, 28), ink 255 on 0. Raises OSError if the file cannot be written."""
    rows = comparison.rows
    corruptions = {name: [row.corruptions[name] for row in rows] for name in rows[0].corruptions}
    page = render(
        "comparison.html",
        comparison=comparison,
        images=images,
        quality=_columns(rows, ON_PAGE),
        cost=_columns(rows, COST),
        notes={name: NOTES[name] for name in _noted(rows)},
        warnings=_warnings(comparison),
        verdict=_verdict(rows),
        agreement=_agreement(comparison),
        corruptions=corruptions | {"mean of the 15": [row.corruption_error for row in rows]},
        settings=_settings(rows),
        pictured=PICTURED,
    )
    with replacing(out) as file:
        file.write(page)


def _noted(rows: Sequence[Row]) -> list[str]:
    """The columns that there are, as `NOTES` has them."""
    without = [] if len(rows) > 1 else ["gained, lost", "p"]
    without += ["canvas"] if any(row.canvas_microseconds is None for row in rows) else []
    return [name for name in NOTES if name not in without]


def _columns(rows: Sequence[Row], names: Sequence[str]) -> dict[str, list[str]]:
    """The cells of each column; one that is empty for all runs is left out."""
    columns = {name: [CELLS[name](row) for row in rows] for name in names}
    return {name: cells for name, cells in columns.items() if any(cells)}


def _runs_table(rows: Sequence[Row], names: Sequence[str], width: int) -> list[str]:
    columns = _columns(rows, names)
    letters = [row.letter for row in rows]
    head, *_ = table(("", *columns), zip(letters, *columns.values(), strict=True))
    room = max(SHORTEST_NAME, width - len(head) - 2)
    runs = [_cut(row.name, room) for row in rows]
    return table(("", "run", *columns), zip(letters, runs, *columns.values(), strict=True), left=2)


def _cut(name: str, longest: int) -> str:
    """A name that is too long loses its middle: runs tend to differ at the end."""
    if len(name) <= longest:
        return name
    end = (longest - 1) * 2 // 3
    return f"{name[: longest - 1 - end]}…{name[-end:]}"


def _disagreements(comparison: Comparison) -> list[str]:
    found = comparison.disagreements
    if not found:
        return [_agreement(comparison)]
    body = [
        (str(one.index), str(one.label), *map("{} {:.0%}".format, one.answers, one.confidences))
        for one in found[:LISTED]
    ]
    head = ("digit", "label", *(row.letter for row in comparison.rows))
    more = " Most confident first:" if len(found) > LISTED else ""
    return [_agreement(comparison) + more, *table(head, body, left=0)]


def _probability(p: float) -> str:
    return "<0.0001" if p < 1e-4 else f"{p:.4f}" if p < 1e-3 else f"{p:.3f}"


def _warnings(comparison: Comparison) -> list[str]:
    """A sentence for each run whose bundle does not give the accuracy recorded for it."""
    sentences = []
    for row in comparison.rows:
        recorded = right = comparison.digits - row.errors
        if row.recorded_accuracy is not None:
            recorded = round(row.recorded_accuracy * comparison.digits)
        if recorded != right:
            sentences.append(
                f"{row.letter} does not reproduce its own record: here it reads {right:,} of "
                f"{comparison.digits:,} test images correctly, but {recorded:,} are recorded. "
                "All figures describe its bundle as it is now."
            )
    return sentences


def _agreement(comparison: Comparison) -> str:
    count = len(comparison.disagreements)
    if not count:
        return f"All runs give the same answer to each of the {comparison.digits:,} test images."
    digits = "1 test image" if count == 1 else f"{count:,} of {comparison.digits:,} test images"
    return f"The runs disagree on {digits}."


def _verdict(rows: Sequence[Row]) -> str:
    """The result of the paired tests in a few sentences; empty for a single run."""
    first, *others = rows
    differ = [row for row in others if row.p is not None and row.p < SIGNIFICANT]
    kinds = {
        f"Better than {first.letter}": [row for row in differ if row.errors < first.errors],
        f"Worse than {first.letter}": [row for row in differ if row.errors > first.errors],
        f"Not significantly different from {first.letter} (p is {SIGNIFICANT} or more)": [
            row for row in others if row not in differ
        ],
    }
    return " ".join(
        f"{words}: {', '.join(row.letter for row in of_kind)}."
        for words, of_kind in kinds.items()
        if of_kind
    )


def _setting(row: Row, name: str) -> Any:
    value = row.recipe.get(name, "–")
    return str(value)[:HASH] if name == "network_sha256" else value


def _settings(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The settings that differ between runs, or all settings of a single run."""
    names = dict.fromkeys(name for row in rows for name in row.recipe)
    values = {name: [_setting(row, name) for row in rows] for name in names}
    if len(rows) > 1:
        values = {name: own for name, own in values.items() if own.count(own[0]) < len(own)}
    return values or {"all the same": [""] * len(rows)}
