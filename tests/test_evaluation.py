"""Metrics against scikit-learn, against the formula, and against sense."""

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from digits import evaluation as ev


@st.composite
def predictions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    count = draw(st.integers(1, 60))
    labels = draw(npst.arrays(np.uint8, count, elements=st.integers(0, 9)))
    logits = draw(npst.arrays(np.float64, (count, 10), elements=st.floats(-20, 20)))
    return labels, ev.softmax(logits)


@given(predictions())
def test_agrees_with_scikit_learn(given_: tuple[np.ndarray, np.ndarray]) -> None:
    labels, probabilities = given_
    found = ev.evaluate(labels, probabilities)
    guesses = probabilities.argmax(axis=1)
    digits = list(range(10))
    assert found.accuracy == pytest.approx(sklearn.metrics.accuracy_score(labels, guesses))
    assert found.errors == (labels != guesses).sum()
    clipped = np.clip(probabilities, 1e-7, 1)
    clipped /= clipped.sum(axis=1, keepdims=True)
    expected = sklearn.metrics.log_loss(labels, clipped, labels=digits)
    assert found.loss == pytest.approx(expected, abs=1e-5)
    assert found.confusion.sum() == len(labels)
    assert np.trace(found.confusion) == len(labels) - found.errors
    for i, truth in enumerate(labels):
        assert found.confusion[truth, guesses[i]] > 0
    for digit in digits:
        of_digit = sklearn.metrics.recall_score(labels == digit, guesses == digit, zero_division=0)
        assert found.recall[digit] == pytest.approx(of_digit)


@given(predictions())
def test_bounds(given_: tuple[np.ndarray, np.ndarray]) -> None:
    found = ev.evaluate(*given_)
    low, high = found.accuracy_interval
    assert 0 <= low <= found.accuracy <= high <= 1
    assert 0 <= found.ece <= 1
    assert found.loss >= 0
    confidences = found.probabilities[found.mistakes].max(axis=1)
    assert (np.diff(confidences) <= 0).all()
    assert len(found.mistakes) == found.errors


@given(st.integers(1, 10_000), st.data())
def test_wilson_is_the_solution_of_its_equation(trials: int, draw: st.DataObject) -> None:
    """The ends are the shares whose own standard error puts them 1.96 from what was seen."""
    successes = draw.draw(st.integers(0, trials))
    for end in ev.wilson_interval(successes, trials):
        distance = abs(successes / trials - end)
        assert distance == pytest.approx(
            1.959964 * math.sqrt(max(0, end * (1 - end)) / trials), abs=1e-6
        )


def test_wilson_by_hand() -> None:
    # 10 of 10: the interval is from 10 / (10 + 1.959964²) to 1
    low, high = ev.wilson_interval(10, 10)
    assert low == pytest.approx(10 / (10 + 1.959964**2))
    assert high == pytest.approx(1)


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, False, True, False])
    # two bins of two: |0.95 − 0.5| and |0.55 − 0.5|, each with half of the weight
    assert ev.expected_calibration_error(confidence, correct) == pytest.approx(0.25)
    assert ev.expected_calibration_error(np.ones(3), np.ones(3, bool)) == 0


@given(st.floats(0.2, 5))
def test_temperature_is_found_again(temperature: float) -> None:
    """Labels drawn from a network's probabilities call for 1; scaled logits for the scale."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (4000, 10))
    cumulative = ev.softmax(logits).cumsum(axis=1)
    labels = (cumulative < random.random((4000, 1))).sum(axis=1).clip(0, 9)
    assert ev.fit_temperature(labels, logits * temperature) == pytest.approx(temperature, rel=0.1)


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        ([], np.zeros((0, 10))),
        ([1, 2], np.full((1, 10), 0.1)),
        ([1], np.full((1, 9), 1 / 9)),
        ([10], np.full((1, 10), 0.1)),
        ([1], np.full((1, 10), 0.2)),
        ([1], np.full((1, 10), np.nan)),
        ([1], np.array([[2, -1, 0, 0, 0, 0, 0, 0, 0, 0]])),
    ],
)
def test_nonsense_is_refused(labels: list[int], probabilities: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"must|fit"):
        ev.evaluate(np.array(labels, int), probabilities)


def test_a_proportion_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        ev.wilson_interval(0, 0)
