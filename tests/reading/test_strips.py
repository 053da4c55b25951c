"""Lines of ink as strips: upright, of one height, and back."""

import itertools

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digits.pictures.grey import Grey
from digits.reading.lines.strips import slant, strip_of


def strokes(lean: float, count: int = 5, height: int = 60, apart: int = 40) -> Grey:
    """Strokes that lean to the right by `lean` pixels per pixel up."""
    across = round(abs(lean) * height)
    picture = Image.new("L", (count * apart + across, height))
    pencil = ImageDraw.Draw(picture)
    for i in range(count):
        foot = 10 + i * apart + (across if lean < 0 else 0)
        pencil.line((foot, height, foot + lean * height, 0), 255, 5)
    return np.asarray(picture)


@pytest.mark.parametrize("lean", [-0.25, 0.0, 0.3, 0.6, 0.85])
def test_slant_is_found(lean: float) -> None:
    assert slant(strokes(lean)) == pytest.approx(lean, abs=0.08 if lean < 0.8 else 0.12)


@pytest.mark.parametrize("lean", [-0.2, 0.0, 0.5])
def test_a_line_stands_upright_in_its_strip(lean: float) -> None:
    ink = strokes(lean)
    strip = strip_of(ink, 30, 60, lean)
    assert strip.image.shape == (32, 96)
    rows = np.flatnonzero(strip.image.any(axis=1))
    assert rows[0] in (6, 7)
    assert rows[-1] in (24, 25)
    inked = (strip.image > 128).any(axis=0)
    begins = np.flatnonzero(np.diff(inked.astype(int), prepend=0) == 1)
    assert np.diff(begins) == pytest.approx([12] * 4, abs=1)  # 40 pixels at 18/60
    assert inked.sum() <= 5 * 3


@pytest.mark.parametrize("lean", [-0.2, 0.0, 0.5])
def test_columns_of_a_strip_are_known_in_the_ink(lean: float) -> None:
    ink = strokes(lean)
    strip = strip_of(ink, 30, 60, lean)
    rows, offsets = strip.rows(60), strip.offsets(60)
    for row in (5, 30, 55):
        columns = np.flatnonzero(strip.image[rows[row]] > 128)
        there = offsets[row] + (columns + 0.5) / strip.scale
        for place in there:
            near = ink[row, max(0, int(place) - 4) : int(place) + 5]
            assert near.any()


def test_a_strip_is_no_wider_than_its_line_needs() -> None:
    for count, width in ((1, 48), (5, 96), (9, 144), (12, 192)):
        strip = strip_of(strokes(0, count), 30, 60, 0.0)
        assert (strip.image.shape, strip.windows) == ((32, width), [0])


def test_a_widened_strip_shows_the_same_ink_at_the_same_place() -> None:
    strip = strip_of(strokes(0.3), 30, 60, 0.3)
    wide = strip.widened(192)
    assert wide.image.shape == (32, 192)
    np.testing.assert_array_equal(wide.image[:, 48:144], strip.image)
    assert not wide.image[:, :48].any()
    there = wide.offsets(60) + 48 / wide.scale
    np.testing.assert_allclose(there, strip.offsets(60), atol=1e-4)


def test_a_long_line_is_seen_through_windows_that_overlap() -> None:
    strip = strip_of(strokes(0, count=40), 30, 60, 0.0)
    width = strip.image.shape[1]
    assert width > 400
    starts = strip.windows
    assert starts[0] == 0
    assert starts[-1] + 192 == width
    assert all(start % 2 == 0 for start in starts)
    assert all(b - a <= 192 - 60 for a, b in itertools.pairwise(starts))


def test_faint_ink_becomes_full() -> None:
    assert strip_of(strokes(0) // 4, 30, 60, 0.0).image.max() == 255
