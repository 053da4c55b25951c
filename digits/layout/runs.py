"""The pixels of a mask that are thin and lie on straight runs.

A mask is held as one large integer here, so that a shift or a union of all its pixels is one
operation: a tenth of the time that arrays of bytes take.
"""

from dataclasses import dataclass

import numpy as np

from digits.pictures.masks import Mask

SHORTEST_RUN = 16  # pixels
THICKEST = 10  # pixels
# Rows that a segment of 16 pixels goes down after 1, 2, 4 and 8 columns; slopes of about 0, 0.07,
# 0.13, 0.21 and 0.28. Steps add up, so that each opening takes four shifts of the picture (openings
# with digital line segments: Soille & Talbot 2001).
SLOPES = [(0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 1), (0, 0, 1, 2), (0, 1, 1, 2)]


@dataclass(frozen=True)
class Runs:
    """Masks of shape (h, w).

    Attributes:
        straight: thin pixels, and those around them, on straight runs that go across.
        thin: pixels of strokes that are at most `THICKEST` high.
        dilated: the whole mask, and the neighbours of its pixels.
    """

    straight: Mask
    thin: Mask
    dilated: Mask


def runs_across(mask: Mask) -> Runs | None:
    """The straight thin runs of a mask of shape (h, w) that go across, sloping by up to 17°; None
    if there are none."""
    height, width = mask.shape
    row = width + SHORTEST_RUN
    inside, whole = _packed(np.ones_like(mask)), _packed(mask)
    thick = _high(whole, THICKEST + 1, row)
    thin = whole ^ thick
    dilated = _beside(whole) & inside
    dilated |= dilated << row | dilated >> row
    dilated &= inside
    straight = _straight(dilated, row) & _beside(thin)
    straight ^= straight & thick
    if not straight:
        return None
    return Runs(*(_unpacked(bits, height, row)[:, :width] for bits in (straight, thin, dilated)))


def has_straight_runs(mask: Mask) -> bool:
    """Whether a straight run that could be part of a line goes across or down in a mask."""
    return any(_straight(_packed(own), own.shape[1] + SHORTEST_RUN) for own in (mask, mask.T))


def _packed(mask: Mask) -> int:
    """The mask as bits, row by row; between rows are bits that stay 0, so that they do not meet."""
    height, width = mask.shape
    apart = np.zeros((height, width + SHORTEST_RUN), np.bool_)
    apart[:, :width] = mask
    return int.from_bytes(np.packbits(apart, bitorder="little").tobytes(), "little")


def _unpacked(bits: int, height: int, row: int) -> Mask:
    whole = np.frombuffer(bits.to_bytes(-(-height * row // 8), "little"), np.uint8)
    pixels = np.unpackbits(whole, count=height * row, bitorder="little")
    return pixels.view(np.bool_).reshape(height, row)


def _beside(bits: int) -> int:
    """With the neighbours on the left and right, also beyond the ends of rows."""
    return bits | bits << 1 | bits >> 1


def _high(bits: int, length: int, row: int) -> int:
    """Pixels in vertical runs of at least `length`."""
    spans, reached = [], 1
    while reached < length:
        spans.append(min(reached, length - reached))
        reached += spans[-1]
    runs = bits
    for span in spans:
        runs &= runs >> span * row
    for span in spans:
        runs |= runs << span * row
    return runs


def _straight(bits: int, row: int) -> int:
    """Pixels that lie on a straight run of `SHORTEST_RUN` in one of the directions."""
    found = 0
    for slope in SLOPES:
        for up in (False, True) if any(slope) else (False,):
            steps = [(-down if up else down) * row + (1 << i) for i, down in enumerate(slope)]
            runs = bits
            for step in steps:
                runs &= _shifted(runs, -step)
            for step in steps:
                runs |= _shifted(runs, step)
            found |= runs
    return found


def _shifted(bits: int, by: int) -> int:
    """Each pixel that many further on."""
    return bits << by if by >= 0 else bits >> -by
