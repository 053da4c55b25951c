"""Interleaved measurements: several ways to do the same work take turns.

Then a machine that slows down slows all of them. `benchmarks.sweep` and `benchmarks.workers`
measure like this.
"""

import argparse
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Lines, append_line, read_lines, write_lines

Way = TypeVar("Way", int, str)


def parser(description: str | None, results: Path) -> argparse.ArgumentParser:
    """A parser with the flags that every such benchmark has."""
    parser = command_line.parser(description, results)
    parser.add_argument("--turns", type=int, default=2, help="of each way (default: 2)")
    return parser


def take_turns(
    arguments: argparse.Namespace,
    ways: Sequence[Way],
    measure: Callable[[Way], dict[str, Any]],
    summary: Callable[[Lines], str],
) -> None:
    """Measures every way in every turn, writes a line for each, and prints the summary.

    Args:
        arguments: from `parser`.
        ways: the name of each, or how many processes it has.
        measure: takes one of `ways` and returns what its line holds, with the `seconds` that the
            work took.
        summary: of all lines, as text.
    """
    if not arguments.summary:
        write_lines(arguments.out, [])
        for turn in range(1, arguments.turns + 1):
            for way in ways:
                line = {"way": way, "turn": turn} | measure(way)
                append_line(arguments.out, line)
                print(f"turn {turn}, {way}: {line['seconds']:.1f} s", flush=True)
    lines = read_lines(arguments.out)
    complete = {line["way"] for line in lines} == {*ways}
    print(summary(lines) if complete else command_line.NOTHING)


def mean_seconds(lines: Lines, way: Way) -> float:
    """The mean over turns of what one way took."""
    return statistics.fmean(line["seconds"] for line in lines if line["way"] == way)
