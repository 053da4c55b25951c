"""The two models that are compared, and how each is asked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.textbook import reading as textbook
from digits import bundle
from digits.data.mnist import Bytes
from digits.reading.reader import Reader
from digits.runtime import Model as LiteRTModel

KEPT = 0.99  # share of validation digits that the compared thresholds accept

Pictures = Iterable[Bytes]


@dataclass(frozen=True)
class Answers:
    """What a model says of n pictures.

    Attributes:
        probabilities: float32, shape (n, 10).
        score: float32, shape (n,), 0 to 1: how likely it is that there is a digit at all.
        accepted: bool, shape (n,), by the model's own threshold.
    """

    probabilities: NDArray[np.float32]
    score: NDArray[np.float32]
    accepted: NDArray[np.bool_]


Ask = Callable[[Pictures], Answers]


@dataclass(frozen=True)
class Model:
    """One of the two models that are compared.

    Attributes:
        name: "ours" or "textbook".
        picture: reads pictures of any size.
        canvas: reads canvases (256, 256).
        digit: reads digits (28, 28) in MNIST's own frame.
        threshold: the score that accepts `KEPT` of the validation digits.
    """

    name: str
    picture: Ask
    canvas: Ask
    digit: Ask
    threshold: float


def ours(reader: Reader, shipped: bundle.Bundle, validation: Bytes) -> Model:
    """The bundle, as a user reads with it."""
    model = LiteRTModel(shipped.model)

    def classify(pictures: Pictures) -> Answers:
        readings = [reader.classify(picture) for picture in pictures]
        return Answers(
            np.stack([reading.probabilities for reading in readings]),
            np.array([reading.is_digit for reading in readings], np.float32),
            np.array([reading.accepted for reading in readings], bool),
        )

    def signature(name: str) -> Ask:
        def ask(images: Pictures) -> Answers:
            outputs = [model.run(name, image) for image in images]
            score = np.concatenate([output["is_digit"] for output in outputs])
            return Answers(
                np.concatenate([output["probabilities"] for output in outputs]),
                score,
                score >= np.float32(shipped.threshold),
            )

        return ask

    limit = threshold(classify(validation).score)
    return Model("ours", classify, signature("canvas"), signature("digit"), limit)


def squeezing(predict: Callable[[Bytes], NDArray[np.float32]], validation: Bytes) -> Model:
    """The textbook CNN, as demos use it."""
    limit = threshold(predict(validation).max(axis=1))

    def ask(pictures: Pictures) -> Answers:
        probabilities = predict(np.stack([textbook.squeezed(picture) for picture in pictures]))
        score = probabilities.max(axis=1)
        return Answers(probabilities, score, score >= limit)

    return Model("textbook", ask, ask, ask, limit)


def threshold(scores: NDArray[np.floating]) -> float:
    """The score that `KEPT` of these scores reach, rounded to a whole number of them."""
    ascending = np.sort(scores)
    return float(ascending[round((1 - KEPT) * len(scores))])
