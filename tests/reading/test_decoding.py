"""The network's answer for a strip, made by hand, and the characters in it."""

import numpy as np
import pytest
from line_outputs import outputs

from digits.reading.lines.decoding import (
    CHARACTERS,
    fitting,
    greedy,
    plausible,
    text_of,
)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("__1__2__", "12"),
        ("11__22", "12"),
        ("_1_1_", "11"),
        ("_111_", "1"),
        ("00_0_.5-", "00.5-"),
        ("____", ""),
    ],
)
def test_the_likeliest_path_is_read(path: str, text: str) -> None:
    assert text_of(greedy(outputs(path))) == text


def test_a_character_knows_where_it_is_and_how_likely() -> None:
    _, seven = greedy(outputs("_33__777_", 0.8))
    assert seven.symbol == "7"
    assert seven.step == pytest.approx(6.5)  # the middle of the steps 5 to 7
    assert seven.presence == pytest.approx(0.8 + 0.2 * 19 / 20)
    assert seven.probabilities[7] == pytest.approx(0.8 / seven.presence)
    assert seven.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("path", "pattern", "text"),
    [
        ("_1_2_-_3_4_", "##-##", "12-34"),
        ("_1_2_-_3_4_", "####", "1234"),  # nobody asked for the sign
        ("_1_1_1_", "###", "111"),
        ("_1_7_", "# #", "17"),
    ],
)
def test_a_pattern_is_kept(path: str, pattern: str, text: str) -> None:
    assert text_of(fitting(outputs(path), pattern)) == text


def test_a_sign_of_the_pattern_may_be_missing_in_the_ink() -> None:
    one, two, _, three, four = fitting(outputs("_1_2___3_4_"), "##-##")
    assert text_of([one, two, three, four]) == "1234"


def test_what_the_ink_does_not_show_is_not_present() -> None:
    found = fitting(outputs("_(_4_)_"), "###")
    shown = [one.presence * one.probabilities[:10].sum() > 0.5 for one in found]
    assert len(found) == 3
    assert sum(shown) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("_)_5_", "15"),
        ("_5_)_", "51"),
        ("_(_5_)_", "(5)"),
        ("_(_5_", "15"),
        ("_/_7_/_2_", "17/2"),
        ("_7_/_2_/_", "7/21"),
        ("_1_/_2_", "1/2"),
        ("_2_+_", "24"),
        ("_1_+_=_", "14="),
        ("_1_+_2_", "1+2"),
        ("_+_2_", "+2"),
    ],
)
def test_signs_that_cannot_be_are_ones(path: str, text: str) -> None:
    shown = outputs(path)
    shown[:, 4] += np.float32(0.5)  # more like a plus than other digits are
    found = plausible(greedy(shown))
    assert text_of(found) == text
    for one in found:
        assert one.probabilities.sum() == pytest.approx(1, abs=1e-4)
        assert CHARACTERS[int(one.probabilities.argmax())] == one.symbol
