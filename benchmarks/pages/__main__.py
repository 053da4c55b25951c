"""How pages are read: numbers on a desk, in boxes and tables, with signs and gaps, turned, ruled.

    python -m benchmarks.pages                     writes benchmarks/results/pages.jsonl
    python -m benchmarks.pages --only plain gaps   measures these kinds again; other lines stay
    python -m benchmarks.pages --pictures DIR      writes the pages as PNG files with their truth
                                                   into DIR, and measures nothing
    python -m benchmarks.pages --times DIR         measures the time of an amount beside an earlier
                                                   checkout in DIR, of a photo, and of two workers;
                                                   other lines stay
    python -m benchmarks.pages --summary           prints the table

The pages are made from digits of MNIST's validation part, the last 5,000 training images without
twelve that nobody would read as their label says, and from fonts that no network is trained on.
Every page has a random generator of its own: with the same versions of NumPy, SciPy and Pillow it
is always the same.

It takes about ten minutes. Nothing else may run while times are measured.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks import RESULTS_FOLDER
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, Lines, read_lines, write_lines
from benchmarks.pages import made, measuring, times
from benchmarks.pages.kinds import KINDS
from digits.data.mnist import Mnist
from digits.reading.reader import Reader

RESULTS = RESULTS_FOLDER / "pages.jsonl"
EVERY = (*KINDS, measuring.ONE_DIGIT)


def main() -> int:
    parser = command_line.parser(__doc__, RESULTS)
    parser.add_argument(
        "--bundle", type=Path, metavar="DIR", help="default: the one that comes with the package"
    )
    command_line.add_data_flag(parser, only_mnist=True)  # pages are made of its digits
    parser.add_argument("--only", nargs="+", metavar="KIND", choices=EVERY, default=EVERY)
    parser.add_argument("--limit", type=int, metavar="N", help="make the first N of each kind only")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--pictures", type=Path, metavar="DIR", help="write the pages; measure nothing"
    )
    instead.add_argument(
        "--times", type=Path, metavar="DIR", help="measure times, beside an earlier checkout"
    )

    def run(arguments: argparse.Namespace) -> list[Line]:
        return measure(arguments, command_line.given_data(parser, arguments))

    return command_line.main(parser, run, summary)


def measure(arguments: argparse.Namespace, mnist: Mnist) -> list[Line]:
    """Measures what is asked for.

    Returns:
        these lines and, of the file that is there, all others.
    """
    sources = made.sources(mnist)
    kept = read_lines(arguments.out)
    if arguments.pictures is not None:
        for name in arguments.only:
            if name in KINDS:
                pages = measuring.pages(name, sources, arguments.limit)
                made.write(arguments.pictures, name, pages)
        return kept
    if arguments.times is not None:
        return merged(kept, times.measure(sources, arguments.times, arguments.bundle))
    reader = Reader(arguments.bundle)
    lines = []
    for name in arguments.only:
        lines.append(measuring.measured(reader, name, sources, arguments.limit))
        print(json.dumps(lines[-1]), flush=True)
        write_lines(arguments.out, merged(kept, lines))  # what is measured outlives an interruption
    return merged(kept, lines)


def merged(kept: Lines, lines: Lines) -> list[Line]:
    """Lines of which later ones replace earlier ones of the same kind: kinds in their order, then
    times."""
    by_name = {line.get("kind") or line["what"]: line for line in (*kept, *lines)}
    kinds = [by_name[name] for name in EVERY if name in by_name]
    return [*kinds, *(line for line in by_name.values() if "what" in line)]


def summary(lines: Lines) -> str:
    """The tables of kinds and of times, as far as they are measured."""
    kinds = [line for line in lines if "kind" in line]
    timed = [line for line in lines if "what" in line]
    parts = [measuring.summary(kinds)] if kinds else []
    return "\n\n".join([*parts, times.summary(timed)] if timed else parts)


if __name__ == "__main__":
    sys.exit(main())
