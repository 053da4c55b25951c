"""A comparison of runs -> one self-contained HTML page."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from digits.errors import DigitsError
from digits.files import replacing
from digits.reporting.report import fill, picture
from digits.studies.comparison import Comparison, Disagreement, Row
from digits.studies.comparison_text import (
    AGAINST,
    COST,
    NOTES,
    Cell,
    agreement,
    interval,
    verdict,
    warnings,
)
from digits.studies.measure import Images

PICTURED = 60  # disagreements on the page


def check(out: Path) -> None:
    """Checks, before anything is measured, that a page can be written to a path.

    Raises:
        DigitsError: the name does not end in .html, or is a folder's, or its folder does not exist.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise DigitsError(f"--out {out} must end in .html, since it becomes a web page.")
    if out.is_dir():
        raise DigitsError(f"--out {out} is a folder; name a file.")
    if not out.parent.is_dir():
        raise DigitsError(f"--out {out}: there is no folder {out.parent}; make it first.")


def write_html(comparison: Comparison, images: Images, out: Path) -> None:
    """Writes one self-contained page, replacing an earlier one.

    Args:
        comparison: from `comparison.compare`.
        images: the test digits, uint8 of shape (n, 28, 28), ink 255 on 0.
        out: the file.

    Raises:
        OSError: the file cannot be written.
    """
    rows, found = comparison.rows, comparison.disagreements
    several = len(rows) > 1
    sections = [
        f"<h2>On the {comparison.digits:,} test digits</h2>",
        *(f'<p class="warning">{html.escape(text)}</p>' for text in warnings(comparison)),
        _runs_table(rows, _quality(rows)),
        f"<p>{verdict(comparison)}</p>" if several else "",
        _notes(("gained, lost", "p", "ECE") if several else ("ECE",), comparison),
        "<h2>Size and time</h2>",
        _runs_table(rows, COST),
        _notes(("MFLOP", "digit, canvas"), comparison),
        '<div class="pair"><section>',
        "<h2>On corrupted digits</h2>",
        _letters_table(rows, "corruption", _corruptions(rows)),
        f'<p class="note">Fraction of {comparison.corrupted_digits:,} test digits (every fifth) '
        f"misread under each corruption of MNIST-C{'; the lowest is bold' if several else ''}.</p>",
        "</section><section>",
        "<h2>Settings that differ</h2>" if several else "<h2>Settings</h2>",
        _letters_table(rows, "setting", _settings(rows)),
        "</section></div>",
    ]
    if several:
        sections += [
            "<h2>Disagreements</h2>",
            f"<p>{agreement(comparison)}{_shown(found)}</p>",
            '<div class="digits">',
            *(_disagreement(one, rows, images) for one in found[:PICTURED]),
            "</div>",
        ]
    page = fill(
        "digits.studies",
        "comparison.html",
        title="Runs compared" if several else f"Run {html.escape(rows[0].name)}",
        tested=f"The others are compared with the first, {rows[0].letter}." if several else "",
        sections="\n".join(sections),
    )
    with replacing(out) as file:
        file.write(page)


def _quality(rows: Sequence[Row]) -> dict[str, Cell]:
    low = min(row.accuracy_interval[0] for row in rows)
    high = max(row.accuracy_interval[1] for row in rows)
    columns: dict[str, Cell] = {
        "accuracy": lambda row: f"<strong>{row.accuracy:.2%}</strong>",
        "95% interval": lambda row: f"<span>{interval(row)} {_whisker(row, low, high)}</span>",
        "misread": lambda row: f"{row.errors:,}",
    }
    if len(rows) > 1:
        columns |= {**AGAINST, "p": lambda row: html.escape(AGAINST["p"](row))}
    return columns | {"ECE": lambda row: f"{row.ece:.2%}"}


def _whisker(row: Row, low: float, high: float) -> str:
    """The interval as a drawing, on an axis that all runs share."""

    def x(share: float) -> float:
        return 5 + 110 * (share - low) / ((high - low) or 1)

    start, end = map(x, row.accuracy_interval)
    return (
        '<svg width="120" height="12" aria-hidden="true">'
        f'<path d="M{start:.1f} 6H{end:.1f}"/><circle cx="{x(row.accuracy):.1f}" cy="6" r="4"/>'
        "</svg>"
    )


def _runs_table(rows: Sequence[Row], columns: Mapping[str, Cell]) -> str:
    """One row for each run; on a narrow screen each row becomes a list of named figures."""
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row" title="{html.escape(row.folder)}"><b>{row.letter}</b> '
        f"{html.escape(row.name)}</th>"
        + "".join(
            f'<td data-name="{name}">{cell(row)}</td>' if cell(row) else "<td></td>"
            for name, cell in columns.items()
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="table card scroll" tabindex="0" role="group" aria-label="Runs">'
        f'<table class="runs"><thead><tr><th scope="col">run</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _letters_table(
    rows: Sequence[Row], corner: str, lines: Iterable[tuple[str, Sequence[str]]]
) -> str:
    """One column for each run, for a table of many rows."""
    head = "".join(
        f'<th scope="col" title="{html.escape(row.name)}">{row.letter}</th>' for row in rows
    )
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for name, cells in lines
    )
    return (
        f'<div class="table card scroll" tabindex="0" role="group" aria-label="Each {corner}">'
        f'<table class="letters {corner}"><thead><tr><th scope="col">{corner}</th>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _corruptions(rows: Sequence[Row]) -> list[tuple[str, list[str]]]:
    named = {name: [row.corruptions[name] for row in rows] for name in rows[0].corruptions}
    named["mean of the 15"] = [row.corruption_error for row in rows]
    return [(name.replace("_", " "), _lowest_bold(errors)) for name, errors in named.items()]


def _lowest_bold(errors: Sequence[float]) -> list[str]:
    shown = [f"{error:.1%}" for error in errors]
    lowest = shown[errors.index(min(errors))]
    return [f"<b>{one}</b>" if one == lowest and len(shown) > 1 else one for one in shown]


def _settings(rows: Sequence[Row]) -> list[tuple[str, list[str]]]:
    """The settings that differ between runs, or all settings of a single run."""
    names = dict.fromkeys(name for row in rows for name in row.recipe)
    values = {name: [row.recipe.get(name, "–") for row in rows] for name in names}
    return [
        (name.replace("_", " "), [html.escape(str(value)) for value in own])
        for name, own in values.items()
        if len(rows) == 1 or any(value != own[0] for value in own)
    ] or [("all the same", [""] * len(rows))]


def _shown(found: Sequence[Disagreement]) -> str:
    if len(found) <= 1:
        return ""
    which = "They are shown" if len(found) <= PICTURED else f"The first {PICTURED} are shown"
    return (
        f" {which} here, most confident first: at the top, two runs give different answers with "
        "high confidence. Above each picture is its label; below it, what each run reads and with "
        "what probability."
    )


def _disagreement(one: Disagreement, rows: Sequence[Row], images: Images) -> str:
    lines = "".join(
        f'<tr class="{"right" if answer == one.label else "wrong"}"><td>{row.letter}</td>'
        f"<td>{answer}</td><td>{confidence:.0%}</td></tr>"
        for row, answer, confidence in zip(rows, one.answers, one.confidences, strict=True)
    )
    return (
        f'<figure class="card"><figcaption>{one.label}<small>#{one.index}</small></figcaption>'
        f'<img src="{picture(images[one.index])}" alt="test digit {one.index}, a {one.label}">'
        f"<table>{lines}</table></figure>"
    )


def _notes(names: Iterable[str], comparison: Comparison) -> str:
    return "".join(
        f'<p class="note"><b>{name}</b>: '
        f"{NOTES[name].format(corrupted=comparison.corrupted_digits)}.</p>"
        for name in names
    )
