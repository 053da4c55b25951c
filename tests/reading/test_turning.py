"""Boxes on a page that was turned."""

import numpy as np
import pytest

from digits.pictures.masks import bounds
from digits.reading.turning import turned_back


@pytest.mark.parametrize("turns", range(4))
def test_a_box_is_found_where_it_was(turns: int) -> None:
    page = np.zeros((50, 80), np.uint8)
    page[10:15, 20:45] = 1
    turned = bounds(np.rot90(page, turns))
    assert turned_back(turned, turns, page.shape) == bounds(page)
