"""Does what the model card says that goes wrong go wrong?

If one of these fails because reading got better, correct docs/model-card.md, README.md and
docs/how-to/read-pictures.md.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digits import Reader
from digits.data.mnist import Mnist

SIDE = 84  # pixels, of a digit's frame


def written(text: str, mnist: Mnist) -> NDArray[np.uint8]:
    """Digits of MNIST and signs in a row, dark on white, uint8 of shape (h, w)."""
    cells = []
    for sign in text:
        cell = Image.new("L", (60, SIDE))
        draw = ImageDraw.Draw(cell)
        if sign == ".":
            draw.ellipse((26, 62, 34, 70), fill=255)
        elif sign == "-":
            draw.line((8, 42, 52, 42), fill=255, width=7)
        elif sign == "/":
            draw.line((47, 10, 13, 74), fill=255, width=7)
        elif sign != " ":
            digit = mnist.train_images[np.flatnonzero(mnist.train_labels == int(sign))[-4]]
            cell = Image.fromarray(digit).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        cells.append(np.asarray(cell))
    return np.pad(np.hstack(cells), 30)


@pytest.mark.parametrize(
    ("text", "read"), [("3.14", "314"), ("-27", "27"), ("12 345", "12345"), ("3/4", "314")]
)
def test_signs_and_gaps(text: str, read: str, mnist: Mnist) -> None:
    page = Reader().read(255 - written(text, mnist))
    assert page.digits == read
    assert all(reading.accepted for reading in page.readings)
