"""The likelihood of a text and of its neighbours, against a sum over all paths."""

import itertools
import math

import numpy as np
import pytest
from line_outputs import outputs

from digits.reading.lines.decoding import BLANK, CHARACTERS
from digits.reading.lines.edits import characters, edits, likeliest
from digits.reading.page import Floats

SHOWN = "12."


def few_views(count: int, steps: int) -> Floats:
    """Random views that show but the blank and three characters."""
    rng = np.random.default_rng(1)
    shares = np.full((count, steps, BLANK + 1), 1e-12)
    places = [*(CHARACTERS.index(one) for one in SHOWN), BLANK]
    shares[..., places] = rng.dirichlet(np.ones(len(places)), (count, steps))
    return np.log(shares).astype(np.float32)


def likelihood(view: Floats, text: str) -> float:
    """The sum over all paths that give a text."""
    places = {one: CHARACTERS.index(one) for one in SHOWN} | {"_": BLANK}
    total = 0.0
    for path in itertools.product(places, repeat=len(view)):
        collapsed = "".join(one for one, _ in itertools.groupby(path)).replace("_", "")
        if collapsed == text:
            total += math.exp(sum(float(view[i, places[one]]) for i, one in enumerate(path)))
    return total


@pytest.mark.parametrize("text", ["", "1", "12", "11", "121", "2."])
def test_likelihoods_are_sums_over_all_paths(text: str) -> None:
    views = few_views(2, 5)
    found = edits(views, text)
    own = [likelihood(view, text) for view in views]
    assert np.exp(found.log_likelihoods) == pytest.approx(own, rel=1e-3)

    def expected(other: str) -> list[float]:
        return [likelihood(view, other) / share for view, share in zip(views, own, strict=True)]

    for code, symbol in ((CHARACTERS.index(one), one) for one in SHOWN):
        for i in range(len(text)):
            replaced = expected(text[:i] + symbol + text[i + 1 :])
            assert np.exp(found.replaced[:, i, code]) == pytest.approx(replaced, rel=1e-3, abs=1e-6)
        for i in range(len(text) + 1):
            inserted = expected(text[:i] + symbol + text[i:])
            assert np.exp(found.inserted[:, i, code]) == pytest.approx(inserted, rel=1e-3, abs=1e-6)
    for i in range(len(text)):
        deleted = expected(text[:i] + text[i + 1 :])
        assert np.exp(found.deleted[:, i]) == pytest.approx(deleted, rel=1e-3, abs=1e-6)


def test_steps_that_are_surely_blank_change_nothing() -> None:
    close, apart = outputs("_1_2_", 0.9), outputs("_1_2_", 0.9)
    blank = np.full((40, BLANK + 1), np.log(1e-6), np.float32)
    blank[:, BLANK] = np.log(1 - 20e-6)
    apart = np.concatenate([apart[:2], blank, apart[2:]])
    one, other = edits(close[None], "12"), edits(apart[None], "12")
    np.testing.assert_allclose(one.replaced, other.replaced, atol=0.3)
    assert other.steps[0] - one.steps[0] == pytest.approx([0, 40], abs=0.5)


def test_a_long_strip_does_not_vanish() -> None:
    found = edits(outputs("_1" * 400, 0.3)[None], "1" * 400)
    assert np.isfinite(found.log_likelihoods).all()
    assert found.log_likelihoods[0] < -500


def test_the_views_are_read_together() -> None:
    views = np.array([outputs("_1_2_"), outputs("_1_7_", 0.5)])
    assert likeliest(views, ["17", "12"]).text == "12"
    # None of the texts that are tried first is right, and one change away from one is.
    assert likeliest(views, ["1"]).text == "12"
    assert likeliest(views, ["1237"]).text == "12"


def test_characters_have_places_and_probabilities() -> None:
    views = np.array([outputs("_1__22_"), outputs("_1__77_", 0.4)])
    best = likeliest(views, ["12"])
    one, two = characters(best, int(best.log_likelihoods.argmax()))
    assert (one.symbol, two.symbol) == ("1", "2")
    assert one.step == pytest.approx(1.5, abs=0.3)
    assert two.step == pytest.approx(5, abs=0.3)
    assert one.presence > 0.9
    assert one.probabilities.sum() == pytest.approx(1)
    assert two.probabilities[2] > two.probabilities[7] > two.probabilities[3]
