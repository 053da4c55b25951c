"""Digits that lie on their side or are dark on bright paper -> as MNIST's are."""

from collections.abc import Callable

import numpy as np

from digits import bundle as bundles
from digits.data.mnist import Bytes
from digits.data.parts import Parts
from digits.errors import DigitsError
from digits.runtime import answers
from digits.terminal import own_words_only

ASKED = 200  # images, which the model that ships is asked to read
READ = 0.5  # of them, as labelled, from which on they are taken for digits
SURELY = 0.8  # the same, from which on no other way is tried
MARGIN = 0.2  # by which another way must be better, to be the right one
BRIGHT = 127  # above it, the edges of images are paper

# How images may lie, and what brings them upright. EMNIST's files are transposed.
WAYS: dict[str, Callable[[Bytes], Bytes]] = {
    "as they are": lambda images: images,
    "transposed": lambda images: images.transpose(0, 2, 1),
    "turned left": lambda images: np.rot90(images, 3, (1, 2)),
    "turned right": lambda images: np.rot90(images, 1, (1, 2)),
    "upside down": lambda images: images[:, ::-1, ::-1],
    "mirrored": lambda images: images[:, :, ::-1],
    "mirrored and upside down": lambda images: images[:, ::-1],
    "transposed and upside down": lambda images: np.rot90(images.transpose(0, 2, 1), 2, (1, 2)),
}


def upright(found: Parts) -> Parts:
    """Digits, turned as MNIST's are and with bright ink, if they were not.

    The model that ships decides which way is up: it reads some of them in each. Raises DigitsError
    if they cannot be read in any way.
    """
    part = "train" if "train_labels" in found.arrays else "test"
    labels = found.arrays[f"{part}_labels"]
    some = np.unique(np.linspace(0, len(labels) - 1, ASKED).astype(int))
    came = found.arrays[f"{part}_images"]
    bright = inked(came)
    model = bundles.read()

    def read(shown: Bytes) -> float:
        """The fraction that is read as labelled."""
        with own_words_only():
            given, _ = answers(model, np.ascontiguousarray(shown))
        return float(np.mean(given.argmax(axis=1) == labels[some]))

    way, usual = "as they are", read(bright[some])
    share = usual
    if usual < SURELY:
        shares = {other: read(turn(bright[some])) for other, turn in WAYS.items()}
        best = max(shares, key=lambda other: shares[other])
        if shares[best] < READ:
            raise DigitsError(
                f"shows no digits: of {len(some)} images, the model that ships reads {usual:.0%} "
                f"as labelled, and {shares[best]:.0%} in the best of all ways to turn them; to "
                "train on other things than digits, add --not-digits"
            )
        if shares[best] >= usual + MARGIN:
            way, share = best, shares[best]
    remarks, arrays = [*found.remarks], dict(found.arrays)
    for name in ("train_images", "test_images"):
        if name in arrays:
            shown = arrays[name] if bright is came else 255 - arrays[name]
            arrays[name] = np.ascontiguousarray(WAYS[way](shown))
    if bright is not came:
        remarks.append("Its digits were dark on bright paper; they are inverted.")
    if way != "as they are":
        remarks.append(
            f"Its digits came {way}; they are turned, since the model that ships then reads "
            f"{share:.0%} of {len(some)} as labelled, instead of {usual:.0%}."
        )
    return Parts(arrays, tuple(remarks), found.files)


def inked(images: Bytes) -> Bytes:
    """Digits with bright ink on 0; if the edges of the images are bright, they are inverted."""
    edges = images[:, [0, -1], :], images[:, :, [0, -1]]
    return 255 - images if np.mean([edge.mean() for edge in edges]) > BRIGHT else images
