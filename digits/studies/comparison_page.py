"""A comparison of runs -> one page for a browser, with everything within itself."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

from PIL import Image

from digits.errors import DigitsError
from digits.files import replacing
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
from digits.training.report import STYLE

PICTURED = 60  # disagreements on the page


def check(out: Path) -> None:
    """Says before anything is measured why a page cannot be written.

    Raises:
        DigitsError: the name does not end in .html, or is a folder, or in none.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise DigitsError(f"--out {out} must end in .html; it gets a page for a browser.")
    if out.is_dir():
        raise DigitsError(f"--out {out} is a folder; name a file.")
    if not out.parent.is_dir():
        raise DigitsError(f"--out {out}: there is no folder {out.parent}; make it first.")


def write_html(comparison: Comparison, images: Images, out: Path) -> None:
    """Writes one page that holds everything within itself, in place of an earlier one.

    Args:
        comparison: from `compare.compare`.
        images: the test digits, uint8 of shape (n, 28, 28), ink 255 on 0.
        out: the file.

    Raises:
        OSError: it cannot be written.
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
        "<h2>On spoilt digits</h2>",
        _letters_table(rows, "corruption", _corruptions(rows)),
        f'<p class="note">Misread of {comparison.corrupted_digits:,} test digits (every fifth) '
        f"under each corruption of MNIST-C{'; the fewest are bold' if several else ''}.</p>",
        "</section><section>",
        "<h2>Trained differently</h2>" if several else "<h2>Trained with</h2>",
        _letters_table(rows, "setting", _settings(rows)),
        "</section></div>",
    ]
    if several:
        sections += [
            "<h2>Where they disagree</h2>",
            f"<p>{agreement(comparison)}{_shown(found)}</p>",
            '<div class="cards">',
            *(_card(one, rows, images) for one in found[:PICTURED]),
            "</div>",
        ]
    page = _PAGE.substitute(
        style=STYLE,
        title="Runs compared" if several else f"Run {html.escape(rows[0].name)}",
        tested=f"The others are tested against the first, {rows[0].letter}." if several else "",
        sections="\n".join(sections),
    )
    with replacing(out) as file:
        file.write(page.encode())


def _quality(rows: Sequence[Row]) -> dict[str, Cell]:
    low = min(row.accuracy_interval[0] for row in rows)
    high = max(row.accuracy_interval[1] for row in rows)
    columns: dict[str, Cell] = {
        "accuracy": lambda row: f"<strong>{row.accuracy:.2%}</strong>",
        "95 % interval": lambda row: f"<span>{interval(row)} {_whisker(row, low, high)}</span>",
        "misread": lambda row: f"{row.errors:,}",
    }
    if len(rows) > 1:
        columns |= {**AGAINST, "p": lambda row: html.escape(AGAINST["p"](row))}
    return columns | {"ECE": lambda row: f"{row.ece:.2%}"}


def _whisker(row: Row, low: float, high: float) -> str:
    """The interval drawn, on an axis that all runs share."""

    def x(share: float) -> float:
        return 5 + 110 * (share - low) / ((high - low) or 1)

    start, end = map(x, row.accuracy_interval)
    return (
        '<svg width="120" height="12" aria-hidden="true">'
        f'<path d="M{start:.1f} 6H{end:.1f}"/><circle cx="{x(row.accuracy):.1f}" cy="6" r="4"/>'
        "</svg>"
    )


def _runs_table(rows: Sequence[Row], columns: Mapping[str, Cell]) -> str:
    """A row a run; on a narrow screen a card a run, where each figure is named."""
    head = "".join(f"<th>{name}</th>" for name in columns)
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
        f'<div class="table"><table class="runs"><thead><tr><th>run</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _letters_table(
    rows: Sequence[Row], corner: str, lines: Iterable[tuple[str, Sequence[str]]]
) -> str:
    """A column a run, for what has many rows."""
    head = "".join(f'<th title="{html.escape(row.name)}">{row.letter}</th>' for row in rows)
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for name, cells in lines
    )
    return (
        f'<div class="table"><table class="letters {corner}">'
        f"<thead><tr><th>{corner}</th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _corruptions(rows: Sequence[Row]) -> list[tuple[str, list[str]]]:
    named = {name: [row.corruptions[name] for row in rows] for name in rows[0].corruptions}
    named["mean of the 15"] = [row.corruption_error for row in rows]
    return [(name.replace("_", " "), _least_bold(errors)) for name, errors in named.items()]


def _least_bold(errors: Sequence[float]) -> list[str]:
    told = [f"{error:.1%}" for error in errors]
    least = told[errors.index(min(errors))]
    return [f"<b>{one}</b>" if one == least and len(told) > 1 else one for one in told]


def _settings(rows: Sequence[Row]) -> list[tuple[str, list[str]]]:
    """The settings that are not the same in all runs; of a single run, all."""
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
    first = f"The {PICTURED} surest of them are" if len(found) > PICTURED else "They are"
    return (
        f" {first} here, those first on which two runs are surest of two answers. Above each "
        "picture its label, below it what each run reads and with which probability."
    )


def _card(one: Disagreement, rows: Sequence[Row], images: Images) -> str:
    lines = "".join(
        f'<tr class="{"right" if answer == one.label else "wrong"}"><td>{row.letter}</td>'
        f"<td>{answer}</td><td>{sure:.0%}</td></tr>"
        for row, answer, sure in zip(rows, one.answers, one.confidences, strict=True)
    )
    return (
        f"<figure><figcaption>{one.label}<small>no. {one.index}</small></figcaption>"
        f'<img src="{_png(images[one.index])}" alt="test digit {one.index}, labelled {one.label}">'
        f"<table>{lines}</table></figure>"
    )


def _png(image: Images) -> str:
    """A digit as an address that holds its picture, dark on white."""
    buffer = io.BytesIO()
    Image.fromarray(255 - image).save(buffer, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _notes(names: Iterable[str], comparison: Comparison) -> str:
    return "".join(
        f'<p class="note"><b>{name}</b>: '
        f"{NOTES[name].format(corrupted=comparison.corrupted_digits)}.</p>"
        for name in names
    )


_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style
  .table, figure { background: white; border-radius: 10px; box-shadow: 0 1px 3px #0002; }
  .table { padding: .75rem 1rem; overflow-x: auto; }
  .runs td, .runs th, .letters td, .letters th { padding: .35rem .6rem; white-space: nowrap; }
  tbody th { text-align: left; color: inherit; border: 0; }
  tbody tr + tr > * { border-top: 1px solid #e4e7eb; }
  .runs tbody th { white-space: normal; overflow-wrap: anywhere; }
  .pair { display: flex; flex-wrap: wrap; gap: 0 2rem; }
  .pair section { max-width: 100%; } .pair .note { max-width: 24rem; }
  .letters td { min-width: 2.5rem; }
  .letters th:first-child { position: sticky; left: 0; background: white; }
  .corruption tbody tr:last-child > * { border-top: 1px solid #8a94a0; }
  .letters thead th + th { color: inherit; font-weight: 700; }
  svg { vertical-align: -1px; } path { stroke: #8a94a0; stroke-width: 2; } circle { fill: #2a6f97; }
  .note { color: #52606d; font-size: .85rem; max-width: 50rem; margin: .5rem 0 0; }
  .warning { background: #fbeae5; border-left: 4px solid #c8553d; padding: .5rem .75rem; }
  .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(100px, 1fr));
    gap: .75rem; }
  figure { margin: 0; padding: .6rem; }
  figcaption { font-weight: 600; display: flex; justify-content: space-between; }
  figcaption small { font-weight: 400; color: #52606d; }
  figure img { width: 100%; image-rendering: pixelated; display: block; }
  figure tr > td { border: 0; padding: 0 .2rem; }
  .right { color: #52606d; } .wrong { color: #c8553d; font-weight: 600; }
  @media (max-width: 700px) {
    .runs thead { display: none; }
    .runs tr { display: block; padding: 0 0 .5rem; }
    .runs tbody th { display: block; padding: .5rem 0 .2rem; }
    .letters td, .letters th { padding: .35rem .25rem; }
    .runs td { display: flex; justify-content: space-between; padding: .1rem 0; border: 0; }
    .runs td:empty { display: none; }
    .runs td::before { content: attr(data-name); color: #52606d; }
  }
</style>
<main>
<h1>$title</h1>
<p>Trained networks, measured anew on one machine and on the same digits; only the time of training
is as it was recorded. $tested</p>
$sections
</main>
</html>
""")
