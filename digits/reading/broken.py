"""Parts of ink that are one broken digit."""

from collections.abc import Sequence

import numpy as np

from digits.layout.segmentation import Fragment, joined
from digits.reading.recogniser import Recogniser

MOST_PAIRS = 200  # of parts that are considered
LIKELY = 0.3  # the likelihood that two parts are a digit together, at least


def join_broken(parts: Sequence[Fragment], recogniser: Recogniser) -> list[Fragment]:
    """Joins two parts if one lies closely above the other, as no line of writing does, and they are
    likelier to be a digit together than either is alone."""
    if len(parts) < 2:
        return list(parts)
    now: list[Fragment | None] = list(parts)
    for i, j in _close_pairs(parts):
        one, other = now[i], now[j]
        if one is None or other is None:
            continue
        both = joined([one, other])
        pieces = (one, other, both)
        *alone, together = (recogniser.likelihood(recogniser.ask(piece.ink)) for piece in pieces)
        if together > max(*alone, LIKELY):
            now[i], now[j] = both, None
    return [fragment for fragment in now if fragment is not None]


def _close_pairs(parts: Sequence[Fragment]) -> list[list[int]]:
    """Pairs of indices of parts that lie closely above each other, `MOST_PAIRS` at most."""
    x, y, width, height = np.array([part.box for part in parts]).T[:, :, None]
    right, bottom = x + width, y + height
    shared = np.minimum(right, right.T) - np.maximum(x, x.T)
    together = np.maximum(bottom, bottom.T) - np.minimum(y, y.T)
    gap = np.maximum(y, y.T) - np.minimum(bottom, bottom.T)
    near = shared > 0.5 * np.minimum(width, width.T)
    near &= (gap <= 0.12 * together) & (together > 1.15 * np.maximum(height, height.T))
    return np.argwhere(np.triu(near, 1))[:MOST_PAIRS].tolist()
