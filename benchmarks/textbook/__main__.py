"""Trains the Keras textbook CNN, with which the benchmarks compare.

    python -m benchmarks.textbook --seed 1 --out DIR    writes DIR/metrics.json and DIR/model.keras

Its architecture and schedule are in benchmarks/textbook/network.py.
"""

import argparse
import json
from pathlib import Path

from benchmarks.textbook.network import train
from digits.data.mnist import load_mnist


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.textbook",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="results folder")
    arguments = parser.parse_args()
    model, metrics = train(load_mnist(), arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    model.save(arguments.out / "model.keras")
    (arguments.out / "metrics.json").write_text(json.dumps(metrics))


main()
