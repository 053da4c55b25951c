"""MNIST's frame for any canvas, and deskewing by the moments of the ink."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from digits.data.mnist import Mnist
from digits.training.geometry import deskew, frame, frame_all

# Framing.


def framed(canvas: np.ndarray) -> np.ndarray:
    return frame(tf.constant(canvas[None], tf.float32)).numpy()[0]


def placed(digit: np.ndarray, times: int, top: int, left: int) -> np.ndarray:
    canvas = np.zeros((256, 256), np.uint8)
    large = digit.repeat(times, axis=0).repeat(times, axis=1)
    canvas[top : top + len(large), left : left + len(large)] = large
    return canvas


def test_digits_of_mnist_stay_as_they_are(mnist: Mnist) -> None:
    images = mnist.train_images[:5000]
    same = (np.abs(frame_all(images).astype(int) - images) <= 1).all(axis=(1, 2))
    assert same.mean() > 0.999


@given(
    index=st.integers(0, 999),
    times=st.integers(1, 8),
    top=st.floats(0, 1),
    left=st.floats(0, 1),
)
def test_place_and_size_do_not_matter(
    mnist: Mnist, index: int, times: int, top: float, left: float
) -> None:
    digit = mnist.train_images[index]
    room = 256 - 28 * times
    canvas = placed(digit, times, int(top * room), int(left * room))
    assert np.abs(framed(canvas) - digit * (255 / digit.max())).max() < 0.1


def test_blank_stays_blank() -> None:
    assert not framed(np.zeros((256, 256), np.uint8)).any()


@pytest.mark.parametrize(("height", "width"), [(200, 20), (20, 200), (1, 1), (256, 256), (3, 256)])
def test_the_longer_side_is_twenty_pixels(height: int, width: int) -> None:
    canvas = np.zeros((256, 256), np.uint8)
    canvas[:height, 256 - width :] = 255
    digit = framed(canvas) > 0.5
    assert max(digit.any(axis=0).sum(), digit.any(axis=1).sum()) == 20
    assert framed(canvas).max() == pytest.approx(255)


def test_a_pen_of_one_pixel_is_as_bright_as_any() -> None:
    canvas = np.zeros((256, 256), np.uint8)
    canvas[28:228, 128] = 200
    digit = framed(canvas)
    assert digit.max() == pytest.approx(255)
    assert (digit > 250).sum() == 20


def test_centre_of_mass_comes_to_the_middle() -> None:
    canvas = np.zeros((256, 256), np.uint8)
    canvas[40:140, 40:60] = 255  # an L: heavy below and left
    canvas[120:140, 40:120] = 255
    digit = framed(canvas)
    place = np.arange(28) + 0.5
    for axis in (0, 1):
        ink = digit.sum(axis=axis)
        assert abs((ink * place).sum() / ink.sum() - 14.5) <= 0.5


# Deskewing.


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


def test_blank_stays_blank_when_deskewed() -> None:
    assert not seen(np.zeros((2, 28, 28))).any()
