"""Which fragments of a line form one digit: the best path through all groupings.

Over-segmentation with a recogniser in the loop (Casey & Lecolinet 1996): a line is cut wherever two
digits could touch, and the likeliest way to join the fragments again is its reading.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digits.reading.recogniser import Answer, Recogniser
from digits.reading.segmentation import Fragment, Line, joined

LONGEST_RUN = 6  # fragments that may be one digit
MOST_QUESTIONS = 4000  # to the recogniser in one search, unless there are more fragments
MOST_TRUST = 10.0  # the largest factor by which neighbours raise the odds of a piece


@dataclass(frozen=True)
class Step:
    """Neighbouring fragments of a line taken as one piece."""

    end: int  # the number of the first fragment after them
    cost: float  # the negative logarithm of how likely it is
    piece: Fragment  # the fragments as one
    answer: Answer | None  # what the recogniser says of it; None if it is passed over as no digit


def longest_run(lines: Sequence[Line]) -> int:
    """How many fragments may be taken as one digit, so that the search stays short."""
    total = sum(len(line.fragments) for line in lines)
    return max(1, min(LONGEST_RUN, MOST_QUESTIONS // max(total, 1)))


def best_path(line: Line, longest: int, recogniser: Recogniser) -> list[Step]:
    """The most likely way to take a line's fragments as digits and other things.

    Fragments and pieces are from left to right. At most `longest` fragments, from `longest_run`,
    are taken as one digit, and `recogniser` says what a piece is. Pieces passed over as not a digit
    are included, except small ones.
    """
    # Costs are negative logarithms, so the cheapest path is the likeliest (dynamic programming).
    costs = [0.0] + [math.inf] * len(line.fragments)  # of the cheapest path up to each fragment,
    paths: list[list[Step]] = [[] for _ in costs]  # and the path itself
    for start in range(len(line.fragments)):
        ahead = line.fragments[start : start + longest]
        for step in _steps(ahead, start, line.height, recogniser):
            cost = costs[start] + step.cost
            if cost < costs[step.end]:
                costs[step.end], paths[step.end] = cost, [*paths[start], step]
    shown = max(0.45 * line.height, 1)
    return [step for step in paths[-1] if step.answer or step.piece.box.height >= shown]


def accepted(path: Sequence[Step], recogniser: Recogniser) -> list[bool]:
    """Which pieces of a line are accepted as digits.

    A digit is likelier among other digits than elsewhere: the odds that a piece is one grow with
    the number of other pieces in its line that are accepted by themselves, and fall with the number
    of those that are refused (Laplace's rule of succession).
    """
    odds = [recogniser.odds(step.answer) if step.answer else 0.0 for step in path]
    accepted_alone = [own >= 1 for own in odds]
    found = []
    for own, alone in zip(odds, accepted_alone, strict=True):
        others_accepted = sum(accepted_alone) - alone
        others_refused = len(path) - 1 - others_accepted
        context = min((others_accepted + 1) / (others_refused + 1), MOST_TRUST)
        found.append(own * context >= 1)
    return found


def _steps(
    ahead: Sequence[Fragment], start: int, height: float, recogniser: Recogniser
) -> Iterator[Step]:
    """The steps that begin with the fragment number `start`, which is the first of `ahead`."""
    right = ahead[0].box.right
    for count in range(1, len(ahead) + 1):
        run = ahead[:count]
        if run[-1].box.x - right > 0.35 * height:
            break
        right = max(right, run[-1].box.right)
        piece = joined(run)
        if count > 1 and piece.box.width > 1.7 * height:
            break
        if count > 1 and piece.box.height > 1.7 * max(height, run[0].box.height):
            continue
        is_part = piece.starts_part and piece.ends_part and len({one.part for one in run}) == 1
        if count == 1 or is_part:
            yield Step(start + count, _cost_of_passing(piece, height), piece, None)
        prior = _prior(run, piece, height)
        if prior < 8:
            answer = recogniser.ask(piece.ink)
            cost = prior - math.log(max(recogniser.likelihood(answer), 1e-5))
            yield Step(start + count, cost, piece, answer)


def _cost_of_passing(piece: Fragment, height: float) -> float:
    """The cost of taking a piece as something other than a digit."""
    # Flat ink, however long, is not a digit: a dash, or a piece of a rule.
    return 0.3 + 3.7 * min(max((piece.box.height / height - 0.3) / 0.35, 0.0), 1.0)


def _prior(run: Sequence[Fragment], piece: Fragment, height: float) -> float:
    """The cost of taking fragments as one digit, before the recogniser is asked."""
    box = piece.box
    tall = box.height / height
    cost = 0.0
    if tall < 0.6:
        cost += math.inf if tall < 0.3 else 12 * (0.6 - tall)
    shape = box.width / max(box.height, 0.6 * height)
    if shape > 1.3:
        cost += 3 * (shape - 1.3)
    cost += 0.2 * (not piece.starts_part) + 0.2 * (not piece.ends_part)
    gaps = [b.box.x - a.box.right for a, b in itertools.pairwise(run) if a.part != b.part]
    return cost + sum(0.3 + 3 * max(gap, 0) / height for gap in gaps)
