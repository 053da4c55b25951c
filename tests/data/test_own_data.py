"""Does every part get all labels, and does the record tell one set of data from another?"""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from digits.data import formats
from digits.data.mnist import Dataset, Mnist, Own
from digits.data.own_data import dataset_of, in_order
from digits.data.parts import Parts
from digits.errors import DigitsError
from digits.runs.recipes import RECIPES, Recipe, for_data

RNG = np.random.default_rng(1)
LABELS = RNG.integers(10, size=700).astype(np.uint8)
IMAGES = RNG.integers(256, size=(700, 28, 28)).astype(np.uint8)


def opened(**arrays: np.ndarray) -> Dataset:
    return dataset_of(Parts(arrays), Path("own.npz"), digits=False)


def own(data: Dataset) -> Own:
    assert data.own
    return data.own


def test_parts_stay_as_they_are() -> None:
    data = opened(
        **{"train_images": IMAGES[:600], "train_labels": LABELS[:600]},
        **{"test_images": IMAGES[600:], "test_labels": LABELS[600:]},
    )
    assert np.array_equal(data.train_images, IMAGES[:600])
    assert np.array_equal(data.test_labels, LABELS[600:])
    assert (own(data).training, own(data).test, own(data).remarks) == (600, 100, ())
    assert (data.name, data.things, own(data).path) == (
        "own.npz",
        "images",
        str(Path.cwd() / "own.npz"),
    )


def test_without_a_test_part_the_last_seventh_is_held_out() -> None:
    data = opened(train_images=IMAGES, train_labels=LABELS)
    assert np.array_equal(data.test_images, IMAGES[600:])
    assert np.array_equal(data.train_labels, LABELS[:600])
    assert data.origins["test"].tolist() == [str(index) for index in range(600, 700)]
    assert own(data).remarks == ("It has no test part: its last 100 training images are held out.",)


def test_a_test_part_alone_can_be_measured_on_but_not_trained() -> None:
    data = opened(test_images=IMAGES, test_labels=LABELS)
    assert (len(data.train_labels), len(data.test_labels)) == (0, 700)
    with pytest.raises(DigitsError, match=r"own\.npz holds 0 images to train on; at least 100"):
        for_data(RECIPES["fast"], data)


def test_images_that_come_label_by_label_are_shuffled() -> None:
    order = np.argsort(LABELS, kind="stable")
    data = opened(train_images=IMAGES[order], train_labels=LABELS[order])
    assert len(np.unique(data.test_labels)) == len(np.unique(data.train_labels[-50:])) == 10
    assert "in the order of their labels and are shuffled" in own(data).remarks[0]
    for image, label, origin in zip(
        data.train_images, data.train_labels, data.origins["training"], strict=True
    ):
        assert np.array_equal(image, IMAGES[order][int(origin)])
        assert label == LABELS[order][int(origin)]
    again = opened(train_images=IMAGES[order], train_labels=LABELS[order])
    assert own(again) == own(data)


@pytest.mark.parametrize(
    ("labels", "ordered"),
    [
        (np.repeat(np.arange(10), 30), True),
        (np.tile(np.repeat(np.arange(10), 10), 3), True),  # several writers, each in order
        (np.tile(np.arange(10), 30), False),
        (LABELS, False),
        (np.zeros(50, np.uint8), False),  # a single label has no order
    ],
)
def test_order(labels: np.ndarray, ordered: bool) -> None:
    assert in_order(labels.astype(np.uint8)) == ordered


def test_the_record_is_of_the_content(mnist: Mnist) -> None:
    data = opened(train_images=IMAGES, train_labels=LABELS)
    files = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    together = b"".join(map(formats.write_idx, files))
    assert own(data).sha256 == hashlib.sha256(together).hexdigest()
    elsewhere = dataset_of(
        Parts({"train_images": IMAGES, "train_labels": LABELS}), Path("copy.npz"), digits=False
    )
    assert elsewhere.own == data.own
    changed = IMAGES.copy()
    changed[3, 4, 5] ^= 1
    assert opened(train_images=changed, train_labels=LABELS).own != data.own
    altered = opened(
        **{"train_images": IMAGES, "train_labels": LABELS},
        **{"test_images": mnist.test_images, "test_labels": mnist.test_labels[::-1]},
    )
    assert own(altered).remarks == ("Of its parts, these are MNIST's, to the byte: test images.",)


@pytest.mark.parametrize(
    ("images", "held_out"),
    [(100, 20), (1_000, 200), (5_000, 1_000), (12_000, 1_000), (30_000, 2_500), (60_000, 5_000)],
)
def test_fewer_images_hold_out_fewer(images: int, held_out: int) -> None:
    data = Dataset(IMAGES, LABELS, IMAGES, LABELS, "own", Own("own", True, images, 9, "", ()))
    recipe = Recipe(batch=64)
    fitted = for_data(recipe, data)
    assert fitted == Recipe(batch=64, held_out=held_out)
    assert for_data(fitted, data) == fitted
    assert for_data(Recipe(batch=10, held_out=70), data).held_out == 70


def test_a_batch_that_these_data_cannot_fill() -> None:
    data = Dataset(IMAGES, LABELS, IMAGES, LABELS, "own", Own("own", True, 120, 9, "", ()))
    with pytest.raises(DigitsError, match="A batch of 128 is more than the 96 images left"):
        for_data(Recipe(), data)


def test_nothing_is_drawn_for_what_is_no_digit(mnist: Mnist) -> None:
    data = Dataset(IMAGES, LABELS, IMAGES, LABELS, "own", Own("own", False, 60_000, 9, "", ()))
    fitted = for_data(RECIPES["reader"], data)
    assert (fitted.variants, fitted.non_digits, fitted.pens, fitted.lines) == (0, 0, 0, 0)
    assert (fitted.font_digits, fitted.font_letters, fitted.epochs) == (0, 0, 40)
    assert for_data(RECIPES["reader"], mnist) == RECIPES["reader"]
