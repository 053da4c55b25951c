"""Parts of labelled images that are not MNIST -> a data set with a training and a test part."""

import hashlib
from pathlib import Path

import numpy as np

from digits.data import formats
from digits.data.formats import IDX_NAMES, Arrays
from digits.data.mnist import Bytes, Dataset, Own, those_of_mnist
from digits.data.parts import Parts

HELD_OUT = 7  # one image in so many becomes the test part, as in MNIST
SEED = 1
KINDS = ("images", "labels", "origins")  # of arrays, for each part


def dataset_of(parts: Parts, path: Path, digits: bool) -> Dataset:
    """The data set of these parts.

    Images that come in the order of their labels are shuffled, always in the same way, so that
    every part gets all labels. Without a test part, the last seventh of the training images are
    it; without a training part, there are no images to train on.

    Args:
        parts: one at least.
        path: where they were read from.
        digits: whether they show digits.
    """
    remarks = [*parts.remarks]
    arrays = {name: parts.arrays[name] for name in IDX_NAMES if name in parts.arrays}
    if intact := those_of_mnist(arrays):
        of_mnist = ", ".join(_in_words(name) for name in arrays if name in intact)
        remarks.append(f"Of its parts, these are MNIST's, to the byte: {of_mnist}.")
    for part in (part for part in ("train", "test") if f"{part}_labels" in arrays):
        given = parts.files.get(part) or np.arange(len(arrays[f"{part}_labels"]))
        arrays[f"{part}_origins"] = np.array(given, np.str_)
    train, test = ([f"{part}_{what}" for what in KINDS] for part in ("train", "test"))
    if "train_labels" in arrays and in_order(arrays["train_labels"]):
        order = np.random.default_rng(SEED).permutation(len(arrays["train_labels"]))
        arrays |= {name: arrays[name][order] for name in train}
        remarks.append("Its training images came in the order of their labels and are shuffled.")
    if "test_labels" not in arrays:
        count = max(1, len(arrays["train_labels"]) // HELD_OUT)
        for name, of_test in zip(train, test, strict=True):
            arrays[name], arrays[of_test] = arrays[name][:-count], arrays[name][-count:]
        remarks.append(f"It has no test part: its last {count:,} training images are held out.")
    elif "train_labels" not in arrays:
        arrays |= {name: arrays[of_test][:0] for name, of_test in zip(train, test, strict=True)}
    own = Own(
        path=str(path.absolute()),
        digits=digits,
        training=len(arrays["train_labels"]),
        test=len(arrays["test_labels"]),
        sha256=_sha256(arrays),
        remarks=tuple(remarks),
    )
    origins = {"training": arrays.pop("train_origins"), "test": arrays.pop("test_origins")}
    return Dataset(**arrays, source=str(path), own=own, origins=origins)


def in_order(labels: Bytes) -> bool:
    """Whether equal labels stand together, as in data that were put together label by label: there
    are fewer than half as many changes as in a random order."""
    shares = np.bincount(labels) / len(labels)
    at_random = (1 - (shares**2).sum()) * (len(labels) - 1)
    return bool(np.count_nonzero(np.diff(labels)) < at_random / 2)


def _sha256(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name in IDX_NAMES:
        digest.update(formats.write_idx(arrays[name]))
    return digest.hexdigest()


def _in_words(name: str) -> str:
    return name.replace("train", "training").replace("_", " ")
