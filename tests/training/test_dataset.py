"""Are drawn digits and non-digits framed, labelled and repeatable?"""

from collections.abc import Callable

import numpy as np
import pytest

from digits.data.mnist import Mnist
from digits.data.variants import SHARES, draw_variants
from digits.training.dataset import non_digits
from digits.training.geometry import frame_all


def strange(mnist: Mnist, count: int, seed: int) -> np.ndarray:
    return non_digits(count, mnist.train_images[:1000], mnist.train_labels[:1000], seed)


def variants(mnist: Mnist, count: int, seed: int) -> np.ndarray:
    canvases, _ = draw_variants(count, mnist.train_images[:1000], mnist.train_labels[:1000], seed)
    return frame_all(canvases)


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


def test_variants_are_labelled(mnist: Mnist) -> None:
    canvases, labels = draw_variants(400, mnist.train_images[:1000], mnist.train_labels[:1000], 1)
    images = frame_all(canvases)
    assert images.shape == (400, 28, 28)
    for digit, share in SHARES.items():
        assert (labels == digit).mean() == pytest.approx(share, abs=0.08)
    # Upstrokes make ones wider than bars, and every one keeps a tall stem.
    ones = images[labels == 1]
    assert (ones.any(axis=1).sum(axis=1) >= 5).mean() > 0.95
    assert (ones.any(axis=2).sum(axis=1) >= 15).mean() > 0.8
