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


def edits(log_probabilities: Floats, text: str) -> Edits:
    """How likely a text is, and all that are one character away, in views of shape
    (views, steps, 21)."""
    codes = np.array([CHARACTERS.index(symbol) for symbol in text], np.int64)
    count, views = len(codes), len(log_probabilities)
    states = np.full(2 * count + 1, BLANK)
    states[1::2] = codes
    # Into a character, one may skip the blank before it, if the character before that is another.
    skips = np.zeros(len(states))
    skips[3::2] = codes[1:] != codes[:-1]
    shown = np.exp(log_probabilities.astype(np.float64)).transpose(1, 0, 2)  # (steps, views, 21)
    # Of steps that all views surely leave blank, one is enough.
    blank = (shown[..., BLANK] > SURELY).all(axis=1)
    kept = np.flatnonzero(~blank | np.append(True, ~blank[:-1]))
    left_out = np.log(np.delete(shown[..., BLANK], kept, axis=0)).sum(axis=0)
    shown, steps = shown[kept], len(kept)
    emitted = shown[..., states]

    # before[k] holds each state's share of the ways through the first k steps, with two more states
    # on the left; scale[k] is what the share grew by.
    before = np.zeros((steps + 1, views, len(states) + 2))
    before[0, :, 2] = 1
    scale = np.empty((steps, views, 1))
    for step in range(steps):
        last = before[step]
        ways = (last[:, 2:] + last[:, 1:-1] + last[:, :-2] * skips) * emitted[step]
        scale[step] = np.maximum(ways.sum(axis=1, keepdims=True), TINY)
        before[step + 1, :, 2:] = ways / scale[step]
    # after[k] holds the ways from step k to the end that begin in each state, on the same scale,
    # with two more states on the right.
    after = np.zeros((steps + 1, views, len(states) + 2))
    after[steps, :, -3] = 1
    leaving = np.append(skips, [0.0, 0.0])[2:]
    onward = np.empty((steps, views, len(states)))
    emitted /= scale
    for step in range(steps - 1, -1, -1):
        following = after[step + 1]
        onward[step] = following[:, :-2] + following[:, 1:-1] + following[:, 2:] * leaving
        after[step, :, :-2] = onward[step] * emitted[step]
    total = np.maximum(before[steps, :, -2:].sum(axis=1), TINY)

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
    share = (shown[..., :BLANK] / scale)[:, :, None]
    for step in range(steps):
        way = (way + into[step]) * share[step]
        sums += way * out[step]
    ratios = np.log(np.maximum(sums / total[:, None, None], TINY))

    visits = before[1:, :, 3:-1:2] * onward[:, :, 1::2]
    places = kept[:, None, None] + 0.5
    middles = (visits * places).sum(axis=0) / np.maximum(visits.sum(axis=0), TINY)
    return Edits(
        text,
        np.log(scale[..., 0]).sum(axis=0) + np.log(total) + left_out,
        ratios[:, 1::2],
        _deleted(codes, before, after, total),
        ratios[:, ::2],
        middles,
    )


def _others(states: NDArray[np.int64], neighbours: NDArray[np.int64]) -> Doubles:
    """Which characters may follow or precede each neighbour without a blank: all but itself."""
    inside = (neighbours >= 0) & (neighbours < len(states))
    of = np.where(inside, states[np.clip(neighbours, 0, len(states) - 1)], BLANK)
    return np.where(inside[:, None], of[:, None] != np.arange(BLANK), False).astype(np.float64)


def _deleted(codes: NDArray[np.int64], before: Doubles, after: Doubles, total: Doubles) -> Doubles:
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
    tried = {text: edits(log_probabilities, text) for text in dict.fromkeys(texts)}
    best = max(tried.values(), key=lambda one: float(one.log_likelihoods.sum()))
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
