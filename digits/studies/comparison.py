"""Finished runs side by side, measured on the same digits: `digits compare`."""

import os
import statistics
import string
import timeit
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits import bundle as bundles
from digits.bundle import CANVAS_SIDE, Bundle
from digits.data.mnist import Bytes, Own
from digits.errors import DigitsError
from digits.evaluation import CLASSES, Floats, evaluate
from digits.runs.run import find
from digits.runtime import answers
from digits.studies.measure import corrupted

LETTERS = string.ascii_uppercase  # one for each run: names are too long to head columns
FIGURES = ("test_accuracy", "train_seconds", "parameters", "mflop")
# Corruptions are measured on every fifth test digit, not on the first ones: the first half of the
# test set was written by neater hands.
SPARSE = 5
TURNS, WARM_UP, CALLS = 100, 2, 5  # for each signature of each run; short turns are fairer
ENLARGED = 7  # times: the digit on the canvas that is timed


@dataclass(frozen=True)
class Entry:
    """A finished run, or a bundle, that is compared with others."""

    letter: str  # its short name
    name: str  # its folder's name, with as many parent folders as make it distinct
    folder: Path
    bundle: Bundle  # its network; all files are verified
    recorded: dict[str, Any]  # the figures written when it was trained


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
    canvas_microseconds: float | None  # None if it was trained on something else than digits


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

    digits: int  # how many test images there are
    corrupted_digits: int  # how many of them were read under each corruption
    rows: tuple[Row, ...]  # one for each run, in the order given
    disagreements: tuple[Disagreement, ...]  # all of them, most confident first
    data: str = "MNIST"  # what was measured on

    def __repr__(self) -> str:
        return (
            f"Comparison({', '.join(f'{x.letter} {x.name} {x.accuracy:.2%}' for x in self.rows)})"
        )


def open_entries(folders: Sequence[Path]) -> list[Entry]:
    """Opens finished runs and bundles, in the order given. Raises DigitsError if a folder is
    neither, is unfinished or damaged, or is given twice, or there are more than 26."""
    if len(folders) > len(LETTERS):
        raise DigitsError(
            f"{len(folders)} runs are more than a page can hold; give {len(LETTERS)} at most."
        )
    places = [folder.resolve() for folder in folders]
    for folder, place in zip(folders, places, strict=True):
        if places.count(place) > 1:
            raise DigitsError(f"{folder} is given twice; give each run once.")
    named = zip(LETTERS, distinct_names(folders), folders, strict=False)
    return [Entry(letter, name, folder, *_open(folder)) for letter, name, folder in named]


def distinct_names(folders: Sequence[Path]) -> list[str]:
    """The folders' names, with as many parent folders as make them distinct."""
    parts = [Path(os.path.abspath(folder)).parts for folder in folders]

    def name(own: tuple[str, ...], depth: int = 1) -> str:
        same = [other for other in parts if other[-depth:] == own[-depth:]]
        return "/".join(own[-depth:]) if len(same) == 1 else name(own, depth + 1)

    return [name(own) for own in parts]


def _open(folder: Path) -> tuple[Bundle, dict[str, Any]]:
    """A folder's bundle and the figures recorded with it."""
    run = find(folder)
    if run is None and not (folder / "manifest.json").exists():
        lacks = "it holds neither a run of this version nor a bundle"
        reason = lacks if folder.exists() else "there is no such folder"
        raise DigitsError(f"There is no run in {folder}: {reason}.")
    if run and not run.finished:
        raise DigitsError(
            f"The run in {folder} is not finished; leave it out, or resume it: "
            f"digits train --resume {folder}"
        )
    if run and not run.bundle.exists():
        raise DigitsError(f"The run in {folder} has no bundle; train it again")
    found = bundles.read(run.bundle if run else folder, every_file=True)
    recorded = run.metrics() if run else found.manifest["metrics"]
    if not all(isinstance(recorded.get(key, 0), (int, float)) for key in FIGURES):
        raise DigitsError(f"{folder} holds no intact figures; leave it out, or train again.")
    return found, recorded


def measure_entries(
    entries: Sequence[Entry], images: Bytes, labels: Bytes, own: Own | None = None
) -> Comparison:
    """Measures runs with LiteRT on one thread, and tests all against the first.

    `images` and `labels` are a test part, uint8 of shapes (n, 28, 28) and (n,), ink 255 on 0: that
    of MNIST, or of `own` data. The accuracy that a run recorded is given if it was on the same.
    """
    sha256 = own and own.sha256
    tests = [evaluate(labels, answers(entry.bundle, images)[0]) for entry in entries]
    right = [test.predictions == labels for test in tests]
    spoilt, spoilt_labels = dict(corrupted(images[::SPARSE])), labels[::SPARSE]
    times = latencies([entry.bundle for entry in entries], images[0]).tolist()
    digit_times, canvas_times = times if len(times) == 2 else (times[0], None)
    rows = []
    for index, (entry, test) in enumerate(zip(entries, tests, strict=True)):
        corruptions = {
            name: float((answers(entry.bundle, shown)[0].argmax(axis=1) != spoilt_labels).mean())
            for name, shown in spoilt.items()
        }
        gained, lost, p = mcnemar(right[0], right[index]) if index else (None, None, None)
        rows.append(
            Row(
                letter=entry.letter,
                name=entry.name,
                folder=str(entry.folder),
                recipe=entry.bundle.manifest["recipe"],
                recorded_accuracy=(
                    entry.recorded.get("test_accuracy") if trained_on(entry) == sha256 else None
                ),
                accuracy=test.accuracy,
                accuracy_interval=test.accuracy_interval,
                errors=test.errors,
                gained=gained,
                lost=lost,
                p=p,
                ece=test.ece,
                corruptions=corruptions,
                corruption_error=statistics.fmean(corruptions.values()),
                parameters=entry.recorded.get("parameters"),
                mflop=entry.recorded.get("mflop"),
                train_seconds=entry.recorded.get("train_seconds"),
                digit_microseconds=digit_times[index],
                canvas_microseconds=canvas_times[index] if canvas_times else None,
            )
        )
    found = disagreements(labels, [test.probabilities for test in tests])
    name = own.name if own else "MNIST"
    return Comparison(len(labels), len(spoilt_labels), tuple(rows), tuple(found), name)


def trained_on(entry: Entry) -> str | None:
    """The SHA-256 of the data that a network was trained on; None for MNIST."""
    sha256: str | None = entry.bundle.manifest.get("own_data", {}).get("sha256")
    return sha256


def mcnemar(first: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int, float]:
    """Tests whether two networks differ in accuracy on the same digits (McNemar 1947).

    Only the digits that exactly one of them misreads count: if both were equally good, either
    would misread each of these with probability one half. The test is exact and two-sided, with
    the binomial distribution instead of McNemar's chi-square, which needs many such digits. It
    compares two networks, not two ways to train: another seed gives another network.

    `first` and `other` say whether each network reads each digit correctly, shape (n,).

    Returns:
        the number of digits that `other` gains and loses, and p: the probability of a difference
        at least this large if both networks were equally good; 1 when there is no difference.
    """
    from scipy.stats import binomtest

    gained, lost = int((other & ~first).sum()), int((first & ~other).sum())
    p = float(binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0
    return gained, lost, p


def disagreements(labels: Bytes, probabilities: Sequence[Floats]) -> list[Disagreement]:
    """The digits that not all runs read alike, most confident first.

    The confidence of an answer is the highest that any run has in it. The confidence of a
    disagreement is that of its second most confident answer, so a digit comes early only if two
    different answers are both given with high confidence. `labels` have the shape (n,), and the
    probabilities of each run (n, 10).
    """
    every = np.stack(probabilities, axis=1)  # (n, runs, 10)
    chosen, confidence = every.argmax(axis=2), every.max(axis=2)
    given = chosen[..., None] == np.arange(CLASSES)
    second = np.sort((given * every).max(axis=1), axis=1)[:, -2]  # 0 where all agree
    order = np.argsort(-second, kind="stable")[: np.count_nonzero(second)]
    columns = (order, labels[order], chosen[order], confidence[order])
    return [
        Disagreement(index, label, tuple(digits), tuple(sure))
        for index, label, digits, sure in zip(*(of.tolist() for of in columns), strict=True)
    ]


def latencies(networks: Sequence[Bundle], digit: Bytes) -> NDArray[np.float64]:
    """The time to read one image on one thread: median microseconds of 500 calls, shape
    (2, networks). The first row is for the signature `digit`, the second for `canvas`, which is
    missing if a network was not trained on digits.

    The networks take turns, so that a machine that is slow for a while is slow for all of them.
    `digit` is uint8 of shape (28, 28), ink 255 on 0; on the canvas it is enlarged.
    """
    from digits.runtime import model_of

    large = digit.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    inputs = {"digit": digit, "canvas": np.pad(large, (CANVAS_SIDE - len(large)) // 2)}
    if not all(network.digits for network in networks):
        del inputs["canvas"]
    models = [model_of(network) for network in networks]
    calls = [partial(model.run, *given) for given in inputs.items() for model in models]
    seconds = [
        [timeit.repeat(call, number=1, repeat=WARM_UP + CALLS)[WARM_UP:] for call in calls]
        for _ in range(TURNS)
    ]
    return 1e6 * np.median(seconds, axis=(0, 2)).reshape(len(inputs), -1)
