"""The last layers of a finished network, fitted again with digits of one hand among others.

The features stay as they are, so a few digits suffice, and it takes seconds (the last layer alone
is fitted again: Yosinski et al. 2014).
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits.data.mnist import Bytes
from digits.errors import DigitsError
from digits.evaluation import CLASSES, softmax
from digits.runs.recipes import Recipe
from digits.training import augmentation
from digits.training.epoch import Adam
from digits.training.networks.models import OUTPUTS, predictor

Floats = NDArray[np.float32]
Features = list[Floats]  # what each of the last layers takes, shape (n, features)
Weights = list[tuple[Floats, Floats]]  # kernel and bias of each of them

STEPS = 150
RATE = 0.002
PULL = 0.001  # times the squared distance from the former weights, in the loss
SHARE = 0.3  # of the loss, what the new digits weigh
FORMER = 0.5  # of what the others are to be read as, the share that the network says already
DISTORTED = 6000  # copies of digits in all, at least one and at most `COPIES` of each
COPIES = 12
DISTORTION = Recipe(
    rotation=10, scaling=0.15, shear=0.2, shift=1.0, pen=0.6, elastic=1.0, variants=0, non_digits=0
)


@dataclass(frozen=True)
class LastLayers:
    """A finished network, cut before its last layers.

    Attributes:
        model: from `models.finish`, or a bundle's `model.keras`.
        features: images, uint8 of shape (n, 28, 28), -> what the last layers take.
        weights: theirs, as they are.
    """

    model: keras.Model
    features: Callable[[Bytes], Features]
    weights: Weights

    @classmethod
    def of(cls, model: keras.Model, cores: int) -> "LastLayers":
        """Of a finished network; parts of a batch are computed on so many cores. Raises DigitsError
        if the network is someone's own, whose last layers are not known."""
        last = _last(model)
        if not last:
            raise DigitsError(
                f"{model.name} is a network of someone's own, and only this program's can be "
                "taught; choose another --model."
            )
        read = predictor(keras.Model(model.input, {one.name: one.input for one in last}), cores)

        def features(images: Bytes) -> Features:
            found = read(images)
            return [found[one.name] for one in last]

        return cls(model, features, [tuple(one.get_weights()) for one in last])

    def use(self, weights: Weights) -> None:
        """Gives the network other weights."""
        for layer, own in zip(_last(self.model), weights, strict=True):
            layer.set_weights(own)


def _last(model: keras.Model) -> list[keras.layers.Dense]:
    dense = [one for one in model.layers if isinstance(one, keras.layers.Dense)]
    return [one for one in dense if one.units == OUTPUTS]


def fitted(
    weights: Weights, others: Features, their_labels: Bytes, own: Features, own_labels: Bytes
) -> Weights:
    """The weights that read one's own digits best among others, and are near to `weights`.

    Labels are from 0 to 10, the last for what is no digit. Of the others, the network is to say
    half what it says already (learning without forgetting: Li & Hoiem 2016). The same numbers give
    the same weights.
    """
    features = [tf.constant(np.concatenate(pair)) for pair in zip(others, own, strict=True)]
    labelled = np.eye(OUTPUTS, dtype=np.float32)
    former = [softmax(x @ kernel + bias) for x, (kernel, bias) in zip(others, weights, strict=True)]
    theirs = [FORMER * one + (1 - FORMER) * labelled[their_labels] for one in former]
    wanted = [tf.constant(np.concatenate([one, labelled[own_labels]])) for one in theirs]
    counts = (len(their_labels), 1 - SHARE), (len(own_labels), SHARE)
    weigh = tf.constant(np.concatenate([np.full(n, s / n, np.float32) for n, s in counts]))
    variables = [[tf.Variable(one) for one in pair] for pair in weights]
    every = [one for pair in variables for one in pair]
    optimizer = Adam(RATE)
    optimizer.build(every)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tf.constant(0.0)
            layers = zip(features, wanted, variables, weights, strict=True)
            for x, target, (kernel, bias), (before, _) in layers:
                losses = tf.nn.softmax_cross_entropy_with_logits(target, x @ kernel + bias)
                loss += tf.reduce_sum(weigh * losses)
                loss += PULL * tf.reduce_sum((kernel - before) ** 2)
        optimizer.apply(tape.gradient(loss, every), every)

    for _ in range(STEPS):
        step()
    return [(kernel.numpy(), bias.numpy()) for kernel, bias in variables]


def answers(weights: Weights, features: Features) -> tuple[Floats, Floats]:
    """The probabilities of the ten digits, shape (n, 10), and of being one, shape (n,)."""
    of_branches = [
        softmax(x @ kernel + bias) for x, (kernel, bias) in zip(features, weights, strict=True)
    ]
    mean = np.asarray(of_branches, np.float32).mean(axis=0)
    is_digit = mean[:, :CLASSES].sum(axis=1)
    return mean[:, :CLASSES] / is_digit[:, None], is_digit


def distorted(digits: Bytes, labels: Bytes, seed: int) -> tuple[Bytes, Bytes]:
    """Distorted copies of digits, uint8 of shape (n, 28, 28), and their labels."""
    copies = int(np.clip(DISTORTED // max(len(digits), 1), 1, COPIES))
    images = np.repeat(digits, copies, axis=0)
    left = tf.constant(1.0)
    amounts, chances = augmentation.draw(DISTORTION, len(images), tf.constant([seed, 0]), left)
    pixels = tf.constant(images[..., None], tf.float32)
    moved = augmentation.augment(pixels, amounts, chances, DISTORTION, left)
    rounded = np.clip(np.rint(np.asarray(moved)[..., 0]), 0, 255)
    return rounded.astype(np.uint8), np.repeat(labels, copies)
