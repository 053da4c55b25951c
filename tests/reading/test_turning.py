"""Pages that lie on a side or upside down, and boxes on a page that was turned."""

import numpy as np
import pytest

from digits.data.mnist import Bytes, Mnist
from digits.pictures.masks import bounds
from digits.reading.reader import Reader
from digits.reading.turning import turned_back


def written(number: str, mnist: Mnist) -> Bytes:
    """A number in MNIST's first digits, dark on a white page, uint8 of shape (120, 240)."""
    page = np.full((120, 40 * len(number) + 40), 255, np.uint8)
    for place, digit in enumerate(number):
        image = mnist.train_images[np.argmax(mnist.train_labels == int(digit))]
        page[46:74, 26 + 40 * place : 54 + 40 * place] = 255 - image
    return page


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("number", ["2735", "34521", "74038"])
def test_a_number_is_read_however_its_page_lies(number: str, turns: int, mnist: Mnist) -> None:
    turned = np.ascontiguousarray(np.rot90(written(number, mnist), turns))
    assert Reader().read(turned).text == number


@pytest.mark.parametrize("number", ["6109", "90618", "5000", "96", "66666"])
def test_a_number_that_can_be_read_upside_down_is_not(number: str, mnist: Mnist) -> None:
    assert Reader().read(written(number, mnist)).text == number


@pytest.mark.parametrize("turns", range(4))
def test_a_box_is_found_where_it_was(turns: int) -> None:
    page = np.zeros((50, 80), np.uint8)
    page[10:15, 20:45] = 1
    turned = bounds(np.rot90(page, turns))
    assert turned_back(turned, turns, page.shape) == bounds(page)
