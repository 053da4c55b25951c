"""Combs of forms, a rule with teeth, are rows of boxes; ones on a rule are not."""

import numpy as np
import pytest
from drawn_tables import assert_places, assert_same_ink, digit, found_in, turned
from PIL import Image, ImageDraw

from digits.data.mnist import Mnist

PITCH, TOOTH = 44, 40  # pixels


def comb(mnist: Mnist, teeth: range, filled: int) -> tuple[Image.Image, Image.Image]:
    """A rule with some of the teeth that divide it into ten places, and digits in the first; the
    digits alone, and with the comb."""
    digits = Image.new("L", (520, 120))
    for i in range(filled):
        one = digit(mnist, i, 24)
        digits.paste(one, (40 + i * PITCH + (PITCH - one.width) // 2, 46))
    page = digits.copy()
    pencil = ImageDraw.Draw(page)
    pencil.line((40, 80, 40 + 10 * PITCH, 80), 255, 2)
    for i in teeth:
        pencil.line((40 + i * PITCH, 80 - TOOTH, 40 + i * PITCH, 80), 255, 2)
    return digits, page


@pytest.mark.parametrize("degrees", [0, 2])
@pytest.mark.parametrize("teeth", [range(11), range(1, 10), range(1, 11)])
def test_a_comb_is_a_row_of_boxes(mnist: Mnist, teeth: range, degrees: float) -> None:
    digits, page = comb(mnist, teeth, filled=7)
    found = found_in(turned(page, degrees))
    assert_places(found, 1, 10)
    assert_same_ink(found.ink, turned(digits, degrees))


def test_ones_on_a_rule_with_other_digits_between_them_stay(mnist: Mnist) -> None:
    """They are no higher than what stands between them, as teeth are."""
    page = Image.new("L", (520, 120))
    pencil = ImageDraw.Draw(page)
    pencil.line((20, 80, 500, 80), 255, 2)
    for i in range(6):
        pencil.line((60 + 70 * i, 50, 60 + 70 * i, 80), 255, 3)
        page.paste(digit(mnist, i, 30), (82 + 70 * i, 50))
    found = found_in(page)
    assert not found.cells
    columns = np.asarray(found.ink)[55:76]
    assert all(columns[:, 59 + 70 * i : 63 + 70 * i].max(axis=1).min() > 127 for i in range(6))


def test_a_few_strokes_on_a_rule_are_no_comb() -> None:
    page = Image.new("L", (520, 120))
    pencil = ImageDraw.Draw(page)
    pencil.line((40, 80, 480, 80), 255, 2)
    for i in range(4):
        pencil.line((100 + 60 * i, 45, 100 + 60 * i, 80), 255, 3)
    assert not found_in(page).cells  # four ones, as likely as teeth
