"""What both networks say of a line's characters -> which are digits, and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digits.reading.lines.line_reading import Written
from digits.reading.page import Floats
from digits.reading.recogniser import Answer, Recogniser

LEAST = 1e-4  # probability that an opinion gives to any digit
ALONE = 0.25  # the weight of the line's opinion of a character that stands alone
WHOLE, CUT = 2.0, 0.5  # the weight of the canvas on whole ink, and on ink that was cut
STRANGE = -3.0  # logarithm of its odds of a digit, below which it weighs as on ink that was cut

# Of the logarithm of the odds that a character is a digit, and read as the right one. Fitted by
# logistic regression on made pages of MNIST's validation digits and of words.
CANVAS, PRESENCE, LIKELIEST, OFFSET = 0.155, 0.52, 0.38, -4.56
AMONG_DIGITS = 5.5  # for a character among others that are mostly digits
MOSTLY = 1.0  # digits for each other character
ENOUGH = 2  # digits around
LONG = 3  # characters of a part
# Of the logarithm of the odds that a number is right: what the logarithms of three probabilities of
# each digit weigh, those of the line, of the canvas, and that there is a digit. Fitted likewise.
OPINIONS, LEVEL = (0.38, 0.14, 0.27), 4.0
MOST_ODDS = 6.0  # of a network's opinion whether there is a digit, as a logarithm


@dataclass(frozen=True)
class Judged:
    """Both networks' opinion of a digit.

    Attributes:
        probabilities: of the ten digits, float32 (10,).
        log_odds: the logarithm of the odds that it is a digit, and the likeliest one; 0 or more is
            accepted.
        agreement: what it adds to the logarithm of the odds that its number is right, 0 or less:
            the logarithms of what both networks, each by itself, give for the likeliest digit, and
            of the probability that there is one, by their weights.
    """

    probabilities: Floats
    log_odds: float
    agreement: float

    @property
    def accepted(self) -> bool:
        return self.log_odds >= 0


def judge(line: Sequence[Written], recogniser: Recogniser) -> list[Judged | None]:
    """The opinion of each character of a line, whatever is around it; None for signs."""
    opinion = _alone if len(line) == 1 else _among
    return [opinion(one, one.answer, recogniser) if one.answer else None for one in line]


def in_context(parts: Sequence[Sequence[Judged | None]]) -> list[list[Judged | None]]:
    """The opinions of parts of a line, or of cells, when it counts what is around a character.

    A part of `LONG` characters or more speaks for itself; shorter ones look at all the others.
    """
    every = [one for part in parts for one in part]
    return [
        [_among_others(one, part if len(part) >= LONG else every) for one in part] for part in parts
    ]


def _among_others(one: Judged | None, others: Sequence[Judged | None]) -> Judged | None:
    if one is None:
        return None
    there = [other for other in others if other is not None and other is not one]
    digits = sum(other.accepted for other in there)
    if digits < MOSTLY * (len(there) - digits):
        return one
    share = min(digits, ENOUGH) / ENOUGH
    return replace(one, log_odds=one.log_odds + share * AMONG_DIGITS)


def _alone(written: Written, answer: Answer, recogniser: Recogniser) -> Judged:
    """Of a character that stands alone, the network for one digit knows more."""
    together = _together(written.line**ALONE, answer, 1.0)
    canvas = math.log(recogniser.odds(answer))
    log_odds = min(canvas, canvas + _log_odds(written.presence))
    return Judged(together, log_odds, _agreement(written, answer, together))


def _among(written: Written, answer: Answer, recogniser: Recogniser) -> Judged:
    canvas = float(np.clip(math.log(recogniser.odds(answer)), -MOST_ODDS, MOST_ODDS))
    clear = canvas > STRANGE and not written.fragment.cut
    together = _together(written.line, answer, WHOLE if clear else CUT)
    likeliest = _log_odds(float(together.max()), 1e-4)
    presence = _log_odds(written.presence)
    log_odds = CANVAS * canvas + PRESENCE * presence + LIKELIEST * likeliest + OFFSET
    return Judged(together, log_odds, _agreement(written, answer, together))


def _together(line: Floats, answer: Answer, weight: float) -> Floats:
    """The probabilities of the digits by both networks; the canvas's have a weight."""
    sums = np.log(line + LEAST) + weight * np.log(answer.probabilities + LEAST)
    shares = np.exp(sums - sums.max())
    return (shares / shares.sum()).astype(np.float32)


def _agreement(written: Written, answer: Answer, together: Floats) -> float:
    digit = int(together.argmax())
    opinions = (written.line[digit], answer.probabilities[digit], written.presence)
    logarithms = [math.log(max(float(one), LEAST)) for one in opinions]
    return sum(weight * one for weight, one in zip(OPINIONS, logarithms, strict=True))


def confidence(agreements: Sequence[float]) -> float:
    """The probability, 0 to 1, that a number is right, from the agreement on each of its digits.

    Fitted by logistic regression on lines of made pages of MNIST's validation digits.
    """
    return 1 / (1 + math.exp(-(sum(agreements) + LEVEL)))


def _log_odds(probability: float, least: float = 0.0025) -> float:
    bounded = min(max(probability, least), 1 - least)
    return math.log(bounded / (1 - bounded))
