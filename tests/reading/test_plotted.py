"""Digits as Matplotlib shows them: every tutorial's picture of MNIST."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from digits import Reader
from digits.data.mnist import Mnist

FIRST = 55_000  # of the training images that are held out
READER = Reader()


def png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    return file.getvalue()


@pytest.mark.parametrize("colours", ["viridis", "gray", "gray_r", "Blues"])
def test_a_plotted_digit_is_read_without_its_scales(colours: str, mnist: Mnist) -> None:
    for i in range(FIRST, FIRST + 5):
        figure, axes = plt.subplots()
        axes.imshow(mnist.train_images[i], cmap=colours)
        axes.set_title("Label: 3")
        assert READER.read(png(figure)).text == str(mnist.train_labels[i])


def test_a_grid_of_tiles_is_lines_of_digits(mnist: Mnist) -> None:
    figure, grid = plt.subplots(2, 5, figsize=(10, 5))
    for place, axes in enumerate(np.ravel(grid)):
        axes.imshow(mnist.train_images[FIRST + place], cmap="gray")
        axes.axis("off")
    labels = "".join(map(str, mnist.train_labels[FIRST : FIRST + 10].tolist()))
    assert READER.read(png(figure)).lines == (labels[:5], labels[5:])


@pytest.mark.parametrize("ticks", [False, True])
def test_a_grid_of_plots_is_a_table(ticks: bool, mnist: Mnist) -> None:
    figure, grid = plt.subplots(4, 5, figsize=(10, 8))
    for place, axes in enumerate(np.ravel(grid)):
        axes.imshow(mnist.train_images[FIRST + place], cmap="binary")
        axes.tick_params(left=ticks, bottom=ticks, labelleft=ticks, labelbottom=ticks)
    page = READER.read(png(figure))
    assert [(cell.row, cell.column) for cell in page.cells] == [(i // 5, i % 5) for i in range(20)]
    right = sum(
        cell.text == str(label)
        for cell, label in zip(page.cells, mnist.train_labels[FIRST:], strict=False)
    )
    assert right >= 19
    assert len(page.text.split("\n")) == 4
