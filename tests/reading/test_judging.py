"""Two networks' opinions, made by hand, and what becomes of them together."""

import math

import numpy as np
import pytest

from digits.bundle import SHIPPED, read
from digits.layout.segmentation import Fragment
from digits.pictures.box import Box
from digits.reading.lines.judging import Judged, confidence, in_context, judge
from digits.reading.lines.line_reading import Written
from digits.reading.page import Floats
from digits.reading.recogniser import Answer, Recogniser
from digits.runtime import Model

INK = np.full((20, 10), 255, np.uint8)
UNSURE = np.full(10, 0.1, np.float32)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    bundle = read(SHIPPED)
    model = Model(bundle.model)
    return Recogniser(model, model, bundle.threshold)


def surely(digit: int, sure: float) -> Floats:
    shares = np.full(10, (1 - sure) / 9, np.float32)
    shares[digit] = sure
    return shares


def written(
    line: Floats, canvas: Floats, presence: float = 0.99, cut: bool = False, is_digit: float = 0.99
) -> Written:
    answer = Answer(canvas, is_digit, np.zeros((256, 256), np.uint8))
    ink = Fragment(Box(0, 0, 10, 20), INK, cut)
    return Written("1", ink, line, presence, answer, 1.0)


def digit_of(judged: Judged | None) -> int:
    assert judged is not None
    return int(judged.probabilities.argmax())


def test_the_canvas_counts_more_where_the_ink_is_whole(recogniser: Recogniser) -> None:
    line, canvas = surely(0, 0.97), surely(2, 0.95)
    whole = written(line, canvas)
    cut = written(line, canvas, cut=True)
    assert [digit_of(one) for one in judge([whole, cut], recogniser)] == [2, 0]
    assert [digit_of(one) for one in judge([whole], recogniser)] == [2]


def test_the_canvas_counts_less_of_what_is_hardly_a_digit_by_itself(recogniser: Recogniser) -> None:
    like_p = written(surely(9, 0.97), surely(8, 0.95), is_digit=0.02)
    clear = written(surely(9, 0.97), surely(8, 0.95))
    assert [digit_of(one) for one in judge([like_p, clear], recogniser)] == [9, 8]


def test_a_sign_has_no_opinion(recogniser: Recogniser) -> None:
    sign = Written(".", Fragment(Box(0, 0, 3, 3), INK), UNSURE, 0.0, None, 1.0)
    assert judge([sign], recogniser) == [None]
    assert judge([sign, written(surely(1, 1.0), surely(1, 1.0))], recogniser)[0] is None


def opinions(*log_odds: float | None) -> list[Judged | None]:
    return [None if odds is None else Judged(UNSURE, odds, 0.0) for odds in log_odds]


@pytest.mark.parametrize(
    ("parts", "accepted"),
    [
        ([[3.0, -2.0, 3.0]], "111"),  # digits on both sides
        ([[3.0, -20.0, 3.0]], "101"),  # but surely something else
        ([[-2.0, -2.0, 3.0]], "111"),  # for each, as many digits as others
        ([[-2.0, -2.0, -2.0, 3.0]], "0001"),
        ([[-2.0]], "0"),
        ([[3.0, None, -2.0]], "11"),  # one digit beside it is half the evidence
        ([[-2.0, -2.0, -2.0], [3.0, 3.0, 3.0]], "000111"),  # a word beside a number
        ([[-2.0], [3.0], [3.0]], "111"),  # a row of boxes
    ],
)
def test_a_character_among_digits_is_likelier_one(
    parts: list[list[float | None]], accepted: str
) -> None:
    found = in_context([opinions(*part) for part in parts])
    shown = [one.accepted for part in found for one in part if one is not None]
    assert shown == [mark == "1" for mark in accepted]


def test_the_confidence_of_a_number_falls_with_each_doubt() -> None:
    agreed, doubtful = 3 * math.log(0.99), math.log(0.2)
    sure, longer, unsure = (
        confidence([agreed] * 3),
        confidence([agreed] * 6),
        confidence([agreed, agreed, doubtful]),
    )
    assert 1 > sure > longer > unsure > 0
