"""Segmentation, cuts and the search for the best path, with a made-up model that sees shapes."""

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digits.bundle import CANVAS_SIDE
from digits.pictures.grey import Grey
from digits.reading import segmentation
from digits.reading.cuts import MOST_CUTS, cut, cut_touching
from digits.reading.page import Box
from digits.reading.recogniser import Answer, Recogniser
from digits.reading.search import Step, accepted, best_path, longest_run
from digits.reading.segmentation import Fragment, Line

BLANK = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)


class MadeUp(Recogniser):
    """Says what a function says of a piece's shape: the probability that it is a digit, a 7."""

    def __init__(self, is_digit: Callable[[tuple[int, ...]], float]) -> None:
        self._threshold = 1.0  # odds: a digit from 1/2 on
        self._is_digit = is_digit

    def ask(self, ink: Grey) -> Answer:
        return answer(self._is_digit(ink.shape))


def answer(is_digit: float) -> Answer:
    return Answer(np.eye(10, dtype=np.float32)[7], is_digit, BLANK)


def sheet(*boxes: Box) -> Grey:
    """Ink that fills these boxes."""
    ink = np.zeros((200, 400), np.uint8)
    for box in boxes:
        ink[box.window] = 255
    return ink


def parts_of(*boxes: Box) -> list[Fragment]:
    return segmentation.connected_parts(sheet(*boxes))


def test_connected_parts_are_found_without_specks() -> None:
    boxes = [Box(10, 20, 20, 40), Box(60, 20, 10, 40), Box(100, 50, 3, 3)]
    parts = parts_of(*boxes)
    assert sorted(part.box for part in parts) == boxes[:2]
    assert all((part.ink == 255).all() for part in parts)


def test_a_hairline_with_gaps_is_one_part_and_a_thick_line_is_not() -> None:
    """A seven, one pixel wide, that fades in two places; and the same, written large."""
    seven = np.zeros((30, 30), np.uint8)
    seven[5, 8:20] = 255
    seven[np.arange(6, 26), 19 - np.arange(20) // 3] = 255
    seven[5, 12] = seven[14:16] = 0
    (part,) = segmentation.connected_parts(seven)
    assert part.box == Box(8, 5, 12, 21)
    assert np.array_equal(part.ink, seven[part.box.window])
    assert len(segmentation.connected_parts(seven.repeat(4, axis=0).repeat(4, axis=1))) == 3


def test_lines_are_from_the_top_and_their_parts_from_the_left() -> None:
    upper = [Box(30 * i, 10 + i, 20, 40) for i in range(10)]  # it slopes
    lower = [Box(30 * i, 110 + i, 20, 40) for i in range(10)]
    lines = segmentation.in_lines(parts_of(*lower[::-1], *upper[::-1]))
    assert [[part.box for part in line.fragments] for line in lines] == [upper, lower]
    assert [line.height for line in lines] == [40, 40]


def test_a_dot_joins_the_line_that_it_is_on() -> None:
    dot = Box(55, 42, 8, 8)
    digits = [Box(30, 10, 20, 40), Box(70, 10, 20, 40)]
    (line,) = segmentation.in_lines(parts_of(dot, *digits))
    assert [part.box for part in line.fragments] == [digits[0], dot, digits[1]]


def test_two_parts_that_are_a_digit_together_only_are_joined() -> None:
    parts = parts_of(Box(30, 10, 20, 20), Box(30, 32, 20, 20))
    (joined,) = segmentation.join_broken(parts, MadeUp(lambda shape: 0.9 * (shape[0] > 20)))
    assert joined.box == Box(30, 10, 20, 42)
    assert np.count_nonzero(joined.ink) == 2 * 20 * 20
    apart = segmentation.join_broken(parts, MadeUp(lambda shape: 0.9 * (shape[0] == 20)))
    assert apart == parts


def test_a_wide_part_is_cut_unless_it_is_certainly_one_digit() -> None:
    ink = sheet(Box(10, 10, 20, 40), Box(40, 10, 20, 40), Box(30, 28, 10, 3))
    (part,) = segmentation.connected_parts(ink)
    line = Line((part,), 60.0)
    (unsure,) = cut_touching([line], MadeUp(lambda shape: 0.5))
    assert len(unsure.fragments) > 1
    assert cut_touching([line], MadeUp(lambda shape: 1.0)) == [line]


@given(st.integers(0, 2**32 - 1), st.integers(20, 90))
def test_cutting_loses_no_ink(seed: int, height: int) -> None:
    ink = np.zeros((100, 100), np.uint8)
    random = np.random.default_rng(seed)
    for x, y, width, depth in random.integers(1, 50, (8, 4)).tolist():
        ink[Box(x, y, width, depth).window] = random.integers(50, 256)
    part = segmentation.trimmed(ink, 3, 5, 0)
    fragments = cut(part, height)
    assert len(fragments) <= MOST_CUTS + 1
    together = segmentation.joined(fragments)
    assert together.box == part.box
    np.testing.assert_array_equal(together.ink, part.ink)
    assert sum(np.count_nonzero(one.ink) for one in fragments) == np.count_nonzero(part.ink)


def steps(line: Line, is_digit: Callable[[tuple[int, ...]], float]) -> list[tuple[Box, bool]]:
    path = best_path(line, longest_run([line]), MadeUp(is_digit))
    return [(step.piece.box, step.answer is not None) for step in path]


def test_the_best_path_takes_fragments_as_what_is_likeliest() -> None:
    left, right = Box(10, 10, 20, 40), Box(30, 10, 20, 40)
    pair = [Fragment(box, np.full((40, 20), 255, np.uint8), 0) for box in (left, right)]
    line = Line(tuple(pair), 40.0)
    assert steps(line, lambda shape: 0.99 * (shape[1] == 20)) == [(left, True), (right, True)]
    both = Box(10, 10, 40, 40)
    assert steps(line, lambda shape: 0.99 * (shape[1] == 40)) == [(both, True)]
    assert steps(line, lambda shape: 0.0) == [(both, False)]  # not cut, as nothing is gained by it


def test_a_doubtful_piece_is_accepted_among_digits_and_refused_among_others() -> None:
    def path(*probabilities: float) -> list[Step]:
        (piece,) = parts_of(Box(10, 10, 20, 40))
        return [Step(i + 1, 0.0, piece, answer(p)) for i, p in enumerate(probabilities)]

    model = MadeUp(lambda shape: 0.0)
    assert accepted(path(0.4), model) == [False]
    assert accepted(path(0.6), model) == [True]
    assert accepted(path(0.9, 0.4, 0.9), model) == [True, True, True]
    assert accepted(path(0.1, 0.6, 0.1), model) == [False, False, False]
