"""Connected parts of a mask, and ruled lines: lines are removed, strokes stay."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digits.reading import masks


def test_rules_are_removed_and_strokes_across_them_stay() -> None:
    mask = np.zeros((100, 300), np.bool_)
    mask[60:62] = True
    mask[30:90, 100:105] = True  # a stroke through the line
    mask[20:40, 200:240] = True
    kept = mask & ~masks.rules(mask)
    assert not kept[60:62, :95].any()
    assert not kept[60:62, 110:].any()
    assert kept[30:90, 101:104].all()
    assert kept[20:40, 200:240].all()


def test_a_slanted_rule_is_removed() -> None:
    mask = np.zeros((200, 400), np.bool_)
    for x in range(400):
        y = 100 + round(0.03 * x)
        mask[y : y + 2, x] = True
    assert (mask & ~masks.rules(mask)).sum() < 0.05 * mask.sum()


def test_strokes_are_not_rules() -> None:
    seven = np.zeros((100, 100), np.bool_)
    seven[10:18, 5:95] = True
    seven[10:95, 87:95] = True
    assert not masks.rules(seven).any()
    one = np.zeros((60, 200), np.bool_)
    one[2:58, 100:104] = True
    assert not masks.rules(one).any()


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30), st.floats(0, 0.6))
def test_components_cover_the_mask(seed: int, height: int, width: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    parts = masks.components(mask)
    np.testing.assert_array_equal(parts.labels > 0, mask)
    assert parts.sizes.sum() == mask.sum()
    for i, box in enumerate(parts.boxes):
        assert tuple(box) == masks.bounds(parts.labels == i + 1)
        assert parts.sizes[i] == (parts.labels == i + 1).sum()


def test_bounds_are_the_box_around_what_is_not_0() -> None:
    image = np.zeros((20, 30), np.uint8)
    image[4, 7] = image[9, 25] = 1
    box = masks.bounds(image)
    assert box == (7, 4, 19, 6)
    assert image[box.window].shape == (6, 19)
    assert image[box.window][0, 0] == image[box.window][-1, -1] == 1
    assert masks.bounds(np.zeros((20, 30), np.uint8)) == (0, 0, 0, 0)
