"""Draws docs/figures/steps.png, a picture at each step of reading: python docs/draw_steps.py"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from digits import Reader, pictures
from digits.layout import ink
from digits.reading.page import Reading

FIGURES = Path(__file__).parent / "figures"
SHEET = FIGURES / "sheet.jpg"
BLUE = "#1450b4"


def main() -> None:
    reader = Reader()
    grey, page = pictures.load(SHEET), reader.read(SHEET)
    figure = plt.figure(figsize=(10, 5.3), dpi=110, layout="constrained")
    whole, digits = np.asarray(figure.subfigures(2, 1, height_ratios=[2, 3]))
    panels = whole.subplots(1, 3)
    titles = "1. grey pixels", "2. ink on exactly 0", "3–5. pieces, read and accepted"
    shown = grey, ink.find(grey).map, grey
    for axes, title, pixels in zip(panels, titles, shown, strict=True):
        axes.imshow(pixels, cmap="grey", vmin=0, vmax=255)
        titled(axes, title)
    for reading in page.readings:
        x, y, width, height = reading.box
        panels[2].add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=BLUE))
    rows = digits.subplots(4, 6, height_ratios=[3, 1, 3, 1])
    digits.suptitle("What the network sees of each, and its ten probabilities", fontsize=10)
    for number, reading in enumerate(page.readings):
        row, column = divmod(number, 6)
        seen = reader.outputs("canvas", reading.canvas)["digit"][0]
        rows[2 * row, column].imshow(seen, cmap="grey", vmin=0, vmax=255)
        rows[2 * row, column].axis("off")
        bars(rows[2 * row + 1, column], reading)
    figure.savefig(FIGURES / "steps.png")


def titled(axes: Axes, title: str) -> None:
    """A panel without an axis."""
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])


def bars(axes: Axes, reading: Reading) -> None:
    """The probabilities of the digits 0 to 9, and which is the most likely."""
    axes.bar(np.arange(10), reading.probabilities, color=BLUE)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_xticks([reading.digit])
    axes.tick_params(length=0, labelsize=8, pad=1)
    axes.set_xlim(-0.7, 9.7)
    axes.spines[["top", "left", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
