"""One amount of work done in several ways, which take turns: a machine that slows down slows all.

What the benchmarks `sweep` and `workers` share.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.harness.json_lines import Lines, read_lines

Way = TypeVar("Way", int, str)


def parser(description: str | None, results: Path) -> argparse.ArgumentParser:
    """With the flags that every such benchmark has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=results, help="JSON lines")
    parser.add_argument("--turns", type=int, default=2, help="of each way")
    parser.add_argument("--summary", action="store_true", help="print what is there and end")
    return parser


def take(
    arguments: argparse.Namespace,
    ways: Sequence[Way],
    measure: Callable[[Way], dict[str, Any]],
    summary: Callable[[Lines], str],
) -> None:
    """Measures every way in every turn, writes a line for each with its `seconds`, and sums up.

    Args:
        arguments: from `parser`.
        ways: what each is called, or how many processes it has.
        measure: from one of `ways` to what is kept of it, `seconds` of one piece of work included.
        summary: from all lines to what is printed at the end.
    """
    out: Path = arguments.out
    if not arguments.summary:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("")
        for turn in range(1, arguments.turns + 1):
            for way in ways:
                line = {"way": way, "turn": turn} | measure(way)
                with out.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(f"turn {turn}, {way}: {line['seconds']:.1f} s", flush=True)
    lines = read_lines(out)
    measured = {line["way"] for line in lines} == {*ways}
    print(summary(lines) if measured else "Nothing is measured yet.")


def mean_seconds(lines: Lines, way: Way) -> float:
    return statistics.fmean(line["seconds"] for line in lines if line["way"] == way)
