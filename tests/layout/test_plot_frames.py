"""A frame is a plot's if ticks stand along its foot and its left side; its scales are left out."""

import numpy as np
import pytest

from digits.layout import plots, structure
from digits.pictures.box import Box
from digits.pictures.masks import Mask

FRAME = Box(60, 20, 200, 160)  # what it encloses


def framed(foot: int = 20, left: int = 20) -> Mask:
    """A frame, ticks at these distances, and a label at each."""
    mask = np.zeros((240, 300), np.bool_)
    mask[18:182, 58:262] = True
    mask[FRAME.window] = False
    if foot:
        for x in range(70, 260, foot):
            mask[182:187, x : x + 1] = mask[192:200, x - 3 : x + 4] = True
    if left:
        for y in range(30, 180, left):
            mask[y : y + 1, 53:58] = mask[y - 4 : y + 4, 40:48] = True
    return mask


def test_a_frame_with_ticks_is_a_plot() -> None:
    assert plots.plots_among([FRAME], framed()) == [FRAME]


@pytest.mark.parametrize(
    "mask", [framed(foot=0), framed(left=0), framed(foot=0, left=0)], ids=["foot", "left", "both"]
)
def test_a_frame_without_is_none(mask: Mask) -> None:
    assert plots.plots_among([FRAME], mask) == []


def test_digits_that_touch_a_frame_are_no_ticks() -> None:
    mask = framed(foot=0)
    for x in (75, 110, 170, 240):  # at uneven distances
        mask[182:190, x : x + 2] = True
    assert plots.plots_among([FRAME], mask) == []


def test_a_frame_at_the_pictures_edge_is_none() -> None:
    mask = framed()
    whole = Box(0, 0, mask.shape[1], mask.shape[0])
    assert plots.plots_among([whole], mask) == []


def test_only_what_is_in_the_plot_is_left() -> None:
    ink = np.where(framed(), np.uint8(255), np.uint8(0))
    ink[60:140, 150:164] = 255
    left = structure.find(ink).ink
    rows, columns = np.nonzero(left)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (60, 139, 150, 163)
    without = np.where(framed(foot=0, left=0), np.uint8(255), np.uint8(0))
    without[60:140, 150:164] = without[200:230, 150:164] = 255
    assert structure.find(without).ink[200:230, 150:164].all()
