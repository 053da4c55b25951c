"""Is a digit deskewed by the moments of its ink?"""

import keras
import numpy as np
import pytest

from digits.data.mnist import Mnist
from digits.training.geometry import deskew


def moments_of(digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Column of the centre of mass, and the slant in pixels to the left per row down."""
    share = digits / digits.sum(axis=(1, 2), keepdims=True)
    places = np.arange(28)
    centre = (share * places).sum(axis=(1, 2))
    down = places[:, None] - (share * places[:, None]).sum(axis=(1, 2))[:, None, None]
    right = places - centre[:, None, None]
    slant = (share * right * down).sum(axis=(1, 2)) / (share * down**2).sum(axis=(1, 2))
    return centre, slant


def seen(digits: np.ndarray) -> np.ndarray:
    return np.asarray(deskew(digits[..., None].astype(np.float32)))[..., 0]


@pytest.fixture(scope="module")
def digits(mnist: Mnist) -> np.ndarray:
    return mnist.train_images[:500].astype(np.float64)


def test_a_slanted_line_becomes_vertical() -> None:
    line = np.zeros((1, 28, 28))
    for row in range(4, 24):
        line[0, row, 4 + (row - 4) // 2] = 255  # from the top left, half as wide as tall
    rows, columns = np.nonzero(seen(line)[0] > 60)
    assert set(columns) <= {13, 14}
    assert set(rows) == set(range(4, 24))


def test_digits_are_deskewed_and_centred(digits: np.ndarray) -> None:
    assert np.abs(moments_of(digits)[1]).mean() > 0.15
    centre, slant = moments_of(seen(digits))
    np.testing.assert_allclose(centre, 13.5, atol=0.15)
    assert np.abs(slant).max() < 0.05


def test_the_amount_of_ink_stays(digits: np.ndarray) -> None:
    deskewed = seen(digits)
    assert deskewed.min() >= 0
    assert deskewed.max() <= 255 + 1e-3
    ratio = deskewed.sum(axis=(1, 2)) / digits.sum(axis=(1, 2))
    np.testing.assert_allclose(ratio, 1, atol=0.05)


def test_in_a_network_a_single_digit_is_deskewed_as_in_a_batch(digits: np.ndarray) -> None:
    picture = keras.Input((28, 28, 1))
    network = keras.Model(picture, deskew(picture))
    many = digits[:3, :, :, None].astype(np.float32)
    apart = np.concatenate([network(many[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(apart, network(many), atol=1e-3)
    np.testing.assert_allclose(network(many)[..., 0], seen(digits[:3]), atol=1e-3)


def test_blank_stays_blank() -> None:
    assert not seen(np.zeros((2, 28, 28))).any()
