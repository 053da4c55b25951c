"""A comparison of runs -> one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digits.errors import DigitsError
from digits.files import replacing
from digits.reporting.pages import render
from digits.studies import comparison_text
from digits.studies.comparison import Comparison, Row
from digits.studies.comparison_text import AGAINST, Cell, interval
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
    rows = comparison.rows
    quality: dict[str, Cell] = {
        "accuracy": lambda row: f"{row.accuracy:.2%}",
        "95% interval": interval,
        "misread": lambda row: f"{row.errors:,}",
        **(AGAINST if len(rows) > 1 else {}),
        "ECE": lambda row: f"{row.ece:.2%}",
    }
    corruptions = {name: [row.corruptions[name] for row in rows] for name in rows[0].corruptions}
    page = render(
        "comparison.html",
        comparison=comparison,
        images=images,
        words=comparison_text,
        quality=quality,
        corruptions=corruptions | {"mean of the 15": [row.corruption_error for row in rows]},
        settings=_settings(rows),
        pictured=PICTURED,
    )
    with replacing(out) as file:
        file.write(page)


def _settings(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The settings that differ between runs, or all settings of a single run."""
    names = dict.fromkeys(name for row in rows for name in row.recipe)
    values = {name: [row.recipe.get(name, "–") for row in rows] for name in names}
    return {
        name: own
        for name, own in values.items()
        if len(rows) == 1 or any(value != own[0] for value in own)
    } or {"all the same": [""] * len(rows)}
