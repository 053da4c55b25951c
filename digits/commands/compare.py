"""Put finished training runs side by side: accuracy with a paired test against the first run,
calibration, corruptions, size, time, and the test digits that they disagree on. Everything but the
training time is measured anew.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from digits.commands import add_data_flag, say_result
from digits.errors import DigitsError, explained
from digits.terminal import own_words_only, say


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="folder of a finished run, or a bundle"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.html",
        help="write a page with pictures of the digits that they disagree on, replacing FILE.html",
    )
    add_data_flag(parser)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(arguments: argparse.Namespace, prog: str) -> None:
    from digits.labelled import opening
    from digits.studies import comparison_report
    from digits.studies.comparison import measure_entries, open_entries

    out: Path | None = arguments.out
    if out is not None:
        _check(out)
    with own_words_only():
        entries = open_entries(arguments.runs)
        data = opening.for_models([entry.bundle for entry in entries], arguments.data)
        comparison = measure_entries(entries, data.test_images, data.test_labels, data.own)
    say_result(arguments, asdict(comparison), comparison_report.as_text(comparison))
    if out is not None:
        with explained(f"{out} cannot be written", "choose another --out"):
            comparison_report.write_html(comparison, data.test_images, out)
    if not arguments.json:
        page = (
            "Pictures of these digits, and more"
            if len(arguments.runs) > 1
            else "The same as a page"
        )
        say(f"\n{page}: {out or '--out FILE.html'}")


def _check(out: Path) -> None:
    """Checks, before anything is measured, that a page can be written to a path."""
    if out.suffix.lower() not in (".html", ".htm"):
        raise DigitsError(f"--out {out} must end in .html, since it becomes a web page.")
    if out.is_dir():
        raise DigitsError(f"--out {out} is a folder; name a file.")
    if not out.parent.is_dir():
        raise DigitsError(f"--out {out}: there is no folder {out.parent}; make it first.")
