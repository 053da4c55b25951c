"""Trains the Keras textbook CNN, with which the benchmarks compare.

    python -m benchmarks.textbook --seed 1 --out DIR    writes DIR/metrics.json and DIR/model.keras

Its architecture and schedule are in benchmarks/textbook/network.py.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.harness import command_line
from benchmarks.textbook.network import train


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.textbook",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="results folder")
    command_line.add_data_flag(parser)
    arguments = parser.parse_args()
    data = command_line.given_data(parser, arguments)
    model, metrics = train(data, arguments.seed)
    if data.own:
        metrics[command_line.OWN_DATA] = asdict(data.own)
    arguments.out.mkdir(parents=True, exist_ok=True)
    model.save(arguments.out / "model.keras")
    (arguments.out / "metrics.json").write_text(json.dumps(metrics))


main()
