"""Broken digits, with a made-up model that sees shapes."""

from collections.abc import Callable

import numpy as np

from digits.layout.segmentation import Fragment, connected_parts
from digits.pictures.box import Box
from digits.pictures.grey import Grey
from digits.reading.broken import join_broken
from digits.reading.recogniser import Answer, Recogniser


class MadeUp(Recogniser):
    """Says what a function says of a piece's shape: the probability that it is a digit, a 7."""

    def __init__(self, is_digit: Callable[[tuple[int, ...]], float]) -> None:
        self._threshold = 1.0  # odds: a digit from 1/2 on
        self._is_digit = is_digit

    def ask(self, ink: Grey) -> Answer:
        blank = np.zeros((256, 256), np.uint8)
        return Answer(np.eye(10, dtype=np.float32)[7], self._is_digit(ink.shape), blank)


def parts_of(*boxes: Box) -> list[Fragment]:
    ink = np.zeros((200, 400), np.uint8)
    for box in boxes:
        ink[box.window] = 255
    return connected_parts(ink)


def test_two_parts_that_are_a_digit_together_only_are_joined() -> None:
    parts = parts_of(Box(30, 10, 20, 20), Box(30, 32, 20, 20))
    (joined,) = join_broken(parts, MadeUp(lambda shape: 0.9 * (shape[0] > 20)))
    assert joined.box == Box(30, 10, 20, 42)
    assert np.count_nonzero(joined.ink) == 2 * 20 * 20
    assert join_broken(parts, MadeUp(lambda shape: 0.9 * (shape[0] == 20))) == parts


def test_lines_of_writing_stay_apart() -> None:
    parts = parts_of(Box(30, 10, 20, 40), Box(30, 75, 20, 40))
    assert join_broken(parts, MadeUp(lambda shape: 0.9 * (shape[0] > 40))) == parts
