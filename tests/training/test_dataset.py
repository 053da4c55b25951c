"""Are drawn digits and non-digits framed, labelled and repeatable?"""

from collections.abc import Callable

import numpy as np
import pytest

from digits.data.mnist import Mnist
from digits.data.variants import SHARES, draw_variants
from digits.reading.reader import Reader
from digits.training.dataset import non_digits
from digits.training.geometry import frame_all


def strange(mnist: Mnist, count: int, seed: int) -> np.ndarray:
    return non_digits(count, mnist.train_images[:1000], mnist.train_labels[:1000], seed)


def variants(mnist: Mnist, count: int, seed: int) -> np.ndarray:
    return frame_all(draw_variants(count, seed)[0])


@pytest.mark.parametrize("make", [strange, variants])
def test_drawn_in_the_frame_and_repeatable(
    mnist: Mnist, make: Callable[[Mnist, int, int], np.ndarray]
) -> None:
    images = make(mnist, 300, 1)
    assert images.shape == (300, 28, 28)
    assert images.dtype == np.uint8
    rows, columns = images.any(axis=2).sum(axis=1), images.any(axis=1).sum(axis=1)
    inked = rows > 0
    assert inked.mean() > 0.98
    assert (np.maximum(rows, columns)[inked] == 20).mean() > 0.9
    assert (images.max(axis=(1, 2))[inked] == 255).all()
    assert np.array_equal(images, make(mnist, 300, 1))
    assert not np.array_equal(images, make(mnist, 300, 2))
    assert make(mnist, 0, 1).shape == (0, 28, 28)


def test_variants_are_labelled() -> None:
    canvases, labels = draw_variants(1000, 1)
    images = frame_all(canvases)
    assert images.shape == (1000, 28, 28)
    for digit in range(10):
        assert (labels == digit).mean() == pytest.approx(SHARES[digit], abs=0.04)
    wide, high = images.any(axis=1).sum(axis=1), images.any(axis=2).sum(axis=1)
    # Upstrokes make most ones wider than bars, and every one keeps a tall stem.
    ones = labels == 1
    assert (wide[ones] >= 5).mean() > 0.8
    assert (high[ones] >= 15).mean() > 0.8
    assert (high >= wide).mean() > 0.7  # some lean far


def test_variants_are_what_they_are_called() -> None:
    """The model that ships, which saw other pictures of the same styles, reads nearly all."""
    reader = Reader()
    canvases, labels = draw_variants(300, 1_000)
    read = np.array([reader.classify(canvas).digit for canvas in canvases])
    assert np.mean(read == labels) > 0.95
