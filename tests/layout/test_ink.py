"""Finding ink: a drawing comes out as it is, a photo comes out without its paper."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from benchmarks.handwriting import composed_pages as pages
from digits.data.mnist import Mnist
from digits.layout import ink, structure
from digits.pictures import masks
from digits.pictures.grey import Grey


def scene(paper: str, seed: int = 3, **changes: float) -> tuple[np.ndarray, np.ndarray]:
    """A picture of one line of strokes, and where its ink is."""
    height = 40.0
    page = np.zeros((120, 400), np.float32)
    for i in range(6):
        page[40:80, 60 + 50 * i : 65 + 50 * i] = 1
        page[40:45, 45 + 50 * i : 65 + 50 * i] = 1
    random = np.random.default_rng(seed)
    return pages.photograph(random, page, pages.PAPERS[paper], height), page > 0.5


def test_a_digit_of_mnist_comes_out_as_it_went_in(mnist: Mnist) -> None:
    for image in mnist.train_images[-200:]:
        found = ink.find(image)
        assert found.clear
        assert np.abs(found.map.astype(int) - image).max() <= 6  # stretched until 255 is reached


def test_dark_ink_gives_the_same_as_light_ink(mnist: Mnist) -> None:
    for image in mnist.train_images[-200:]:
        np.testing.assert_array_equal(ink.find(255 - image).map, ink.find(image).map)


@given(
    arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=24), elements=st.integers(0, 3)),
    arrays(np.uint8, 4),
)
def test_many_small_pictures_are_as_each_by_itself(levels: Grey, tones: Grey) -> None:
    """Pictures of four tones; where paper is found without a cut, a cut would find the same."""
    greys = tones[levels]
    for grey, found in zip(greys, ink.find_all(greys), strict=True):
        alone = ink.find(grey)
        np.testing.assert_array_equal(found.map, alone.map)
        np.testing.assert_array_equal(found.faint, alone.faint)
        assert (found.scale, found.clear) == (alone.scale, alone.clear)
        counts = np.bincount(grey.ravel(), minlength=256)
        (plain,) = ink._plain_papers(grey[None], counts[None])
        assert plain in (None, ink._even_paper(grey, counts))


def test_contrast_is_stretched_to_full_ink() -> None:
    picture = np.full((40, 40), 90, np.uint8)
    picture[10:30, 18:22] = 60
    found = ink.find(picture).map
    assert found[20, 20] == 255
    assert found[0, 0] == 0


@pytest.mark.parametrize("side", [12, 16, 20])
def test_a_thick_ring_that_fills_a_small_picture_is_ink(side: int) -> None:
    """As the zeros on envelopes, 16 pixels wide: the most of what is not ink is grey edge."""
    down, right = np.mgrid[:256, :256] - 127.5
    distance = np.hypot(down, 1.2 * right)
    ring = Image.fromarray(((distance > 45) & (distance < 125)) * np.uint8(255))
    picture = np.asarray(ring.resize((side, side), Image.Resampling.BICUBIC))
    found = ink.find(picture)
    assert found.clear
    assert np.array_equal(found.map > 128, picture > 128)


@pytest.mark.parametrize("paper", pages.PAPERS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ink_is_told_from_paper(paper: str, seed: int) -> None:
    picture, truth = scene(paper, seed)
    seen = ink.find(picture)
    found = structure.find(seen.map, None if seen.clear else seen.faint).ink > 127
    assert (found & truth).sum() >= 0.85 * truth.sum()
    around = masks.wider(truth)
    # The side of a square that coincides with a stem cannot be told from it.
    assert (found & ~around).sum() <= (0.25 if paper == "squared" else 0.05) * truth.sum()


def test_paper_is_exactly_zero() -> None:
    picture, truth = scene("photo")
    away = ~truth
    for _ in range(3):
        away = ~masks.wider(~away)
    assert np.mean(ink.find(picture).map[away] == 0) > 0.995


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((1, 1)),
        np.full((50, 70), 255),
        np.full((28, 28), 131),
        np.tile(np.linspace(90, 220, 300), (200, 1)),  # a shadow, and nothing written
        np.random.default_rng(1).normal(200, 6, (300, 300)),
    ],
    ids=["pixel", "white", "grey", "shadow", "grain"],
)
def test_blank_paper_has_no_ink(picture: np.ndarray) -> None:
    assert not ink.find(picture.round().astype(np.uint8)).map.any()


def test_a_huge_picture_is_averaged_down() -> None:
    picture = np.full((3000, 4000), 210, np.uint8)
    picture[1000:1400, 2000:2040] = 20
    found = ink.find(picture)
    assert found.map.size <= ink.LARGEST
    rows, columns = np.nonzero(found.map)
    assert abs(rows.min() * found.scale - 1000) <= found.scale
    assert abs((columns.max() + 1) * found.scale - 2040) <= found.scale


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=64)))
def test_any_picture_has_ink_or_none(picture: np.ndarray) -> None:
    found = ink.find(picture)
    assert found.map.shape == picture.shape
    assert found.map.dtype == np.uint8
