"""The command `digits compare`: finished runs side by side, measured on the same digits."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.bundle import CANVAS_SIDE, Bundle
from digits.errors import DigitsError
from digits.evaluation import CLASSES, expected_calibration_error, wilson_interval
from digits.studies.comparison_runs import Run, open_runs
from digits.studies.measure import CLEAN, SEED, Floats, Images, answers, suite
from digits.terminal import needing, own_words_only, say, say_json, watched

# Corruptions are measured on every fifth test digit, not on the first ones: MNIST's first half was
# written by neater hands.
SPARSE = 5
TURNS, WARM_UP, CALLS = 100, 2, 5  # of each signature of each run; short turns are fairer
ENLARGED = 7  # times, the digit on the canvas that is timed


@dataclass(frozen=True)
class Row:
    """What is told of one run. Fractions are 0 to 1.

    Attributes:
        letter, name, folder: as of `Run`.
        recipe: its settings, by name; empty if the bundle does not tell.
        recorded_accuracy: what it wrote down when it was trained, None if nothing.
        accuracy: fraction of the test digits read right, here and now.
        accuracy_interval: 95 % (Wilson).
        errors: test digits misread.
        gained: test digits that it reads right and the first run misreads; `lost`, the other way
            round; `p`, from `mcnemar`. None for the first run.
        ece: expected calibration error on the test digits.
        corruptions: fraction misread under each corruption of MNIST-C, and their mean
            `corruption_error`.
        parameters: weights and biases.
        mflop: millions of floating-point operations to read one image, from `models.mflop`.
        train_seconds: as recorded, None if it is not.
        digit_microseconds, canvas_microseconds: medians of reading one image, from `latencies`.
    """

    letter: str
    name: str
    folder: str
    recipe: dict[str, Any]
    recorded_accuracy: float | None
    accuracy: float
    accuracy_interval: tuple[float, float]
    errors: int
    gained: int | None
    lost: int | None
    p: float | None
    ece: float
    corruptions: dict[str, float]
    corruption_error: float
    parameters: int
    mflop: float
    train_seconds: float | None
    digit_microseconds: float
    canvas_microseconds: float


@dataclass(frozen=True)
class Disagreement:
    """A test digit that is not the same to all runs.

    Attributes:
        index: its place among the test digits, from 0.
        label: what it is said to be.
        answers: what each run reads, in the order of the runs.
        confidences: the probability that each gives its answer, 0 to 1.
    """

    index: int
    label: int
    answers: tuple[int, ...]
    confidences: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes:
        digits: how many test digits there are.
        corrupted_digits: how many of them were read under each corruption.
        rows: a run each, in the order in which they were given.
        disagreements: all test digits that the runs do not agree on, the surest first.
    """

    digits: int
    corrupted_digits: int
    rows: tuple[Row, ...]
    disagreements: tuple[Disagreement, ...]


def command(argv: Sequence[str], prog: str) -> int:
    """Measures runs and prints them side by side.

    Returns:
        the exit status, 0.

    Raises:
        DigitsError: a folder that holds no finished run, or a page that cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Put finished training runs side by side: accuracy with a paired test against "
        "the first run, calibration, corruptions, size, time, and the test digits that they "
        "disagree on. Everything but the time of training is measured anew.",
    )
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="folder of a finished run, or a bundle"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.html",
        help="write a page with pictures of the digits that they disagree on",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args(argv)
    from digits.data import mnist as data
    from digits.studies import comparison_page, comparison_text

    out = arguments.out
    if out is not None:
        comparison_page.check(out)
    runs = open_runs(arguments.runs)
    with own_words_only(), needing(prog):
        mnist = data.load()
        comparison = compare(runs, mnist.test_images, mnist.test_labels)
    if arguments.json:
        say_json(asdict(comparison), indent=2)
    else:
        say(comparison_text.as_text(comparison))
    if out is not None:
        try:
            comparison_page.write_html(comparison, mnist.test_images, out)
        except OSError as error:
            raise DigitsError(
                f"{out} cannot be written ({error.strerror or error}); choose another --out."
            ) from None
    if not arguments.json:
        pictured = "Pictures of these digits, and more" if len(runs) > 1 else "The same as a page"
        say(f"\n{pictured}: {out or '--out FILE.html'}")
    return 0


def compare(runs: Sequence[Run], images: Images, labels: Images) -> Comparison:
    """Measures runs on the same digits, by LiteRT on one thread.

    Args:
        runs: from `open_runs`; all are tested against the first.
        images, labels: test digits, uint8 of shapes (n, 28, 28) and (n,), ink 255 on 0.

    Raises:
        DigitsError: Keras cannot open a network.
    """
    from digits.data.corruptions import CORRUPTIONS

    sparse, sparse_labels = images[::SPARSE], labels[::SPARSE]
    clean: list[Floats] = []
    corrupted: list[dict[str, float]] = [{} for _ in runs]
    for name in watched(suite(), "corruption"):
        if name == CLEAN:
            clean = [answers(run.bundle, images)[0] for run in runs]
            continue
        spoilt = CORRUPTIONS[name](sparse, SEED)
        for run, errors in zip(runs, corrupted, strict=True):
            wrong = answers(run.bundle, spoilt)[0].argmax(axis=1) != sparse_labels
            errors[name] = float(wrong.mean())
    times = latencies([run.bundle for run in runs], images[0])
    first = clean[0].argmax(axis=1) == labels
    rows = []
    for run, probabilities, errors, seconds in zip(runs, clean, corrupted, times, strict=True):
        right = probabilities.argmax(axis=1) == labels
        parameters, mflop = _size(run)
        gained, lost, p = (None, None, None) if run is runs[0] else mcnemar(first, right)
        rows.append(
            Row(
                letter=run.letter,
                name=run.name,
                folder=str(run.folder),
                recipe=run.bundle.manifest["recipe"],
                recorded_accuracy=run.recorded.get("test_accuracy"),
                accuracy=float(right.mean()),
                accuracy_interval=wilson_interval(int(right.sum()), len(right)),
                errors=int((~right).sum()),
                gained=gained,
                lost=lost,
                p=p,
                ece=expected_calibration_error(probabilities.max(axis=1), right),
                corruptions=errors,
                corruption_error=statistics.fmean(errors.values()),
                parameters=parameters,
                mflop=mflop,
                train_seconds=run.recorded.get("train_seconds"),
                digit_microseconds=1e6 * seconds["digit"],
                canvas_microseconds=1e6 * seconds["canvas"],
            )
        )
    return Comparison(len(images), len(sparse), tuple(rows), tuple(disagreements(labels, clean)))


def mcnemar(first: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int, float]:
    """Whether two networks are unequally good on the same digits (McNemar 1947).

    Only the digits that one reads right and the other misreads tell; were the networks equally
    good, each of these would be either's with probability one half. Exact and two-sided, by the
    binomial distribution instead of McNemar's chi-square, which needs many such digits. It tells
    two networks apart, not two ways to train: another seed gives another network.

    Args:
        first, other: whether each network reads each digit right, shape (n,).

    Returns:
        how many digits the other gains and loses, and the probability of a difference as large as
        that, or larger, among equals; 1 when there is none.
    """
    from scipy.stats import binomtest

    gained, lost = int((other & ~first).sum()), int((first & ~other).sum())
    p = float(binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0
    return gained, lost, p


def disagreements(labels: Images, probabilities: Sequence[Floats]) -> list[Disagreement]:
    """The digits to which not all runs give the same answer, the surest disagreement first.

    A disagreement is as sure as its second answer: of those who give an answer the surest counts,
    and of the answers the second surest. So one sure run among doubting ones comes late.

    Args:
        labels: integers of shape (n,).
        probabilities: of each run, shape (n, 10).
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
    """How long one image takes: median seconds of 500 calls of each signature, on one thread.

    The networks take turns, so that a machine that is slow for a while is so to all of them.

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
            for index, model in enumerate(models):
                for call in range(WARM_UP + CALLS):
                    started = time.perf_counter()
                    model.run(name, image)
                    if call >= WARM_UP:
                        seconds[index][name].append(time.perf_counter() - started)
    return [{name: statistics.median(taken) for name, taken in own.items()} for own in seconds]


def _size(run: Run) -> tuple[int, float]:
    """Parameters and MFLOP, as recorded; runs of older versions did not, and Keras is asked."""
    if "parameters" in run.recorded and "mflop" in run.recorded:
        return int(run.recorded["parameters"]), float(run.recorded["mflop"])
    import keras

    from digits.training.models import mflop

    path = run.bundle.folder / "model.keras"
    try:
        model = keras.models.load_model(path)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise DigitsError(f"Keras cannot open {path} ({reason}); leave this run out.") from None
    return model.count_params(), mflop(model)
