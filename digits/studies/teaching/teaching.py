"""A model goes on learning from someone's own digits: `digits teach`.

What it gains is measured on digits that it was not taught with, and what it loses on MNIST's
validation digits. A model that gains nothing, or loses too much, is not written.
"""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from digits import bundle as bundles
from digits.bundle import Bundle
from digits.data import variants
from digits.data.mnist import Bytes, Mnist, split
from digits.data.non_digits import LABEL
from digits.errors import DigitsError
from digits.evaluation import evaluate, wilson_interval
from digits.reading.reader import Reader
from digits.reporting.report import metrics_of
from digits.studies.comparison import mcnemar
from digits.studies.teaching.last_layers import (
    Features,
    LastLayers,
    Weights,
    answers,
    distorted,
    fitted,
)
from digits.studies.teaching.own_digits import OwnDigits, collect
from digits.training import dataset
from digits.training.calibration import ACCEPTED
from digits.training.exporting import export
from digits.training.geometry import frame_all
from digits.training.networks.models import predictor
from digits.training.train import use_cores

FEWEST = 5  # digits to teach with
FOLDS = 5
HELD_OUT = 5_000  # of MNIST's training digits, on which it is decided whether MNIST suffers
# Among what one's own are learnt: drawn digits, non-digits, and digits of MNIST that would be
# misread first. They were trained on, and are read too surely; their distorted copies are not.
OF_VARIANTS, OF_NON_DIGITS = 1_500, 1_500
HARD, DISTORTIONS, HARDEST = 6_000, 2, 3_000  # the hardest copies, two each of the hardest digits
MOST_LOST = 0.0005  # of MNIST's validation digits
SURE = 0.9  # probability of another digit from which a label is doubted
SEED = 1

Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Teaching:
    """What teaching brought.

    Attributes:
        own: the digits that it was taught with.
        right_before: which of them the model reads as it was; of what is no digit, which it
            refuses.
        right_after: the same, each by a model that was taught with others of them.
        mnist_before, mnist_after: the fraction of MNIST's validation digits that are misread.
        doubted: files whose folder may be wrong, each with what it looks like.
        seconds: that it took.
        bundle: the taught model; None if it was not written.
    """

    own: OwnDigits
    right_before: Right
    right_after: Right
    mnist_before: float
    mnist_after: float
    doubted: tuple[tuple[Path, int], ...]
    seconds: float
    bundle: Path | None

    @property
    def worthwhile(self) -> bool:
        """Whether it reads one's own digits better, and MNIST's nearly as well."""
        gained = self.right_after.sum() > self.right_before.sum()
        return bool(gained) and self.mnist_after - self.mnist_before <= MOST_LOST + 1e-9

    def __repr__(self) -> str:
        before, after = self.right_before.mean(), self.right_after.mean()
        digits, place = len(self.own.labels), self.bundle and str(self.bundle)
        return f"Teaching({digits} digits, {before:.1%} right before, {after:.1%} after, {place!r})"

    def __str__(self) -> str:
        count = len(self.own.labels)
        gained, lost, p = mcnemar(self.right_before, self.right_after)
        lines = [f"{count} digits: {self.own.in_words}"]
        for when, right in (("before", self.right_before), ("after", self.right_after)):
            low, high = wilson_interval(int(right.sum()), count)
            interval = f"95% interval {low:.1%} to {high:.1%}"
            lines.append(f"Read correctly {when}: {right.mean():.1%}  ({interval})")
        lines += [
            f"Taught with the others of them, it gains {gained} and loses {lost} (p = {p:.2g})",
            f"MNIST's validation digits misread: {self.mnist_before:.2%} before, "
            f"{self.mnist_after:.2%} after",
        ]
        if self.own.unreadable:
            lines += ["", "Not used:", *(f"  {reason}" for reason in self.own.unreadable)]
        if self.doubted:
            looks = (f"  {file} looks like a {digit}" for file, digit in self.doubted)
            lines += ["", "Perhaps in the wrong folder:", *looks]
        return "\n".join(lines)


def teach(folder: Path, out: Path, mnist: Mnist, source: Bundle, anyway: bool = False) -> Teaching:
    """Teaches a model with pictures in the folders 0 to 9 and none.

    Args:
        folder: of these folders.
        out: the bundle that is written, if teaching is worthwhile.
        mnist: all of MNIST; the test digits are only measured, once, at the end.
        source: the model that goes on learning.
        anyway: write it even if it gains nothing, or MNIST suffers.

    Raises:
        DigitsError: the folder or its folders are missing or empty, too few digits are found, or
            `out` holds something else than a bundle.
    """
    started = time.monotonic()
    bundles.check_replaceable(out)
    own = collect(folder, Reader(source.folder))
    if len(own.labels) < FEWEST:
        raise DigitsError(
            f"{folder} holds {len(own.labels)} digits, and {FEWEST} are needed to learn anything; "
            "five of each are a good start."
        )
    cores = use_cores()
    last = LastLayers.of(export.loaded(source, "model.keras"), cores)
    lesson = Lesson.of(last, Others.prepare(last, mnist), own.images, own.labels)
    threshold = source.threshold
    right_before = _right(last.weights, lesson.own, own.labels, threshold)
    right_after, doubted = np.zeros(len(own.labels), np.bool_), []
    for part in parts_of(own.labels):
        weights = lesson.learn(np.setdiff1d(np.arange(len(own.labels)), part))
        features = [one[part] for one in lesson.own]
        limit = lesson.threshold(weights)
        right_after[part] = _right(weights, features, own.labels[part], limit)
        probabilities, _ = answers(weights, features)
        likeliest = probabilities.argmax(axis=1)
        for index, digit, sure in zip(part, likeliest, probabilities.max(axis=1), strict=True):
            if own.labels[index] != LABEL and digit != own.labels[index] and sure >= SURE:
                doubted.append((own.files[index], int(digit)))
    weights = lesson.learn(np.arange(len(own.labels)))
    before, after = lesson.misread(last.weights), lesson.misread(weights)
    found = Teaching(own, right_before, right_after, before, after, tuple(doubted), 0.0, None)
    if found.worthwhile or anyway:
        last.use(weights)
        _write(out, source, last.model, lesson.threshold(weights), found, mnist, cores)
        found = replace(found, bundle=out)
    return replace(found, seconds=time.monotonic() - started)


@dataclass(frozen=True)
class Others:
    """Features and labels of what one's own digits are learnt among, hard digits of MNIST, drawn
    ones and non-digits; and of MNIST's validation digits, to measure what is lost."""

    learnt: tuple[Features, Bytes]
    validation: tuple[Features, Bytes]

    @classmethod
    def prepare(cls, last: LastLayers, mnist: Mnist) -> "Others":
        """The same ones every time."""
        (digits, theirs), (held_out, of_held_out) = split(
            mnist.train_images, mnist.train_labels, HELD_OUT
        )
        hard = hardest_first(last.weights, last.features(digits))[:HARD]
        pairs = [distorted(digits[hard], theirs[hard], seed) for seed in range(2, 2 + DISTORTIONS)]
        copies, of_copies = (np.concatenate(one) for one in zip(*pairs, strict=True))
        features = last.features(copies)
        chosen = hardest_first(last.weights, features)[:HARDEST]
        drawn, of_drawn = variants.draw_variants(OF_VARIANTS, SEED)
        strange = dataset.non_digits(OF_NON_DIGITS, digits, theirs, SEED)
        drawn_ones = last.features(np.concatenate([frame_all(drawn), strange]))
        others = [
            np.concatenate([of[chosen], more])
            for of, more in zip(features, drawn_ones, strict=True)
        ]
        of_others = [of_copies[chosen], of_drawn, np.full(len(strange), LABEL, np.uint8)]
        return cls(
            (others, np.concatenate(of_others)),
            (last.features(held_out), of_held_out),
        )


def hardest_first(weights: Weights, features: Features) -> NDArray[np.int64]:
    """The indices of digits, those first whose two likeliest readings are closest."""
    ordered = np.sort(answers(weights, features)[0], axis=1)
    return np.argsort(ordered[:, -1] - ordered[:, -2], kind="stable")


@dataclass(frozen=True)
class Lesson:
    """What a network learns from: the features of one's own digits, as they are and distorted, and
    others."""

    last: LastLayers
    others: Others
    own: Features
    copies: tuple[Features, Bytes, NDArray[np.int64]]  # with labels, and whose copies they are

    @classmethod
    def of(cls, last: LastLayers, others: Others, images: Bytes, labels: Bytes) -> "Lesson":
        """Of images, uint8 of shape (n, 28, 28), and labels, 0 to 10."""
        copies, of_copies = distorted(images, labels, SEED)
        whose = np.arange(len(copies)) // (len(copies) // len(images))
        own = last.features(images)
        return cls(last, others, own, (last.features(copies), of_copies, whose))

    def learn(self, indices: NDArray[np.int64]) -> Weights:
        """The weights that it learns from some of one's own digits."""
        features, labels, whose = self.copies
        mine = np.isin(whose, indices)
        mine_alone = [one[mine] for one in features]
        return fitted(self.last.weights, *self.others.learnt, mine_alone, labels[mine])

    def misread(self, weights: Weights) -> float:
        """The fraction of MNIST's validation digits that are misread."""
        features, labels = self.others.validation
        return float(np.mean(answers(weights, features)[0].argmax(axis=1) != labels))

    def threshold(self, weights: Weights) -> float:
        """The threshold that accepts 99% of MNIST's validation digits."""
        is_digit = answers(weights, self.others.validation[0])[1]
        return float(np.quantile(is_digit, 1 - ACCEPTED, method="lower"))


def parts_of(labels: Bytes) -> Iterator[NDArray[np.int64]]:
    """The indices of `FOLDS` parts, each with about as many of each label; none is empty."""
    rng = np.random.default_rng(SEED)
    order = np.concatenate(
        [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    )
    for first in range(FOLDS):
        yield np.sort(order[first::FOLDS])


def _right(weights: Weights, features: Features, labels: Bytes, threshold: float) -> Right:
    probabilities, is_digit = answers(weights, features)
    read = probabilities.argmax(axis=1) == labels
    return np.where(labels == LABEL, is_digit < threshold, read)


def _write(
    out: Path,
    source: Bundle,
    model: keras.Model,
    threshold: float,
    found: Teaching,
    mnist: Mnist,
    cores: int,
) -> None:
    manifest = {
        key: of
        for key, of in source.manifest.items()
        # Its figures are of MNIST now.
        if key not in ("format", "files", "contract", "own_data")
    }
    given = predictor(model, cores)(mnist.test_images)
    test = evaluate(mnist.test_labels, given["probabilities"])
    metrics: dict[str, Any] = source.manifest["metrics"] | metrics_of(test)
    metrics["test_accepted"] = float(np.mean(given["is_digit"] >= threshold))
    metrics["validation_accuracy"] = 1 - found.mnist_after
    metrics.pop("non_digits_accepted", None)
    manifest |= {
        "created": time.strftime("%Y-%m-%d", time.gmtime()),
        "thresholds": {"is_digit": threshold},
        "metrics": {name: metrics[name] for name in export.IN_MANIFEST if name in metrics},
        "taught": {
            "digits": found.own.in_words,
            "right_before": float(found.right_before.mean()),
            "right_after": float(found.right_after.mean()),
        },
    }
    lines = None
    if "line.keras" in source.manifest["files"]:
        golden = np.load(io.BytesIO(source.file("golden.npz")))
        lines = export.loaded(source, "line.keras"), golden["line_input"]
    digits = mnist.train_images[-HELD_OUT:]
    out.parent.mkdir(parents=True, exist_ok=True)
    export.export(model, out, digits, manifest, lines)
