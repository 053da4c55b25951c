"""What a notebook shows of a page and of a reading."""

import io

import numpy as np
from PIL import Image

from digits.data.mnist import Mnist
from digits.reading.annotation import SHOWN, draw
from digits.reading.reader import Reader


def shown(of: object) -> Image.Image:
    content = of._repr_png_()  # type: ignore[attr-defined]  # the name that IPython looks for
    return Image.open(io.BytesIO(content))


def test_a_page_is_shown_as_its_picture_with_what_was_read(mnist: Mnist) -> None:
    picture = np.full((120, 200), 255, np.uint8)
    picture[40:68, 60:88] -= mnist.train_images[0]
    page = Reader().read(picture)
    assert page.picture is not None
    assert np.array_equal(page.picture, picture)
    expected = draw(picture, page)
    assert np.array_equal(np.asarray(shown(page)), np.asarray(expected))


def test_a_large_picture_is_shown_in_a_size_that_fits_a_notebook() -> None:
    page = Reader().read(np.full((900, 3000), 255, np.uint8))
    assert shown(page).size[0] == SHOWN


def test_many_pages_do_not_keep_their_pictures() -> None:
    (page,) = Reader().read_many([np.full((60, 60), 255, np.uint8)])
    assert not isinstance(page, Exception)
    assert page.picture is None
    assert page._repr_png_() is None


def test_a_reading_is_shown_as_its_canvas(mnist: Mnist) -> None:
    reading = Reader().classify(mnist.train_images[0])
    assert np.array_equal(np.asarray(shown(reading)), reading.canvas)
