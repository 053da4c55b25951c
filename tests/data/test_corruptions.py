"""Do the corruptions do what their names say, and leave digits that can be read?"""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from digits.data.corruptions import CORRUPTIONS
from digits.data.mnist import Mnist

Images = NDArray[np.uint8]
SAME_FOR_ALL = ("scale", "brightness", "stripe", "canny_edges")  # nothing in them is random


@pytest.fixture(scope="module")
def images(mnist: Mnist) -> Images:
    return mnist.train_images[:400]


def centre(images: Images) -> NDArray[np.floating]:
    """Centre of mass of each image as (row, column), shape (n, 2)."""
    weights = images / images.sum(axis=(1, 2), keepdims=True, dtype=float)
    places = np.mgrid[:28, :28].astype(float)
    return np.einsum("nij,kij->nk", weights, places)


def test_there_are_fifteen() -> None:
    assert len(CORRUPTIONS) == 15


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_repeatable_of_the_same_kind_and_not_in_place(name: str, images: Images) -> None:
    before = images.copy()
    corrupted = CORRUPTIONS[name](images, 1)
    assert corrupted.shape == images.shape
    assert corrupted.dtype == np.uint8
    assert np.array_equal(images, before)
    assert np.array_equal(corrupted, CORRUPTIONS[name](images, 1))
    assert np.array_equal(corrupted, CORRUPTIONS[name](images, 2)) == (name in SAME_FOR_ALL)
    assert (corrupted != images).any(axis=(1, 2)).mean() > 0.98


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("count", [0, 1])
def test_few_images(name: str, count: int, images: Images) -> None:
    assert CORRUPTIONS[name](images[:count], 1).shape == (count, 28, 28)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_most_digits_can_still_be_read(name: str, mnist: Mnist, images: Images) -> None:
    """By comparing them with 5,000 others, which reads 95 % of them uncorrupted."""
    corrupted = CORRUPTIONS[name](images, 1)
    if name == "translate":  # comparing cannot do that
        shift = np.rint(centre(corrupted) - centre(images)).astype(int)
        corrupted = np.stack(
            [np.roll(i, -s, (0, 1)) for i, s in zip(corrupted, shift, strict=True)]
        )
    seen = slice(7, 21) if name == "stripe" else slice(None)

    def patterns(of: Images) -> NDArray[np.floating]:
        smooth = ndimage.gaussian_filter(of[:, :, seen].astype(np.float32), (0, 1, 1))
        flat = smooth.reshape(len(of), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        return flat / np.linalg.norm(flat, axis=1, keepdims=True)

    nearest = (patterns(corrupted) @ patterns(mnist.train_images[1000:6000]).T).argmax(axis=1)
    right = mnist.train_labels[1000:6000][nearest] == mnist.train_labels[: len(images)]
    assert right.mean() > {"scale": 0.6, "fog": 0.5, "canny_edges": 0.7}.get(name, 0.8)


def test_translated_by_three_pixels_each_way(images: Images) -> None:
    moved = centre(CORRUPTIONS["translate"](images, 1)) - centre(images)
    whole = images[:, :3].max((1, 2)) | images[:, -3:].max((1, 2))
    whole |= images[:, :, :3].max((1, 2)) | images[:, :, -3:].max((1, 2))
    inside = whole == 0  # nothing is lost
    assert inside.sum() > 200
    np.testing.assert_allclose(np.abs(moved[inside]), 3, atol=1e-6)
    ways = {tuple(way) for way in np.sign(moved[inside]).astype(int).tolist()}
    assert ways == {(-1, -1), (-1, 1), (1, -1), (1, 1)}


def test_scaled_about_the_centre() -> None:
    square = np.zeros((1, 28, 28), np.uint8)
    square[:, 4:24, 4:24] = 255
    scaled = CORRUPTIONS["scale"](square, 1)
    assert scaled.sum() / square.sum() == pytest.approx(0.49, abs=0.03)
    np.testing.assert_allclose(centre(scaled), 13.5, atol=1e-3)


def bar(across: bool) -> Images:
    picture = np.zeros((40, 28, 28), np.uint8)
    picture[:, 13:15, 4:24] = 255
    return picture if across else picture.transpose(0, 2, 1).copy()


def slope(images: Images, upright: bool) -> NDArray[np.floating]:
    """Columns a row for upright bars, rows a column for level ones, by least squares."""
    found = []
    for image in images:
        rows, columns = np.nonzero(image > 100)
        first, second = (rows, columns) if upright else (columns, rows)
        found.append(np.polyfit(first, second, 1)[0])
    return np.array(found)


def test_rotated_either_way() -> None:
    slopes = slope(CORRUPTIONS["rotate"](bar(across=True), 1), upright=False)
    np.testing.assert_allclose(np.abs(slopes), np.tan(0.4), atol=0.04)
    assert {-1.0, 1.0} == set(np.sign(slopes))


def test_sheared_either_way_along_rows() -> None:
    slopes = slope(CORRUPTIONS["shear"](bar(across=False), 1), upright=True)
    np.testing.assert_allclose(np.abs(slopes), 0.4, atol=0.04)
    assert {-1.0, 1.0} == set(np.sign(slopes))
    np.testing.assert_allclose(
        slope(CORRUPTIONS["shear"](bar(across=True), 1), upright=False), 0, atol=0.01
    )


def test_noise_is_as_strong_as_said(images: Images) -> None:
    salted = CORRUPTIONS["impulse_noise"](np.full_like(images, 100), 1)
    assert (salted == 255).mean() == pytest.approx(0.085, abs=0.003)
    assert (salted == 0).mean() == pytest.approx(0.085, abs=0.003)
    shot = CORRUPTIONS["shot_noise"](images, 1)
    assert not shot[images == 0].any()
    grey = CORRUPTIONS["shot_noise"](np.full((50, 28, 28), 85, np.uint8), 1)  # mean of 1 photon
    assert (grey == 0).mean() == pytest.approx(np.exp(-1), abs=0.01)


def test_brightness_and_stripes(images: Images) -> None:
    bright = CORRUPTIONS["brightness"](images, 1)
    assert set(bright[images == 0].tolist()) <= {127, 128}
    assert (bright[images >= 128] == 255).all()
    striped = CORRUPTIONS["stripe"](images, 1)
    assert np.array_equal(striped[:, :, 7:21], images[:, :, 7:21])
    assert (striped[:, :, [0, 27]] == 255).mean() > 0.99


def test_lines_only_add_ink(images: Images) -> None:
    for name in ("dotted_line", "zigzag"):
        ink = CORRUPTIONS[name](images, 1).astype(int) - images
        assert ink.min() == 0
    dots = CORRUPTIONS["dotted_line"](np.zeros((50, 28, 28), np.uint8), 1)
    zigzag = CORRUPTIONS["zigzag"](np.zeros((50, 28, 28), np.uint8), 1)
    assert (dots.max(axis=(1, 2)) > 180).all()
    assert zigzag.sum() > 1.5 * dots.sum()


def test_blur_keeps_the_ink_and_spreads_it() -> None:
    dot = np.zeros((100, 28, 28), np.uint8)
    dot[:, 13:15, 13:15] = 255
    for name in ("motion_blur", "glass_blur"):
        blurred = CORRUPTIONS[name](dot, 1)
        assert blurred.sum() / dot.sum() == pytest.approx(1, abs=0.05)
        assert blurred.max() < 255
    trail = centre(CORRUPTIONS["motion_blur"](dot, 1)) - 13.5
    assert np.abs(trail[:, 0] / trail[:, 1]).max() <= 1.05  # within 45° of level


def test_edges_are_thin_and_do_not_depend_on_neighbours(images: Images) -> None:
    square = np.zeros((1, 28, 28), np.uint8)
    square[:, 8:20, 8:20] = 255
    edges = CORRUPTIONS["canny_edges"](square, 1)[0]
    assert set(np.unique(edges)) == {0, 255}
    assert not edges[11:17, 11:17].any()  # nothing inside
    assert (edges[13] > 0).sum() == 2  # one pixel on either side
    together = CORRUPTIONS["canny_edges"](images[:20], 1)
    alone = np.concatenate([CORRUPTIONS["canny_edges"](i[None], 1) for i in images[:20]])
    assert np.array_equal(together, alone)


def test_fog_and_mud_hide_but_do_not_invent(images: Images) -> None:
    black = np.zeros((20, 28, 28), np.uint8)
    assert not CORRUPTIONS["fog"](black, 1).any()  # as bright as the picture allows: not at all
    fogged = CORRUPTIONS["fog"](images, 1)
    assert (fogged.mean(axis=(1, 2)) > images.mean(axis=(1, 2))).mean() > 0.95
    assert (fogged.max(axis=(1, 2)) < images.max(axis=(1, 2))).mean() > 0.95
    spattered = CORRUPTIONS["spatter"](black, 1)
    assert spattered.max() <= 64
    assert 0.02 < (spattered > 32).mean() < 0.4
