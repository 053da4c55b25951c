"""Tiles on a page that a program made become ink on the page; other pictures stay as they are."""

import numpy as np
import pytest

from digits.layout.tiles import flattened
from digits.pictures.grey import Grey

WHITE, BLACK = 255, 0


def page_with(tile: Grey, page: int = WHITE) -> Grey:
    picture = np.full((120, 200), page, np.uint8)
    picture[30 : 30 + tile.shape[0], 50 : 50 + tile.shape[1]] = tile
    return picture


def tile_with_cross(paper: int, ink: int) -> Grey:
    """40 × 40 pixels, with a cross of 20 × 20."""
    tile = np.full((40, 40), paper, np.uint8)
    tile[18:22, 10:30] = tile[10:30, 18:22] = ink
    return tile


@pytest.mark.parametrize(
    ("page", "paper", "ink"),
    [(WHITE, BLACK, WHITE), (WHITE, 30, 200), (BLACK, WHITE, BLACK), (WHITE, 128, BLACK)],
)
def test_the_paper_of_a_tile_becomes_the_page(page: int, paper: int, ink: int) -> None:
    flat = flattened(page_with(tile_with_cross(paper, ink), page))
    expected = page_with(tile_with_cross(page, 255 - page), page)
    np.testing.assert_array_equal(flat, expected)


def test_grey_edges_of_the_ink_stay_grey() -> None:
    tile = tile_with_cross(BLACK, WHITE)
    tile[9, 18:22] = 51
    assert flattened(page_with(tile))[39, 68:72].tolist() == [204] * 4


def test_every_tile_is_found() -> None:
    page = np.full((100, 300), WHITE, np.uint8)
    for x in (20, 80, 160):
        page[30:70, x : x + 40] = tile_with_cross(BLACK, WHITE)
    flat = flattened(page)
    for x in (20, 80, 160):
        np.testing.assert_array_equal(flat[30:70, x : x + 40], tile_with_cross(WHITE, BLACK))


def test_a_tile_with_ticks_keeps_a_frame() -> None:
    picture = page_with(tile_with_cross(BLACK, WHITE))
    picture[40, 46:50] = picture[70:74, 60] = BLACK
    flat = flattened(picture)
    assert (flat[30:70, 50] == BLACK).all()
    assert (flat[69, 50:90] == BLACK).all()
    assert (flat[40, 46:50] == BLACK).all()
    np.testing.assert_array_equal(flat[31:69, 51:89], tile_with_cross(WHITE, BLACK)[1:-1, 1:-1])


def hollow() -> Grey:
    """A zero of a pixel font."""
    tile = np.zeros((40, 26), np.uint8)
    tile[8:32, 8:18] = WHITE
    return tile


def eight() -> Grey:
    """An eight of the same font."""
    tile = np.zeros((60, 36), np.uint8)
    tile[10:24, 10:26] = tile[36:50, 10:26] = WHITE
    return tile


def ring() -> Grey:
    y, x = np.mgrid[:48, :48] - 23.5
    radius = np.hypot(x, y)
    return np.where((radius < 23) & (radius > 12), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "tile",
    [np.zeros((40, 40), np.uint8), hollow(), eight(), ring(), tile_with_cross(WHITE, BLACK)],
    ids=["bar", "hollow zero", "eight", "ring", "no tile"],
)
def test_what_is_no_tile_stays(tile: Grey) -> None:
    picture = page_with(tile)
    assert flattened(picture) is picture


def test_uneven_paper_stays() -> None:
    picture = page_with(tile_with_cross(BLACK, WHITE))
    shades = np.linspace(0, 60, picture.shape[1]).astype(np.uint8)
    photo = picture - np.minimum(picture, shades)
    assert flattened(photo) is photo


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (28, 28), (19, 400)])
def test_small_pictures_stay(shape: tuple[int, int]) -> None:
    picture = np.full(shape, WHITE, np.uint8)
    assert flattened(picture) is picture
