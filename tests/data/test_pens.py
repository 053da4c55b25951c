"""Do digits that are written again with other pens stay the digits that they were?"""

import numpy as np
import pytest
from scipy import ndimage

from digits.data import pens
from digits.data.mnist import Mnist


def test_thinning_leaves_lines_one_pixel_wide_that_reach_as_far() -> None:
    bar = np.zeros((1, 40, 60), bool)
    bar[0, 15:24, 5:55] = True
    thin = pens.skeletons(bar)[0]
    columns = thin.sum(axis=0)
    assert columns.max() == 1
    assert columns.sum() >= 40  # of 50: the ends lose about half of the thickness each
    assert not (thin & ~bar[0]).any()


def test_thinning_keeps_holes_and_never_tears_a_stroke() -> None:
    rows, columns = np.mgrid[:60, :60] - 29.5
    ring = (np.hypot(rows, columns) < 25) & (np.hypot(rows, columns) > 15)
    cross = np.zeros((60, 60), bool)
    cross[25:34], cross[:, 25:34] = True, True
    for thin, holes in zip(pens.skeletons(np.stack([ring, cross])), (1, 0), strict=True):
        assert ndimage.label(thin, np.ones((3, 3)))[1] == 1
        around = ndimage.label(np.pad(~thin, 1, constant_values=True))[1]
        assert around - 1 == holes


@pytest.fixture(scope="module")
def digits(mnist: Mnist) -> tuple[np.ndarray, np.ndarray]:
    return mnist.train_images[:200], mnist.train_labels[:200]


def test_digits_are_written_again_repeatably_with_their_labels(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    canvases, labels = pens.rewrite(300, *digits, seed=1)
    assert canvases.shape == (300, pens.SIDE, pens.SIDE)
    assert canvases.dtype == labels.dtype == np.uint8
    assert canvases.any(axis=(1, 2)).all()
    again, of_again = pens.rewrite(300, *digits, seed=1)
    assert np.array_equal(canvases, again)
    assert np.array_equal(labels, of_again)
    assert not np.array_equal(canvases, pens.rewrite(300, *digits, seed=2)[0])
    assert pens.rewrite(0, *digits, seed=1)[0].shape == (0, pens.SIDE, pens.SIDE)


@pytest.mark.parametrize(
    ("pen", "least", "most"),
    [("_hairlines", 0.05, 0.6), ("_broken", 0.05, 0.6), ("_blots", 1.05, 3.0)],
)
def test_pens_are_as_thin_or_thick_as_they_say(
    digits: tuple[np.ndarray, np.ndarray], pen: str, least: float, most: float
) -> None:
    """Compared with the ink of the digits, enlarged as much."""
    images, _ = digits
    ink = getattr(pens, pen)(images, np.random.default_rng(1)) > 0
    share = ink.sum(axis=(1, 2)) / (pens.ENLARGED**2 * (images > 110).sum(axis=(1, 2)))
    assert (share > least).all()
    assert (share < most).mean() > 0.9


def test_broken_lines_have_more_pieces(digits: tuple[np.ndarray, np.ndarray]) -> None:
    images, _ = digits

    def pieces(canvases: np.ndarray) -> float:
        return float(np.mean([ndimage.label(one, np.ones((3, 3)))[1] for one in canvases]))

    whole = pieces(pens._hairlines(images, np.random.default_rng(1)))
    assert whole < 1.3
    assert pieces(pens._broken(images, np.random.default_rng(1))) > whole + 0.5
