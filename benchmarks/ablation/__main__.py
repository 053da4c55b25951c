"""What each augmentation is worth, on MNIST and on handwriting that is not MNIST.

    DIGITS_HANDWRITING=DIR python -m benchmarks.ablation    writes benchmarks/results/ablation.jsonl
    python -m benchmarks.ablation --resume       continues, and repeats trainings that failed
    python -m benchmarks.ablation --summary      prints the table
    python -m benchmarks.ablation --figure       draws docs/figures/ablation.png from the results

The default recipe is trained for a few epochs with several seeds: without augmentation, with each
augmentation alone, with all that the recipe uses, and with all of these but one. No digits or
non-digits are drawn for training, so that what is measured is the augmentation. Each training opens
the test digits once, at its end, and nothing is chosen on them.

Each training is a process on a core of its own and takes about a minute, so the whole study takes
about 25 minutes on two cores.
"""

import sys
from pathlib import Path

from benchmarks.ablation import plan, study
from benchmarks.ablation.tables import summary
from benchmarks.handwriting import evaluation_sets
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import read_lines, write_lines
from digits.errors import DigitsError


def main() -> int:
    parser = command_line.parser(__doc__, plan.RESULTS)
    command_line.add_data_flag(parser, only_mnist=True)  # it is compared with other handwriting
    parser.add_argument("--resume", action="store_true", help="keep the lines that are there")
    parser.add_argument(
        "--processes", type=int, metavar="N", help="trainings at a time (default: one a core)"
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="for a try: only the first N digits of every set"
    )
    parser.add_argument(
        "--figure",
        type=Path,
        nargs="?",
        const=plan.FIGURE,
        metavar="FILE",
        help="draw the figure and exit (default: docs/figures/ablation.png)",
    )
    arguments = parser.parse_args()
    results: Path = arguments.out
    failed = 0
    try:
        if not (arguments.summary or arguments.figure):
            command_line.given_data(parser, arguments)
            evaluation_sets.folder()  # missing sets are reported before anything is overwritten
            if not arguments.resume:
                write_lines(results, [])
            failed = study.run(results, arguments.processes, arguments.limit, arguments.data)
        lines = read_lines(results)
        if arguments.figure is not None:
            from benchmarks.ablation.figure import draw

            draw(lines, arguments.figure)
    except DigitsError as error:
        print(error, file=sys.stderr)
        return 2
    print(summary(lines))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
