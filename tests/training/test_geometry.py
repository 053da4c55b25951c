"""The frame that MNIST's digits stand in, from any canvas."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from digits.data.mnist import Mnist
from digits.training.geometry import frame, frame_all


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
