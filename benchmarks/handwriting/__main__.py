"""The shipped model and the Keras textbook CNN on other people's handwriting and on non-digits.

    DIGITS_HANDWRITING=DIR python -m benchmarks.handwriting
                                                       writes benchmarks/results/handwriting.jsonl
    python -m benchmarks.handwriting --textbook DIR    with a textbook CNN that is already trained
    python -m benchmarks.handwriting --again           measures the shipped model again; the
                                                       textbook CNN's lines stay as they are
    python -m benchmarks.handwriting --summary         prints the table

The shipped model reads a picture with `Reader.classify` and a canvas with the signature `canvas`.
The textbook CNN gets both as demos feed it, squeezed to 28×28 and not inverted, and accepts a
picture if its highest probability reaches a threshold. To compare the two, each threshold is set to
accept 99% of MNIST's validation digits (the last 5,000 training images). What the shipped model
accepts at its own threshold is measured too.

No network is trained on these sets, and no threshold is chosen on them. But while the reader was
developed, errors on them were examined and alternatives were compared on them, as docs/log.md
describes. Expect other people's writing to be read somewhat worse.

It takes about ten minutes, three of them to train the textbook CNN.
"""

import argparse
import sys

from benchmarks import RESULTS_FOLDER
from benchmarks.handwriting.measuring import measure
from benchmarks.handwriting.summary import summary
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, read_lines
from benchmarks.textbook import reading as textbook

RESULTS = RESULTS_FOLDER / "handwriting.jsonl"


def main() -> int:
    parser = command_line.parser(__doc__, RESULTS)
    textbook.add_flags(parser)
    command_line.add_data_flag(parser, only_mnist=True)  # thresholds are those of its digits
    parser.add_argument("--limit", type=int, metavar="N", help="read the first N of each set only")
    parser.add_argument("--again", action="store_true", help="measure the shipped model alone")

    def run(arguments: argparse.Namespace) -> list[Line]:
        kept = read_lines(arguments.out) if arguments.again else None
        command_line.given_data(parser, arguments)  # what is wrong with them is said at once
        return measure(arguments.bundle, arguments.textbook, arguments.limit, kept, arguments.data)

    return command_line.main(parser, run, summary)


if __name__ == "__main__":
    sys.exit(main())
