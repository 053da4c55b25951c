"""Connected parts of a mask, and their bounds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digits.pictures import masks


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


def test_what_has_no_pixels_has_no_components() -> None:
    """As half the size of a page one pixel wide."""
    parts = masks.components(np.zeros((9, 0), bool))
    assert (parts.labels.shape, parts.boxes.shape, parts.sizes.shape) == ((9, 0), (0, 4), (0,))
