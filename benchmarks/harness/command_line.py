"""The command line that the benchmarks have in common."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.harness.json_lines import Line, Lines, read_lines, write_lines
from digits.errors import DigitsError

NOTHING = "There are no results yet."


def parser(description: str | None, results: Path) -> argparse.ArgumentParser:
    """A parser with the flags that every benchmark has: --out and --summary.

    Args:
        description: of the benchmark, printed by --help as it stands.
        results: the file that it writes by default, which is called as the benchmark is.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{results.stem}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=results,
        metavar="FILE",
        help=f"JSON lines (default: benchmarks/results/{results.name})",
    )
    parser.add_argument(
        "--summary", action="store_true", help="print the results that are there and exit"
    )
    return parser


def main(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], list[Line]],
    summary: Callable[[Lines], str],
) -> int:
    """Measures, writes the results, and prints them; with --summary, prints them only.

    Args:
        parser: from `parser`, perhaps with more flags.
        measure: takes the arguments and returns the results.
        summary: of the results, as text.

    Returns:
        the exit status: 0, or 2 for a mistake that the user can correct.
    """
    arguments = parser.parse_args()
    if not arguments.summary:
        try:
            lines = measure(arguments)
        except DigitsError as error:
            print(error, file=sys.stderr)
            return 2
        write_lines(arguments.out, lines)
    lines = read_lines(arguments.out)
    print(summary(lines) if lines else NOTHING)
    return 0


def main_of_parts(
    description: str | None,
    results: Path,
    parts: Mapping[str, Callable[[], Line]],
    summary: Callable[[Lines], str],
) -> None:
    """The command line of a benchmark whose parts are measured one by one, all or those named.

    Each is written as soon as it is measured, as a line with `what` it is and the number of cores;
    the lines of other parts stay.
    """
    own = parser(description, results)
    own.add_argument(
        "what", nargs="*", metavar="WHAT", help=f"of {', '.join(parts)} (default: all)"
    )
    arguments = own.parse_args()
    unknown = set(arguments.what) - set(parts)
    if unknown:
        own.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(parts)}")
    if not arguments.summary:
        for what in arguments.what or parts:
            line = {"what": what, "cores": len(os.sched_getaffinity(0))} | parts[what]()
            others = [other for other in read_lines(arguments.out) if other["what"] != what]
            lines = sorted([*others, line], key=lambda one: [*parts].index(one["what"]))
            write_lines(arguments.out, lines)
    print(summary(read_lines(arguments.out)))
