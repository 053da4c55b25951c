"""What is written in a line: numbers as people write them, and words."""

import numpy as np

SIGNS = ".,-/:()+="
OTHER = "?"  # any character that is neither a digit nor one of the signs
CHARACTERS = "0123456789" + SIGNS + OTHER
MARKS = "$€£%&#@!*"
ENDINGS = ["", "", "", ".", ".-", "-", "-", "=", ",-", " -", " =", "-/-", "-//-"]  # of amounts
VOWELS, CONSONANTS = "aeiouy", "bcdfghjklmnpqrstvwxz"


def number(rng: np.random.Generator) -> str:
    """What people write as a number: digits alone, amounts, decimals, dates, times, sums.

    A space is a gap.
    """
    kind = rng.random()
    if kind < 0.5:
        return _digits(rng, 1, 11)
    if kind < 0.72:  # an amount: thousands apart, cents, a line or two against forgery at its end
        apart, cents = (("."), (","))[:: 1 if rng.random() < 0.5 else -1]
        text = _digits(rng, 1, 4)
        for _ in range(rng.integers(0, 3)):
            text += apart + ("000" if rng.random() < 0.3 else _digits(rng, 3, 4))
        if rng.random() < 0.35:
            text += cents + _digits(rng, 2, 3)
        return text + str(rng.choice(ENDINGS))
    if kind < 0.8:
        sign = "-" if rng.random() < 0.4 else ""
        return sign + _digits(rng, 1, 4) + str(rng.choice([".", ","])) + _digits(rng, 1, 4)
    if kind < 0.88:
        between = str(rng.choice(["/", "-", ".", ":"]))
        return between.join(_digits(rng, 1, 3) for _ in range(rng.integers(2, 4)))
    if kind < 0.94:
        sign = str(rng.choice(["+", "-", "/", ":", "="]))
        return _digits(rng, 1, 4) + sign + _digits(rng, 1, 4) + ("=" if rng.random() < 0.5 else "")
    if kind < 0.97:
        return "(" + _digits(rng, 1, 5) + ")" + _digits(rng, 0, 4)
    return " ".join(_digits(rng, 1, 4) for _ in range(rng.integers(2, 5)))


def _digits(rng: np.random.Generator, least: int, end: int) -> str:
    count = int(rng.integers(least, end))
    text = "".join(rng.choice(list("0123456789"), count))
    if rng.random() < 0.3:  # round sums
        zeros = int(rng.integers(0, count + 1))
        text = text[: count - zeros] + "0" * zeros
    return text


def word(rng: np.random.Generator) -> str:
    """Letters that could be a word, in small letters, capitals or with a capital."""
    letters = [
        str(rng.choice(list(VOWELS if (i + begin) % 2 else CONSONANTS)))
        for begin in [int(rng.integers(2))]
        for i in range(rng.integers(2, 9))
    ]
    text = "".join(letters)
    return (text, text.capitalize(), text.upper())[rng.integers(3)]
