"""The command line that the benchmarks have in common, and the data that it names."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import RESULTS_FOLDER
from benchmarks.harness.json_lines import Line, Lines, read_lines, write_lines
from digits import commands
from digits.data.mnist import Dataset, load_mnist
from digits.errors import DigitsError
from digits.labelled import opening

NOTHING = "There are no results yet."
OWN_DATA = "own_data"  # of a line, if its data are not MNIST


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


def add_data_flag(parser: argparse.ArgumentParser, only_mnist: bool = False) -> None:
    """Adds --data, as the commands of `digits` have it: where MNIST is, or any data in its form.

    A benchmark whose figures mean something on MNIST alone takes `only_mnist`.
    """
    commands.add_data_flag(parser, only_mnist)
    parser.set_defaults(only_mnist=only_mnist)


def given_data(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Dataset:
    """The data that --data names; without it, MNIST, found or downloaded.

    Ends the program with a sentence, as for any wrong argument, if there are no such data, or if
    they are not MNIST and would be written among the results, where every figure is MNIST's.
    """
    try:
        if arguments.only_mnist:
            return load_mnist(arguments.data)
        data = opening.load(arguments.data)
    except DigitsError as error:
        parser.error(str(error))
    if data.own and arguments.out.resolve().is_relative_to(RESULTS_FOLDER):
        parser.error(
            f"--data {arguments.data} is not MNIST, and benchmarks/results keeps the figures that "
            "pages show as MNIST's; choose another --out."
        )
    return data


def check_kept(parser: argparse.ArgumentParser, lines: Lines, data: Dataset) -> None:
    """Ends the program with a sentence if lines that are kept are of other data."""
    own = of_data(data).get(OWN_DATA)
    if any(line.get(OWN_DATA) != own for line in lines):
        parser.error(f"--out holds figures of other data than {data.name}; choose another file.")


def data_flags(path: Path | None) -> list[str]:
    """The flags that give a command of `digits`, or a benchmark, the same data."""
    return [] if path is None else ["--data", str(path.absolute())]


def of_data(data: Dataset) -> Line:
    """What a line of results says of data that are not MNIST; nothing of MNIST."""
    return _named(data.own.name, data.own.sha256) if data.own else {}


def of_run(metrics: Mapping[str, Any]) -> Line:
    """The same of the data that a run was trained on; it takes the run's `metrics.json`."""
    own = metrics.get(OWN_DATA)
    return _named(Path(own["path"]).name, own["sha256"]) if own else {}


def _named(name: str, sha256: str) -> Line:
    return {OWN_DATA: {"name": name, "sha256": sha256}}


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
