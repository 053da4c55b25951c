"""Tables and pages of digits, drawn for the tests, and what must be found on them."""

import numpy as np
from PIL import Image, ImageDraw

from digits.data.mnist import Mnist
from digits.layout import structure
from digits.layout.structure import Layout
from digits.pictures.grey import Grey
from digits.pictures.masks import wider

INK, PAPER = 255, 0


def digit(mnist: Mnist, i: int, height: int) -> Image.Image:
    """One of MNIST's validation digits, without its margin, so high."""
    image = mnist.train_images[-1 - i]
    image = image[np.ix_(image.any(axis=1), image.any(axis=0))]
    width = max(2, round(image.shape[1] * height / image.shape[0]))
    return Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)


def grid(
    mnist: Mnist, rows: int, columns: int, side: tuple[int, int], wall: int, tone: int = INK
) -> tuple[Image.Image, Image.Image]:
    """A grid of cells, with a digit in each; the digits alone, and with walls around them."""
    width, height = side
    digits = Image.new("L", (columns * width + 60, rows * height + 60), PAPER)
    for row in range(rows):
        for column in range(columns):
            one = digit(mnist, row * columns + column, height * 3 // 5)
            left = 30 + column * width + (width - one.width) // 2
            digits.paste(one, (left, 30 + row * height + height // 5), one)
    page = digits.copy()
    pen = ImageDraw.Draw(page)
    for row in range(rows + 1):
        y = 30 + row * height
        pen.line((30, y, 30 + columns * width, y), tone, wall)
    for column in range(columns + 1):
        x = 30 + column * width
        pen.line((x, 30, x, 30 + rows * height), tone, wall)
    return digits, page


def turned(image: Image.Image, degrees: float, squeeze: float = 0.0) -> Image.Image:
    """The picture turned, with its far side `squeeze` narrower than the near one."""
    turned = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    width, height = turned.size
    inset = squeeze * width / 2
    near = (-inset, 0, inset / 2, height, width - inset / 2, height, width + inset, 0)
    return turned.transform(turned.size, Image.Transform.QUAD, near, Image.Resampling.BICUBIC)


def found_in(picture: Image.Image) -> Layout:
    return structure.find(np.asarray(picture))


def assert_places(found: Layout, rows: int, columns: int) -> None:
    places = [(cell.row, cell.column) for cell in found.cells]
    assert places == [(row, column) for row in range(rows) for column in range(columns)]
    for number, cell in enumerate(found.cells, 1):
        y, x = np.nonzero(found.cell_map == number)
        assert (x.min(), y.min()) == (cell.box.x, cell.box.y)
        assert (x.max() + 1, y.max() + 1) == (cell.box.right, cell.box.bottom)


def assert_same_ink(found: Grey, digits: Image.Image, lost: float = 0.03) -> None:
    """What was written is there, and nothing else but specks."""
    truth = np.asarray(digits) > 127
    assert (truth & (found <= 127)).sum() <= lost * truth.sum()
    assert ((found > 127) & ~wider(wider(truth))).sum() <= 0.02 * truth.sum()


def strokes(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (120, 400)) -> Grey:
    page = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        page[y : y + height, x : x + width] = INK
    return page
