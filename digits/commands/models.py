"""List the recipes: what each is for, how large its network is, how good, and about how long it
trains on this machine. To know that, some steps of each are timed, which takes a minute or two.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from digits.runs.recipes import ABOUT, RECIPES
from digits.terminal import importing_tensorflow, note, say, table

# Written by benchmarks/fill from the results of the benchmarks.
RECORDED = Path(__file__).parent.parent / "runs" / "recorded.json"
SOME = 1_000  # digits, with which steps are timed
HEAD = ("recipe", "parameters", "MFLOP", "MNIST test accuracy", "seeds", "training")


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-time",
        action="store_true",
        help="time nothing, and answer at once; needs no TensorFlow",
    )


def run(arguments: argparse.Namespace, prog: str) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    seconds = {} if arguments.no_time else _training_seconds()
    say(as_text(recorded, seconds))


def as_text(recorded: dict[str, dict[str, Any]], seconds: dict[str, float]) -> str:
    """The table: figures of each recipe, and below them what it is for.

    `recorded` is the content of `RECORDED`, and `seconds` how long each recipe trains, if known.
    """
    cells = []
    for name in RECIPES:
        of = recorded[name]
        spread = "" if of["sd"] is None else f" ± {of['sd']:.2%}"
        accuracy = f"{of['accuracy']:.2%}{spread:8}"
        row = [name, f"{of['parameters']:,}", f"{of['mflop']:.1f}", accuracy, str(of["seeds"])]
        cells.append((*row, in_words(seconds[name])) if seconds else row)
    head, *rows = table(HEAD if seconds else HEAD[:-1], cells)
    about = [f"{row}\n  {ABOUT[name]}" for name, row in zip(RECIPES, rows, strict=True)]
    notes = [
        "Accuracies are means ± standard deviations over seeds; MFLOP, millions of",
        "operations to read one image. For lines of writing, reader trains a further",
        "network, which is in its time alone.",
    ]
    if seconds:
        notes += [
            "Times are estimates for this machine, as busy as it is now. Drawing what is",
            "learnt besides MNIST is not counted; for reader, it takes some minutes more.",
        ]
    trained = "Train one with: digits train --recipe NAME"
    return "\n".join([head, *about, "", *notes, "", trained])


def in_words(seconds: float) -> str:
    """A time, rounded to what an estimate is worth."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            count = seconds / length
            return f"{count:.1f} {unit}" if count < 3 else f"{count:.0f} {unit}"
    return f"{seconds:.0f} s"


def _training_seconds() -> dict[str, float]:
    """How long each recipe trains on this machine; shows a progress bar."""
    from tqdm import tqdm

    from digits.data.mnist import load_mnist

    digits = load_mnist().train_images[:SOME]
    note("Timing some steps of each recipe's training, a minute or two in all.")
    with importing_tensorflow():
        from digits.studies import recipe_times
        from digits.training.train import use_cores
    cores = use_cores()
    with tqdm(RECIPES.values(), disable=None, leave=False, dynamic_ncols=True) as bar:
        found = {}
        for recipe in bar:
            bar.set_description(recipe.name)
            found[recipe.name] = recipe_times.training_seconds(recipe, digits, cores)
    return found
