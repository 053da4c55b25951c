"""The grey of a picture in colours: brightness, unless it hides the ink."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_files import encoded
from PIL import Image

from digits import pictures
from digits.data.mnist import Mnist
from digits.pictures import colours
from digits.pictures.grey import Grey

Colour = tuple[int, int, int]

WHITE = (255, 255, 255)
YELLOW = (255, 235, 20)
CLEAR = {  # brightness shows these
    "black on white": ((0, 0, 0), WHITE),
    "blue on grey": ((40, 60, 150), (170, 172, 175)),
    "red on white": ((230, 30, 30), WHITE),
    "light green on white": ((80, 235, 20), WHITE),
    "white on green": ((250, 250, 250), (30, 90, 60)),
    "pencil on cream": ((150, 150, 148), (235, 230, 215)),
}
HIDDEN = {  # these it does not
    "yellow on white": (YELLOW, WHITE),
    "red on green of the same brightness": ((220, 40, 40), (20, 150, 45)),
    "pink on cyan": ((250, 150, 190), (120, 205, 210)),
    "blue on violet": ((60, 60, 240), (150, 10, 160)),
}


def written(mnist: Mnist, ink: Colour, paper: Colour, side: int = 4) -> tuple[Image.Image, Grey]:
    """Three digits of MNIST in one colour on another, and how much of each pixel is ink, 0–255."""
    digits = np.hstack(list(mnist.train_images[[59_000, 59_004, 59_009]]))
    share = np.kron(np.pad(digits, 8), np.ones((side, side), np.uint8))
    part = share[:, :, None] / 255
    mixed = np.rint(np.array(ink) * part + np.array(paper) * (1 - part))
    return Image.fromarray(mixed.astype(np.uint8)), share


def marked(image: Image.Image, box: tuple[int, int, int, int], colour: Colour) -> Image.Image:
    """The picture with everything in a box printed over by a marker."""
    pixels = np.array(image)
    x, y, width, height = box
    window = pixels[y : y + height, x : x + width]
    window[:] = np.minimum(window, np.array(colour, np.uint8))
    return Image.fromarray(pixels)


def noisy(image: Image.Image, deviation: float) -> Image.Image:
    noise = np.random.default_rng(1).normal(0, deviation, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.array(image) + noise, 0, 255).astype(np.uint8))


def likeness(grey: Grey, share: Grey) -> float:
    """The correlation of darkness with the share of ink, after the noise is averaged a little."""
    blurred = np.asarray(Image.fromarray(grey).reduce(2), float)
    wanted = np.asarray(Image.fromarray(share).reduce(2), float)
    return -float(np.corrcoef(blurred.ravel(), wanted.ravel())[0, 1])


def luma(image: Image.Image) -> NDArray[np.uint8]:
    return np.array(image.convert("L"))


@pytest.mark.parametrize("case", CLEAR)
@pytest.mark.parametrize("side", [1, 4, 12])
def test_brightness_that_shows_the_ink_is_kept_to_the_bit(
    mnist: Mnist, case: str, side: int
) -> None:
    image, _ = written(mnist, *CLEAR[case], side)
    np.testing.assert_array_equal(colours.grey(image), luma(image))
    grainy = noisy(image, 6)
    np.testing.assert_array_equal(colours.grey(grainy), luma(grainy))


@pytest.mark.parametrize("case", HIDDEN)
@pytest.mark.parametrize("deviation", [0, 15])
def test_ink_that_differs_by_colour_alone_stands_out_dark(
    mnist: Mnist, case: str, deviation: float
) -> None:
    image, share = written(mnist, *HIDDEN[case])
    image = noisy(image, deviation) if deviation else image
    grey = colours.grey(image)
    assert likeness(grey, share) > 0.9
    contrast = np.median(grey[share == 0]) - np.median(grey[share == 255])
    assert contrast > 60
    if not deviation:
        assert grey[share == 0].min() >= 254


def test_ink_is_found_where_the_light_is_uneven(mnist: Mnist) -> None:
    image, share = written(mnist, YELLOW, (250, 250, 245))
    light = np.linspace(0.55, 1, image.width)[None, :, None]
    shaded = Image.fromarray((np.array(image) * light).astype(np.uint8))
    grey = colours.grey(shaded)
    assert likeness(grey, share) > 0.95


def test_one_hidden_digit_among_clear_ones_is_shown(mnist: Mnist) -> None:
    image, share = written(mnist, (20, 20, 160), WHITE)
    yellow, _ = written(mnist, YELLOW, WHITE)
    third = image.width // 3
    image.paste(yellow.crop((third, 0, 2 * third, image.height)), (third, 0))
    grey = colours.grey(image)
    assert likeness(grey, share) > 0.95
    assert likeness(luma(image), share) < 0.9


def test_a_marker_a_coloured_cell_and_a_stain_leave_the_brightness(mnist: Mnist) -> None:
    image, _ = written(mnist, (15, 15, 15), WHITE)
    for box in ((20, 20, 200, 130), (0, 0, 120, image.height), (330, 60, 60, 60)):
        coloured = marked(image, box, YELLOW)
        np.testing.assert_array_equal(colours.grey(coloured), luma(coloured))
    pale = marked(image, (200, 4, 10, 140), (255, 250, 215))
    np.testing.assert_array_equal(colours.grey(pale), luma(pale))


def test_files_and_arrays_are_read_by_colour_where_they_must_be(mnist: Mnist) -> None:
    for case, (ink, paper) in {**CLEAR, **HIDDEN}.items():
        image, share = written(mnist, ink, paper)
        plain = case in CLEAR
        png = pictures.load(encoded(image, "PNG"))
        np.testing.assert_array_equal(png, colours.grey(image))
        np.testing.assert_array_equal(pictures.load(np.array(image)), png)
        opaque = image.copy()
        opaque.putalpha(255)
        np.testing.assert_array_equal(pictures.load(np.array(opaque)), png)
        jpeg = encoded(image, "JPEG", quality=92)
        assert colours.hidden_in_jpeg(jpeg) != plain
        if plain:
            with Image.open(io.BytesIO(jpeg)) as file:
                file.draft("L", None)
                np.testing.assert_array_equal(pictures.load(jpeg), np.array(file))
        else:
            assert likeness(pictures.load(jpeg), share) > 0.9


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (15, 15), (17, 3), (28, 28), (3000, 1)])
def test_any_size_of_any_colours_is_bounded(size: tuple[int, int]) -> None:
    random = np.random.default_rng(2)
    noise = random.integers(0, 256, (*size, 3), np.uint8)
    assert colours.grey(Image.fromarray(noise)).shape == size
    red = np.zeros((*size, 3), np.uint8)
    red[..., 0] = 255
    assert np.ptp(colours.grey(Image.fromarray(red))) == 0
