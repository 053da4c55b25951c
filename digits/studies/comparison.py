"""Finished runs side by side, measured on the same digits: `digits compare`."""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.bundle import CANVAS_SIDE, Bundle
from digits.evaluation import CLASSES, expected_calibration_error, wilson_interval
from digits.studies.comparison_entries import Entry
from digits.studies.measure import Floats, Images, answers, corrupted

# Corruptions are measured on every fifth test digit, not on the first ones: the first half of the
# test set was written by neater hands.
SPARSE = 5
TURNS, WARM_UP, CALLS = 100, 2, 5  # for each signature of each run; short turns are fairer
ENLARGED = 7  # times: the digit on the canvas that is timed


@dataclass(frozen=True)
class Row:
    """The figures of one run, all fractions 0 to 1; what is not recorded is None."""

    letter: str  # as in `Entry`, and so are name and folder
    name: str
    folder: str
    recipe: dict[str, Any]  # its settings, by name; empty if the bundle does not record them
    recorded_accuracy: float | None  # on the test digits, when it was trained
    accuracy: float  # on the test digits, measured now
    accuracy_interval: tuple[float, float]  # 95% (Wilson)
    errors: int  # test digits misread
    gained: int | None  # test digits that it reads correctly and the first run misreads
    lost: int | None  # the reverse
    p: float | None  # from `mcnemar`; these three are None for the first run
    ece: float  # expected calibration error on the test digits
    corruptions: dict[str, float]  # fraction misread under each corruption after MNIST-C
    corruption_error: float  # their mean
    parameters: int | None  # weights and biases, as recorded
    mflop: float | None  # millions of floating-point operations an image, as recorded
    train_seconds: float | None  # as recorded
    digit_microseconds: float  # median time to read one image, from `latencies`
    canvas_microseconds: float


@dataclass(frozen=True)
class Disagreement:
    """A test digit that not all runs read alike."""

    index: int  # among the test digits, from 0
    label: int
    answers: tuple[int, ...]  # the digit that each run reads, in the order of the runs
    confidences: tuple[float, ...]  # the probability that each run gives its answer, 0 to 1


@dataclass(frozen=True)
class Comparison:
    """Runs side by side."""

    digits: int  # how many test digits there are
    corrupted_digits: int  # how many of them were read under each corruption
    rows: tuple[Row, ...]  # one for each run, in the order given
    disagreements: tuple[Disagreement, ...]  # all of them, most confident first


def compare(entries: Sequence[Entry], images: Images, labels: Images) -> Comparison:
    """Measures runs on the same digits, with LiteRT on one thread.

    Args:
        entries: from `open_entries`; all are tested against the first.
        images, labels: test digits, uint8 of shapes (n, 28, 28) and (n,), ink 255 on 0.
    """
    clean = [answers(entry.bundle, images)[0] for entry in entries]
    first, *_ = right = [of.argmax(axis=1) == labels for of in clean]
    spoilt = dict(corrupted(images[::SPARSE]))
    times = latencies([entry.bundle for entry in entries], images[0])
    rows = []
    for index, entry in enumerate(entries):
        corruptions = {
            name: float((answers(entry.bundle, shown)[0].argmax(axis=1) != labels[::SPARSE]).mean())
            for name, shown in spoilt.items()
        }
        gained, lost, p = mcnemar(first, right[index]) if index else (None, None, None)
        rows.append(
            Row(
                letter=entry.letter,
                name=entry.name,
                folder=str(entry.folder),
                recipe=entry.bundle.manifest["recipe"],
                recorded_accuracy=entry.recorded.get("test_accuracy"),
                accuracy=float(right[index].mean()),
                accuracy_interval=wilson_interval(int(right[index].sum()), len(labels)),
                errors=int((~right[index]).sum()),
                gained=gained,
                lost=lost,
                p=p,
                ece=expected_calibration_error(clean[index].max(axis=1), right[index]),
                corruptions=corruptions,
                corruption_error=statistics.fmean(corruptions.values()),
                parameters=entry.recorded.get("parameters"),
                mflop=entry.recorded.get("mflop"),
                train_seconds=entry.recorded.get("train_seconds"),
                digit_microseconds=1e6 * times[index]["digit"],
                canvas_microseconds=1e6 * times[index]["canvas"],
            )
        )
    found = disagreements(labels, clean)
    return Comparison(len(labels), len(labels[::SPARSE]), tuple(rows), tuple(found))


def mcnemar(first: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int, float]:
    """Tests whether two networks differ in accuracy on the same digits (McNemar 1947).

    Only the digits that exactly one of them misreads count: if both were equally good, either
    would misread each of these with probability one half. The test is exact and two-sided, with
    the binomial distribution instead of McNemar's chi-square, which needs many such digits. It
    compares two networks, not two ways to train: another seed gives another network.

    Args:
        first, other: whether each network reads each digit correctly, shape (n,).

    Returns:
        the number of digits that `other` gains and loses, and p: the probability of a difference
        at least this large if both networks were equally good; 1 when there is no difference.
    """
    from scipy.stats import binomtest

    gained, lost = int((other & ~first).sum()), int((first & ~other).sum())
    p = float(binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0
    return gained, lost, p


def disagreements(labels: Images, probabilities: Sequence[Floats]) -> list[Disagreement]:
    """The digits that not all runs read alike, most confident first.

    The confidence of an answer is the highest that any run has in it. The confidence of a
    disagreement is that of its second most confident answer, so a digit comes early only if two
    different answers are both given with high confidence.

    Args:
        labels: integers of shape (n,).
        probabilities: for each run, shape (n, 10).
    """
    every = np.stack(probabilities)
    chosen, confidence = every.argmax(axis=2), every.max(axis=2)
    given = chosen[..., None] == np.arange(CLASSES)
    second = np.sort((given * every).max(axis=0), axis=1)[:, -2]  # 0 where all agree
    order = np.argsort(-second, kind="stable")
    return [
        Disagreement(
            int(index),
            int(labels[index]),
            tuple(chosen[:, index].tolist()),
            tuple(confidence[:, index].tolist()),
        )
        for index in order[: np.count_nonzero(second)]
    ]


def latencies(networks: Sequence[Bundle], digit: Images) -> list[dict[str, float]]:
    """The time to read one image: median seconds of 500 calls of each signature, on one thread.

    The networks take turns, so that a machine that is slow for a while is slow for all of them.

    Args:
        networks: bundles.
        digit: uint8 of shape (28, 28), ink 255 on 0; on the canvas it is enlarged.

    Returns:
        for each network, seconds of `digit` and of `canvas`.
    """
    from digits.runtime import Model

    large = digit.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    inputs = {"digit": digit, "canvas": np.pad(large, (CANVAS_SIDE - len(large)) // 2)}
    models = [Model(network.model) for network in networks]
    seconds: list[dict[str, list[float]]] = [{name: [] for name in inputs} for _ in networks]
    for _ in range(TURNS):
        for name, image in inputs.items():
            for model, own in zip(models, seconds, strict=True):
                call = partial(model.run, name, image)
                own[name] += timeit.repeat(call, number=1, repeat=WARM_UP + CALLS)[WARM_UP:]
    return [{name: statistics.median(taken) for name, taken in own.items()} for own in seconds]
