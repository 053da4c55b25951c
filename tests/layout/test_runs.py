"""Straight thin runs, against what they are said to be, pixel by pixel."""

import numpy as np
import pytest

from digits.layout.runs import SLOPES, THICKEST, has_straight_runs, runs_across
from digits.pictures.masks import Mask


def random_mask(seed: int) -> Mask:
    """Grain with bars of all thicknesses, of a shape that is no multiple of anything."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(5, 45, 2)
    mask = rng.random((height, width)) < rng.choice([0.05, 0.3, 0.6])
    for _ in range(rng.integers(0, 4)):
        top, left = rng.integers(0, height), rng.integers(0, width)
        mask[top : top + rng.integers(1, 14), left : left + rng.integers(1, 40)] = True
    return mask


def dilated(mask: Mask, reach: tuple[int, int]) -> Mask:
    found = np.zeros_like(mask)
    for y, x in np.argwhere(mask).tolist():
        found[max(y - reach[0], 0) : y + reach[0] + 1, max(x - reach[1], 0) : x + reach[1] + 1] = 1
    return found


def straight(mask: Mask) -> Mask:
    """The pixels of all segments of 16 columns, in all slopes, that lie in a mask."""
    height, width = mask.shape
    found = np.zeros_like(mask)
    for slope in SLOPES:
        down = np.array([sum(slope[bit] for bit in range(4) if x >> bit & 1) for x in range(16)])
        for rows in (down, -down):
            for y in range(height):
                for x in range(width - 15):
                    place = y + rows, x + np.arange(16)
                    if place[0].min() >= 0 and place[0].max() < height and mask[place].all():
                        found[place] = True
    return found


def thick(mask: Mask) -> Mask:
    found = np.zeros_like(mask)
    for top in range(len(mask) - THICKEST):
        rows = slice(top, top + THICKEST + 1)
        found[rows] |= mask[rows].all(axis=0)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_runs_are_those_of_every_pixel(seed: int) -> None:
    mask = random_mask(seed)
    thin, wide = mask & ~thick(mask), dilated(mask, (1, 1))
    expected = straight(wide) & dilated(thin, (0, 1)) & ~thick(mask)
    found = runs_across(mask)
    if found is None:
        assert not expected.any()
    else:
        np.testing.assert_array_equal(found.straight, expected)
        np.testing.assert_array_equal(found.thin, thin)
        np.testing.assert_array_equal(found.dilated, wide)
    either = straight(mask).any() or straight(mask.T).any()
    assert has_straight_runs(mask) == either
