"""The file that says what a sweep trains: text -> recipes, and the name of each."""

import argparse
import hashlib
import itertools
import math
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from digits.errors import DigitsError, explained
from digits.runs import network_file, recipes
from digits.runs.recipes import RECIPES, Recipe

FORM = """\
SPEC is a text file with the flags of `digits train` for one run on each line. A
range of whole numbers makes a run for each number, and # begins a comment:

  --recipe fast --seed 1..10              # ten seeds
  --recipe fast --dropout 0 --seed 1..10  # the same without dropout
"""
MOST_RUNS = 10_000  # in one file; more is probably a typing mistake
LONGEST_NAME = 100  # characters, without the seed
RANGE = re.compile(r"(--[\w-]+=)?(-?\d+)\.\.(-?\d+)")


class _LineParser(argparse.ArgumentParser):
    """Parses flags as a command does, but raises an error where that ends the program."""

    def error(self, message: str) -> NoReturn:
        raise DigitsError(message)


def read(path: Path) -> list[Recipe]:
    """Reads the recipes of a file; see `FORM`. A recipe that occurs several times counts once.
    Raises DigitsError if the file cannot be read, has no recipe, or has a line that is not valid,
    whose number the message gives."""
    try:
        with explained(f"{path} cannot be read"):
            lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise DigitsError(f"{path} is not a text file in UTF-8.") from None
    found: dict[Recipe, None] = {}
    for number, line in enumerate(lines, 1):
        try:
            found |= dict.fromkeys(_recipes_of(line))
            if len(found) > MOST_RUNS:
                raise DigitsError(f"up to here there are more than {MOST_RUNS:,} runs.")
        except DigitsError as error:
            raise DigitsError(f"{path}, line {number}: {error}") from None
    if not found:
        raise DigitsError(f"{path} names no run; write lines such as: --recipe fast --seed 1..5")
    return list(found)


def name_of(recipe: Recipe, seed: bool = True) -> str:
    """The name of a run: its recipe's name, each field that differs from it, and the seed."""
    changes = recipes.changes(recipe).items()
    own = network_file.short_name(recipe.network, recipe.network_sha256)
    parts = [
        own if own and of == "network" else f"{of.replace('_', '-')}-{value}"
        for of, value in changes
    ]
    name = "-".join([recipe.name, *parts])
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha256(repr(replace(recipe, seed=0)).encode()).hexdigest()
        name = f"{name[:LONGEST_NAME]}-{digest[:8]}"
    return f"{name}-seed-{recipe.seed}" if seed else name


def _recipes_of(line: str) -> Iterator[Recipe]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:  # such as a missing quotation mark
        raise DigitsError(f"{error}.") from None
    if not words:
        return
    parser = _LineParser(add_help=False)
    recipes.add_flags(parser)
    choices = [_values_of(word) for word in words]
    if math.prod(map(len, choices)) > MOST_RUNS:
        raise DigitsError(f"its ranges make more than {MOST_RUNS:,} runs.")
    for flags in itertools.product(*choices):
        yield recipes.from_flags(parser.parse_args(flags)) or RECIPES["default"]


def _values_of(word: str) -> Sequence[str]:
    """The values of a range; a word that is not a range is its own only value."""
    found = RANGE.fullmatch(word)
    if not found:
        return [word]
    flag, first, last = found[1] or "", int(found[2]), int(found[3])
    if last < first:
        raise DigitsError(f"the range {first}..{last} is empty; write {last}..{first}.")
    if last - first >= MOST_RUNS:
        raise DigitsError(f"the range {first}..{last} makes more than {MOST_RUNS:,} runs.")
    return [f"{flag}{value}" for value in range(first, last + 1)]
