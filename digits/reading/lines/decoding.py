"""What the network for lines says of a strip -> characters, each with its place and probabilities.

Connectionist temporal classification (Graves et al. 2006): each step gives the probability of each
character and of a blank. A text's probability is the sum over all ways to spread it over the steps;
characters that repeat are parted by a blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digits.reading.page import Floats

STEP = 2  # columns of a strip that one step of the network stands for
SIGNS = ".,-/:()+="
OTHER = "?"  # a letter, or any other character
CHARACTERS = "0123456789" + SIGNS + OTHER  # of the network's outputs; the last one is the blank
BLANK = len(CHARACTERS)
DIGIT = "#"  # of a pattern: any digit
MISSING = np.float32(np.log(0.02))  # of the probability that a pattern's sign is not in the ink
NEVER = np.float32(-1e9)  # the logarithm of a probability of 0


@dataclass(frozen=True)
class Character:
    """A character that was found in a strip.

    Attributes:
        symbol: a digit, one of `SIGNS`, or `OTHER`.
        step: the middle of the steps that show it.
        probabilities: of `CHARACTERS`, float32 of shape (20,), given that there is one.
        presence: the probability that there is a character at all, 0 to 1.
    """

    symbol: str
    step: float
    probabilities: Floats
    presence: float


def nothing(width: int) -> Floats:
    """The log-probabilities of so many columns in which nothing is written."""
    steps = np.full((width // STEP, BLANK + 1), NEVER, np.float32)
    steps[:, BLANK] = 0
    return steps


def greedy(log_probabilities: Floats) -> list[Character]:
    """The characters of the likeliest path, from log-probabilities of shape (steps, 21)."""
    path = log_probabilities.argmax(axis=1)
    begins = np.flatnonzero(np.diff(path, prepend=-1))
    ends = np.append(begins[1:], len(path))
    return [
        _character(log_probabilities, begin, end, int(path[begin]))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        if path[begin] != BLANK
    ]


def plausible(characters: Sequence[Character]) -> list[Character]:
    """The characters with those signs as digits that can be nothing else: a bracket without its
    other half and a slash without a digit on both sides are ones, and a plus without a digit
    behind it is the likeliest digit, often a barred 7."""
    text = text_of(characters)
    found = list(characters)
    for place, symbol in enumerate(text):
        before, after = text[:place], text[place + 1 :]
        beside = before[-1:].isdigit() and after[:1].isdigit()
        lonely = (
            (symbol == "(" and ")" not in after)
            or (symbol == ")" and "(" not in before)
            or (symbol == "/" and not beside)
        )
        likely = characters[place].probabilities.copy()
        digit = 1 if lonely else int(likely[:10].argmax())
        if lonely or (symbol == "+" and place and not after[:1].isdigit()):
            likely[digit] += likely[CHARACTERS.index(symbol)]
            likely[CHARACTERS.index(symbol)] = 0
            found[place] = replace(characters[place], symbol=str(digit), probabilities=likely)
    return found


def text_of(characters: Sequence[Character]) -> str:
    return "".join(character.symbol for character in characters)


def _character(log_probabilities: Floats, begin: int, end: int, symbol: int) -> Character:
    shown = np.exp(log_probabilities[begin:end])
    weights = shown[:, symbol]
    peak: Floats = shown[weights.argmax(), :BLANK]
    presence = float(peak.sum())
    step = float((weights * np.arange(begin, end)).sum() / weights.sum()) + 0.5
    return Character(CHARACTERS[symbol], step, peak / np.float32(max(presence, 1e-9)), presence)


def fitting(log_probabilities: Floats, pattern: str) -> list[Character]:
    """The likeliest characters that keep to a pattern, in which # is any digit.

    A sign of the pattern may be missing in the ink, so that forms may have it printed. As for
    `greedy`; the character of a digit that is not in the ink has a `presence` near 0.
    """
    symbols = pattern.replace(" ", "")
    digits = np.logaddexp.reduce(log_probabilities[:, :10], axis=1)
    blank = log_probabilities[:, BLANK]
    rows = [blank]
    for symbol in symbols:
        if symbol == DIGIT:
            rows.append(digits)
        else:
            sign = log_probabilities[:, CHARACTERS.index(symbol)]
            rows.append(np.maximum(sign, blank + MISSING))
        rows.append(blank)
    emitted = np.stack(rows, axis=1)  # (steps, states)
    kinds = log_probabilities[:, :10].argmax(axis=1)
    states = emitted.shape[1]
    best = np.full(states, NEVER, np.float32)
    best[:2] = emitted[0, :2]
    came = np.zeros(emitted.shape, np.int64)
    to_character = np.arange(states) % 2 == 1
    for step in range(1, len(emitted)):
        ways = np.full((3, states), NEVER, np.float32)
        ways[0], ways[1, 1:] = best, best[:-1]
        # Straight from one digit to the next only where another digit is the likeliest.
        if kinds[step] != kinds[step - 1]:
            ways[2, 2:] = np.where(to_character[2:], best[:-2], NEVER)
        came[step] = ways.argmax(axis=0)
        best = ways.max(axis=0) + emitted[step]
    state = states - 1 if best[-1] > best[-2] or states < 3 else states - 2
    path = np.empty(len(emitted), np.int64)
    for step in range(len(emitted) - 1, -1, -1):
        path[step] = state
        state -= came[step, state]
    found = []
    for i, symbol in enumerate(symbols):
        at = np.flatnonzero(path == 2 * i + 1)
        if symbol != DIGIT and len(at):
            found.append(_character(log_probabilities, at[0], at[-1] + 1, CHARACTERS.index(symbol)))
        elif len(at):
            digit = int(log_probabilities[at, :10].max(axis=0).argmax())
            found.append(_character(log_probabilities, at[0], at[-1] + 1, digit))
    return found
