"""Ways between characters that touch."""

import numpy as np

from digits.pictures.grey import Grey
from digits.reading.lines.pieces import between, seams


def rings() -> Grey:
    """Two rings in a strip that touch in the columns 51 and 52."""
    rows, columns = np.mgrid[:32, :192]
    strip = np.zeros((32, 192), np.uint8)
    for middle in (44, 60):
        radius = np.hypot(rows - 16, columns - middle)
        strip[(radius > 6) & (radius < 9)] = 255
    return strip


def test_a_way_goes_through_as_little_ink_as_possible() -> None:
    strip = rings()
    (way,) = seams(strip, [44, 60])
    assert way.shape == (32,)
    crossed = sum(int(strip[row, int(column)]) for row, column in enumerate(way.tolist()))
    assert crossed <= 255 * 8
    assert 49 <= way[16] <= 55


def test_a_way_goes_round_what_leans_over() -> None:
    strip = np.zeros((32, 192), np.uint8)
    for row in range(6, 26):
        strip[row, 40 + (26 - row) // 2 : 43 + (26 - row) // 2] = 255
        strip[row, 47 + (26 - row) // 2 : 50 + (26 - row) // 2] = 255
    (way,) = seams(strip, [46, 53])
    crossed = [int(strip[row, int(column)]) for row, column in enumerate(way.tolist())]
    assert max(crossed) == 0


def test_pixels_know_which_ways_are_on_their_left() -> None:
    ways = np.array([[10.0] * 32, [20.0] * 32], np.float32)
    rows = np.full(4, 16)
    counts = between(ways, rows, (4, 30), np.zeros(4, np.float32), 1.0)
    assert counts[0].tolist() == [0] * 10 + [1] * 10 + [2] * 10
    shifted = between(ways, rows, (4, 60), np.array([0, 2, 4, 6], np.float32), 0.5)
    assert shifted[3, 26:].tolist() == [1] * 20 + [2] * 14
