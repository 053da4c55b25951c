"""A text and the views of a line -> how likely it is, and each text that is one character away.

The likelihood of a text is that of all ways to spread it over the steps (the forward and backward
variables of Graves et al. 2006). Those of all texts that differ from it in one character take
little more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digits.pictures.masks import Ints
from digits.reading.lines.decoding import BLANK, CHARACTERS, Character
from digits.reading.page import Floats

MOST_EDITS = 6  # of the text that is started from
CLEARLY = 0.1  # by which the logarithm of the likelihood must grow
SURELY = 0.999  # probability of a blank
VIEWS = 1.5  # the weight of the views' mean opinion of a character
TINY = 1e-30

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Edits:
    """A text of n characters, as several views of a line show it.

    Attributes:
        text: the text.
        log_likelihoods: of the text, in each view, float64 of shape (views,).
        replaced: the logarithm of the likelihood of the text with one character replaced by each
            of `CHARACTERS`, relative to the text's, float64 of shape (views, n, 20).
        deleted: the same without the character, of shape (views, n).
        inserted: the same with one of `CHARACTERS` before each character, and at the end, of shape
            (views, n + 1, 20).
        steps: the middle of the steps that show each character, of shape (views, n).
    """

    text: str
    log_likelihoods: Doubles
    replaced: Doubles
    deleted: Doubles
    inserted: Doubles
    steps: Doubles


def log_likelihoods(log_probabilities: Floats, text: str) -> Doubles:
    """The logarithm of a text's likelihood in each of the views, whose shape is
    (views, steps, 21); float64 of shape (views,)."""
    return _forward(_steps(log_probabilities), _codes(text)).log_likelihoods


def edits(log_probabilities: Floats, text: str) -> Edits:
    """How likely a text is, and all that are one character away, in views of shape
    (views, steps, 21)."""
    taken, codes = _steps(log_probabilities), _codes(text)
    forward = _forward(taken, codes)
    before, scale, total = forward.before, forward.scale, forward.total
    steps, views, _ = taken.shown.shape
    states = _states(codes)
    # after[k] holds the ways from step k to the end that begin in each state, on the same scale,
    # with two more states on the right.
    after = np.zeros((steps + 1, views, len(states) + 2))
    after[steps, :, -3] = 1
    onward = np.zeros((steps, views, len(states) + 2))
    emitted = np.zeros_like(onward)
    emitted[..., :-2] = taken.shown[..., states] / scale
    back = _transitions(codes, 0).T.copy()
    for step in range(steps - 1, -1, -1):
        np.matmul(after[step + 1], back, out=onward[step])
        np.multiply(onward[step], emitted[step], out=after[step])

    # A character in each state's place: instead of a character, or beside a blank.
    own = np.arange(len(states))
    odd = own % 2
    blank_before, blank_after = own - odd, own + odd  # the blanks around it
    left = _others(states, own - odd - 1)
    right = _others(states, own + odd + 1)
    into = before[:-1, :, 2 + blank_before][..., None] + (
        before[:-1, :, 1 + blank_before][..., None] * left
    )
    out = after[1:, :, blank_after][..., None] + after[1:, :, blank_after + 1][..., None] * right
    way = np.zeros((views, len(states), BLANK))
    sums = np.zeros_like(way)
    share = (taken.shown[..., :BLANK] / scale)[:, :, None]
    for step in range(steps):
        way += into[step]
        way *= share[step]
        sums += way * out[step]
    ratios = np.log(np.maximum(sums / total[:, None, None], TINY))

    visits = before[1:, :, 3:-1:2] * onward[:, :, 1:-2:2]
    places = taken.kept[:, None, None] + 0.5
    middles = (visits * places).sum(axis=0) / np.maximum(visits.sum(axis=0), TINY)
    return Edits(
        text,
        forward.log_likelihoods,
        ratios[:, 1::2],
        _deleted(codes, before, after, total),
        ratios[:, ::2],
        middles,
    )


@dataclass(frozen=True)
class _Steps:
    """The steps of views that are looked at.

    Attributes:
        shown: the probabilities of the characters and the blank, shape (steps, views, 21).
        kept: the places of these steps, of shape (steps,). Of those in a row that all views surely
            leave blank, one is enough.
        left_out: the logarithm of the probability that the others are blank, of shape (views,).
    """

    shown: Doubles
    kept: Ints
    left_out: Doubles


def _steps(log_probabilities: Floats) -> _Steps:
    shown = np.exp(log_probabilities.astype(np.float64)).transpose(1, 0, 2)
    blank = (shown[..., BLANK] > SURELY).all(axis=1)
    kept = np.flatnonzero(~blank | np.append(True, ~blank[:-1]))
    left_out = np.log(np.delete(shown[..., BLANK], kept, axis=0)).sum(axis=0)
    return _Steps(np.maximum(shown[kept], TINY), kept, left_out)


@dataclass(frozen=True)
class _Forward:
    """The ways to a text's states.

    Attributes:
        before: before[k] holds each state's share of the ways through the first k steps, with two
            more states on the left; shape (steps + 1, views, states + 2).
        scale: what the share grew by in each step, of shape (steps, views, 1).
        total: the share of the last two states at the end, of shape (views,).
        log_likelihoods: of the text, of shape (views,).
    """

    before: Doubles
    scale: Doubles
    total: Doubles
    log_likelihoods: Doubles


def _forward(taken: _Steps, codes: Ints) -> _Forward:
    steps, views, _ = taken.shown.shape
    states = _states(codes)
    emitted = np.zeros((steps, views, len(states) + 2))
    emitted[..., 2:] = taken.shown[..., states]
    ahead = _transitions(codes, 2)
    before = np.zeros((steps + 1, views, len(states) + 2))
    before[0, :, 2] = 1
    scale = np.empty((steps, views, 1))
    for step in range(steps):
        ways = np.matmul(before[step], ahead, out=before[step + 1])
        ways *= emitted[step]
        np.add.reduce(ways, axis=1, keepdims=True, out=scale[step])
        ways /= scale[step]
    total = np.maximum(before[steps, :, -2:].sum(axis=1), TINY)
    likelihoods = np.log(scale[..., 0]).sum(axis=0) + np.log(total) + taken.left_out
    return _Forward(before, scale, total, likelihoods)


def _codes(text: str) -> Ints:
    return np.array([CHARACTERS.index(symbol) for symbol in text], np.int64)


def _states(codes: Ints) -> Ints:
    """A text's characters with a blank before each, and at the end."""
    states = np.full(2 * len(codes) + 1, BLANK)
    states[1::2] = codes
    return states


def _transitions(codes: Ints, first: int) -> Doubles:
    """From each state (row) to each (column), with two more states, `first` of them on the left: to
    itself, to the next, and past the blank into a character that is another than the last."""
    count = 2 * len(codes) + 3
    matrix = np.zeros((count, count))
    own = np.arange(first, first + count - 2)
    matrix[own, own] = 1
    matrix[own[:-1], own[1:]] = 1
    into = own[3::2]
    matrix[into - 2, into] = codes[1:] != codes[:-1]
    return matrix


def _others(states: Ints, neighbours: Ints) -> Doubles:
    """Which characters may follow or precede each neighbour without a blank: all but itself."""
    inside = (neighbours >= 0) & (neighbours < len(states))
    of = np.where(inside, states[np.clip(neighbours, 0, len(states) - 1)], BLANK)
    return np.where(inside[:, None], of[:, None] != np.arange(BLANK), False).astype(np.float64)


def _deleted(codes: Ints, before: Doubles, after: Doubles, total: Doubles) -> Doubles:
    count, steps = len(codes), len(before) - 1
    found = np.empty((len(total), count))
    for i in range(count):
        joined = 1.0 if 0 < i < count - 1 and codes[i - 1] != codes[i + 1] else 0.0
        if i == count - 1:
            ways = before[steps, :, 2 + 2 * i] + before[steps, :, 1 + 2 * i]
        else:
            ahead = before[:-1, :, 2 + 2 * i] + before[:-1, :, 1 + 2 * i] * joined
            ways = (ahead * after[:-1, :, 2 * i + 3]).sum(axis=0)
        found[:, i] = ways
    return np.asarray(np.log(np.maximum(found / total[:, None], TINY)))


def likeliest(log_probabilities: Floats, texts: Sequence[str]) -> Edits:
    """The text that all views together make likeliest: the best of some texts, changed one
    character at a time for as long as that helps."""
    distinct = list(dict.fromkeys(texts))
    if len(distinct) > 1:
        distinct.sort(key=lambda text: -log_likelihoods(log_probabilities, text).sum())
    best = edits(log_probabilities, distinct[0])
    for _ in range(MOST_EDITS):
        gain, text = max(_neighbours(best))
        if gain < CLEARLY:
            break
        best = edits(log_probabilities, text)
    return best


def _neighbours(found: Edits) -> list[tuple[float, str]]:
    """The best text with one character replaced, inserted or deleted, each with its gain."""
    text, best = found.text, []
    for gains, end in ((found.replaced, 1), (found.inserted, 0)):
        together = gains.sum(axis=0)
        if len(together):
            place, code = (int(i) for i in np.unravel_index(together.argmax(), together.shape))
            changed = text[:place] + CHARACTERS[code] + text[place + end :]
            best.append((float(together.max()), changed))
    if text:
        together = found.deleted.sum(axis=0)
        place = int(together.argmax())
        best.append((float(together.max()), text[:place] + text[place + 1 :]))
    return best


def characters(found: Edits, view: int) -> list[Character]:
    """The characters of the text, at their places in one view, as all views show them."""
    odds = np.concatenate([found.replaced, found.deleted[..., None]], axis=2).mean(axis=0) * VIEWS
    shares = np.exp(odds - odds.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    present = shares[:, :-1].sum(axis=1)
    return [
        Character(
            symbol,
            float(found.steps[view, i]),
            (shares[i, :-1] / max(present[i], TINY)).astype(np.float32),
            float(present[i]),
        )
        for i, symbol in enumerate(found.text)
    ]
