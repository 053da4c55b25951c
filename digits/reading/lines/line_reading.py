"""A line of ink -> its characters, by the network for lines and the network for one digit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from digits.bundle import STRIP_WIDTH
from digits.layout.segmentation import Fragment, Line, joined, trimmed
from digits.pictures.box import Box
from digits.pictures.grey import Grey
from digits.pictures.masks import Ints
from digits.reading.lines import decoding, edits, pieces
from digits.reading.lines.decoding import OTHER, STEP, Character
from digits.reading.lines.strips import Strip, heavier, lighter, slant, strip_of
from digits.reading.page import Floats
from digits.reading.recogniser import Answer, Recogniser

CLEAR = 0.8  # likelihood of its text, of a line that one look is enough for
MOST_CHARACTERS = 60  # of a line that is looked at closely
SCALES = (0.85, 1.18)  # of the further strips of a line that fits into one window
SLIVER = 0.12  # of a part's ink, what is not cut off
TALL = 0.5  # of a line's height, ink that may be a digit
SMALL = 0.4  # of a line's height, what is too low for a digit
LONG = 1.2  # of a line's height, a slash
MAYBE = 0.03  # probability of a one that seems a slash
NEAR = 0.15  # of a line's height, between pieces of one character
EACH = 0.5  # likelihood that each of two pieces is a digit, of those that are two
SURE = math.exp(5)  # odds of a digit, of a line that is one digit; and its probability:
SURE_OF_IT = 0.99

Run = Callable[[Grey], Floats]  # a window, uint8 (32, w), -> log-probabilities, (w / 2, 21)


@dataclass(frozen=True)
class Written:
    """A character of a line.

    Attributes:
        symbol: a digit, a sign, or `OTHER`.
        fragment: its ink.
        line: the probabilities of the ten digits that the network for lines gives, float32 (10,),
            given that there is a digit; all alike where it found none, and those of the network for
            one digit where it was not asked.
        presence: the probability, by that network, that there is a digit.
        answer: what the network for one digit says of the ink; None for a sign.
        certainty: the probability, by the network for lines, of its likeliest character, 0 to 1; 0
            where it found none.
    """

    symbol: str
    fragment: Fragment
    line: Floats
    presence: float
    answer: Answer | None
    certainty: float


def read_line(
    line: Line, recogniser: Recogniser, run: Run, thorough: bool, pattern: str | None
) -> list[Written]:
    """The characters of a line from left to right.

    Args:
        line: its ink.
        recogniser: for single digits.
        run: the network for lines.
        thorough: look at a line that is not clear at once in several sizes and with several pens,
            which takes longer and is right more often.
        pattern: there are just its characters, in which # is a digit; one that is not in the ink
            has none.
    """
    whole = joined(line.fragments)
    if len(line.fragments) == 1 and not pattern and (digit := _one_digit(whole, recogniser)):
        return [digit]
    strips = [_first_strip(line, whole)]
    level, shear = strips[0].level, strips[0].shear
    outputs = [_outputs(strips[0], run)]
    if thorough and _is_doubtful(outputs[0]):
        # Of a line that does not fit into one window, the size must be the same.
        sizes = SCALES if len(strips[0].windows) == 1 else (1.0,)
        of_sizes = [strip_of(whole.ink, level, line.height / one, shear) for one in sizes]
        others = [pen(one) for one in of_sizes for pen in (heavier, lighter)]
        strips += [one for one in others if len(one.windows) == len(strips[0].windows)]
        outputs += [_outputs(one, run) for one in strips[1:]]
        strips, outputs = _of_one_width(strips, outputs)
    found, view = _fitting(outputs, pattern) if pattern else _best_text(outputs, thorough)
    found = found if pattern else decoding.plausible(found)
    return _with_ink(line, whole, found, strips[view], recogniser, bool(pattern))


def _one_digit(ink: Fragment, recogniser: Recogniser) -> Written | None:
    """Ink that is one digit beyond doubt, by the network for one digit: the network for lines could
    not change that, so it need not be asked."""
    answer = recogniser.ask(ink.ink)
    sure = recogniser.odds(answer) >= SURE and answer.probabilities.max() >= SURE_OF_IT
    if not sure:
        return None
    symbol, is_digit = str(answer.probabilities.argmax()), answer.is_digit
    return Written(symbol, ink, answer.probabilities, is_digit, answer, is_digit)


def at_a_glance(line: Line, run: Run) -> list[Character]:
    """The characters of a line that the network for lines, `run`, sees in one look."""
    found = decoding.greedy(_outputs(_first_strip(line, joined(line.fragments)), run))
    return decoding.plausible(found)


def _first_strip(line: Line, whole: Fragment) -> Strip:
    """The strip of a line, whose ink is in one piece, in its own size."""
    return strip_of(whole.ink, _level(line) - whole.box.y, line.height, slant(whole.ink))


def _is_doubtful(output: Floats) -> bool:
    """Whether the text that a view shows is not clear."""
    if output.max(axis=1).sum() >= math.log(CLEAR):  # its likeliest path alone is
        return False
    text = decoding.text_of(decoding.greedy(output))
    if len(text) > MOST_CHARACTERS:
        return False
    return bool(edits.log_likelihoods(output[None], text)[0] < math.log(CLEAR))


def _level(line: Line) -> float:
    tall = [one.box for one in line.fragments if one.box.height > 0.6 * line.height]
    boxes = tall or [one.box for one in line.fragments]
    weights = [box.width for box in boxes]
    return float(np.average([box.y + box.height / 2 for box in boxes], weights=weights))


def _best_text(outputs: Sequence[Floats], thorough: bool) -> tuple[list[Character], int]:
    """The characters of the text that all views of a line together make likeliest, and the number
    of the view that shows it best."""
    found = [decoding.greedy(output) for output in outputs]
    if not thorough or max(map(len, found)) > MOST_CHARACTERS:
        return found[0], 0
    best = edits.likeliest(np.array(outputs), [decoding.text_of(one) for one in found])
    view = int(best.log_likelihoods.argmax())
    return edits.characters(best, view), view


def _fitting(outputs: Sequence[Floats], pattern: str) -> tuple[list[Character], int]:
    """The same, of the text that keeps to a pattern."""
    found = [decoding.fitting(output, pattern) for output in outputs]
    present = [math.prod(one.presence for one in characters) for characters in found]
    view = int(np.argmax(present))
    return found[view], view


def _outputs(strip: Strip, run: Run) -> Floats:
    """The log-probabilities of a strip's steps, each from the window in which it is farther from
    the edge."""
    starts = [start // STEP for start in strip.windows]
    ends = [(a + b) // 2 + STRIP_WIDTH // STEP // 2 for a, b in itertools.pairwise(starts)]
    begins = [0, *ends]
    ends = [*ends, strip.image.shape[1] // STEP]
    parts = []
    for start, begin, end in zip(starts, begins, ends, strict=True):
        window = strip.image[:, start * STEP : start * STEP + STRIP_WIDTH]
        parts.append(run(window)[begin - start : end - start])
    return np.concatenate(parts)


def _of_one_width(
    strips: Sequence[Strip], outputs: Sequence[Floats]
) -> tuple[list[Strip], list[Floats]]:
    """Strips and their outputs with paper beside those that are narrower than others."""
    widest = max(one.image.shape[1] for one in strips)
    paper = [decoding.nothing((widest - one.image.shape[1]) // 2) for one in strips]
    padded = [
        np.concatenate([beside, output, beside])
        for beside, output in zip(paper, outputs, strict=True)
    ]
    return [one.widened(widest) for one in strips], padded


def _with_ink(
    line: Line,
    whole: Fragment,
    found: Sequence[Character],
    strip: Strip,
    recogniser: Recogniser,
    only_these: bool,
) -> list[Written]:
    """Characters with their ink, and ink that is none of them, unless `only_these` are wanted."""
    height, box = line.height, whole.box
    if not found:
        return [
            _unread(one, recogniser) for one in line.fragments if one.box.height >= TALL * height
        ]
    columns = [one.step * STEP for one in found]
    if len(found) > 1:
        ways = pieces.seams(strip.image, columns)
        owner = pieces.between(
            ways, strip.rows(box.height), (box.height, box.width),
            strip.offsets(box.height), strip.scale,
        )  # fmt: skip
    else:
        owner = np.zeros((box.height, box.width), np.int64)
    of: list[list[Fragment]] = [[] for _ in found]
    for part in line.fragments:
        for index, piece in _shared(part, owner, box):
            of[index].append(piece)
    written: list[tuple[float, Written]] = []
    for character, column, own in zip(found, columns, of, strict=True):
        middle = box.x + strip.left + column / strip.scale
        chosen, others = _own(own, middle, height)
        if not only_these:
            chosen, unseen = parted(chosen, recogniser, height)
            others = [*others, *unseen]
        if chosen:
            one = joined(sorted(chosen, key=lambda piece: piece.middle))
            written.append((one.middle, _written(character, one, recogniser, height)))
        elif only_these:
            written.append((middle, _missing(character, middle, box.y)))
        for other in [] if only_these else others:
            if other.box.height >= TALL * height:
                written.append((other.middle, _unread(other, recogniser)))
    written.sort(key=lambda pair: pair[0])
    return [one for _, one in written]


def _shared(part: Fragment, owner: Ints, whole: Box) -> list[tuple[int, Fragment]]:
    """A part, whole or cut, with the index of the character that each piece belongs to."""
    window = owner[part.box.moved(-whole.x, -whole.y).window]
    counts = np.bincount(window[part.ink > 0])
    owners = np.flatnonzero(counts > SLIVER * counts.sum())
    if len(owners) <= 1:
        return [(int(counts.argmax()), part)]
    nearest = np.abs(window[..., None] - owners).argmin(axis=-1)
    cut = []
    for place, index in enumerate(owners.tolist()):
        ink = np.where(nearest == place, part.ink, 0).astype(np.uint8)
        if ink.any():
            piece = trimmed(ink, part.box.x, part.box.y, cut=True)
            cut.append((index, piece))
    return cut


def _own(
    parts: Sequence[Fragment], middle: float, height: float
) -> tuple[list[Fragment], list[Fragment]]:
    """The pieces that make one character, and the others, which are too far from it."""
    if not parts:
        return [], []

    def apart(one: Fragment) -> float:
        return max(one.box.x - middle, middle - one.box.right, 0.0)

    main = min(parts, key=lambda one: (apart(one) > 0.3 * height, -one.ink.size))
    if apart(main) > 0.6 * height:
        return [], list(parts)
    left, right = main.box.x - NEAR * height, main.box.right + NEAR * height
    chosen = [one for one in parts if one is main or (one.box.right > left and one.box.x < right)]
    return chosen, [one for one in parts if one not in chosen]


def parted(
    parts: Sequence[Fragment], recogniser: Recogniser, height: float
) -> tuple[list[Fragment], list[Fragment]]:
    """The pieces of one character, and high ones beside them that are digits by themselves, and
    none together with them: the network for lines did not see those."""
    high = sorted((one for one in parts if one.box.height >= TALL * height), key=_size)
    main, seen = list(parts), []
    for one in high[:-1]:
        rest = [other for other in main if other is not one]
        likely = [recogniser.likelihood(recogniser.ask(ink.ink)) for ink in (joined(rest), one)]
        if min(likely) > max(recogniser.likelihood(recogniser.ask(joined(main).ink)), EACH):
            main = rest
            seen.append(one)
    return main, seen


def _size(part: Fragment) -> int:
    return part.ink.size


def _written(character: Character, ink: Fragment, recogniser: Recogniser, height: float) -> Written:
    digits = character.probabilities[:10]
    total = float(digits.sum())
    line = digits / total if total > 1e-6 else np.full(10, 0.1, np.float32)
    presence = total * character.presence
    symbol = character.symbol
    if symbol == "/" and ink.box.height < LONG * height and presence * line[1] > MAYBE:
        symbol, presence = "1", character.presence  # as high as digits are, and leaning
    if symbol.isdigit() and ink.box.height < SMALL * height:
        symbol = decoding.SIGNS[int(character.probabilities[10:-1].argmax())]
    answer = recogniser.ask(ink.ink) if symbol.isdigit() or symbol == OTHER else None
    certainty = float(character.probabilities.max()) * character.presence
    return Written(symbol, ink, line, presence, answer, certainty)


def _unread(ink: Fragment, recogniser: Recogniser) -> Written:
    return Written(OTHER, ink, np.full(10, 0.1, np.float32), 0.0, recogniser.ask(ink.ink), 0.0)


def _missing(character: Character, x: float, y: int) -> Written:
    """A character of a pattern that is not in the ink."""
    nothing = Fragment(Box(round(x), y, 0, 0), np.zeros((0, 0), np.uint8))
    symbol = OTHER if character.symbol.isdigit() else character.symbol
    return Written(symbol, nothing, np.full(10, 0.1, np.float32), 0.0, None, 0.0)
