"""Evaluation and history -> figures.

Each function writes one PNG file at `path`, replacing an earlier one, and returns the figure. It
raises OSError if the file cannot be written. `images` are uint8 of shape (n, 28, 28), ink 255 on 0,
in the order of the evaluation.

Figures are made without pyplot: it needs no screen, and pyplot is the caller's, whose notebook
shows figures by it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from digits.data.mnist import Bytes
from digits.evaluation import Evaluation, calibration_bins, wilson_interval
from digits.runs.history import Epoch

# All have a contrast of at least 4.5:1 on white, so that each can be the colour of text.
INK, QUIET, GOOD, BAD = "#1f2933", "#616e7c", "#2a6f97", "#b5432b"
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
}
EXAMPLES = 40
HEAT = "#df8570"  # of the most frequent error; INK is readable on it
GRID = "#e4e7eb"
Tile = tuple[Bytes, str, str]  # picture, caption and the caption's colour
SERIES = ((QUIET, "o-"), (GOOD, "o-"), (GOOD, "D"))  # colour and style of each series in turn


@dataclass(frozen=True)
class AugmentationRow:
    """The same digits under one augmentation, as `augmentations` draws them."""

    name: str  # of the augmentation, in plain words
    amount: str  # how much of it, with its unit
    used: bool  # by the recipe
    images: Bytes


@matplotlib.rc_context(STYLE)
def training_curves(history: Sequence[Epoch], calibrated_loss: float, path: Path) -> Figure:
    """Accuracy and loss on training and on validation images, epoch by epoch.

    A single epoch makes no curve, so its figures are drawn as bars. The losses of the history are
    measured before calibration, `calibrated_loss` after it; both are in nats.
    """
    accuracy = {
        "training": [100 * epoch.accuracy for epoch in history],
        "validation": [100 * epoch.validation_accuracy for epoch in history],
    }
    loss = {
        "training": [epoch.loss for epoch in history],
        "validation": [epoch.validation_loss for epoch in history],
        "validation, calibrated": [calibrated_loss],
    }
    single = len(history) == 1
    figure = _figure(8.2, 2.4 if single else 3.3)
    left, right = figure.subplots(1, 2)
    draw = _bars if single else _curves
    draw(left, accuracy, "{:.2f}%")
    draw(right, loss, "{:.4f}")
    left.set_title("Accuracy (%)")
    right.set_title("Loss (nats)")
    return _save(figure, path)


def _curves(axes: Axes, series: dict[str, list[float]], number: str) -> None:
    """Draws values over epochs; a single value belongs to the last epoch."""
    last = max(map(len, series.values()))
    for (name, values), (colour, style) in zip(series.items(), SERIES, strict=False):
        epochs = range(last - len(values) + 1, last + 1)
        label = f"{name}, {number.format(values[-1])}"
        axes.plot(epochs, values, style, color=colour, label=label)
    axes.set(xlabel="epoch", xlim=(0.5, last + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=GRID)
    axes.legend(frameon=False, title="last epoch", alignment="left")


def _bars(axes: Axes, series: dict[str, list[float]], number: str) -> None:
    """Draws the only value of each series as a bar."""
    values = [value for (value,) in series.values()]
    names = [name.replace(", ", ",\n") for name in series]
    colours = [colour for colour, _ in SERIES[: len(series)]]
    bars = axes.barh(names, values, height=0.6, color=colours)
    axes.bar_label(bars, [number.format(value) for value in values], padding=4)
    axes.set(xlabel="after one epoch", xlim=(0, 1.3 * max(values)), ylim=(len(SERIES) - 0.5, -0.5))
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= 1.01 * max(values)])
    axes.tick_params(axis="y", length=0)


@matplotlib.rc_context(STYLE)
def confusion_matrix(evaluation: Evaluation, path: Path) -> Figure:
    """The confusion matrix, with only errors in colour: the diagonal would hide them."""
    counts = evaluation.confusion
    diagonal = np.eye(len(counts), dtype=bool)
    figure = _figure(6.4, 5.6)
    axes = figure.subplots()
    sns.heatmap(
        np.where(diagonal, 0, counts),
        annot=np.where(counts > 0, counts.astype(str), ""),
        annot_kws={"fontsize": 9, "color": INK},
        fmt="",
        cmap=sns.light_palette(HEAT, as_cmap=True),
        vmin=0,
        vmax=max(1, counts[~diagonal].max()),
        square=True,
        linewidths=1,
        linecolor="white",
        cbar_kws={"label": "misread images", "shrink": 0.8, "ticks": MaxNLocator(integer=True)},
        ax=axes,
    )
    for digit in range(len(counts)):
        axes.add_patch(Rectangle((digit, digit), 1, 1, color="#e9eef2", zorder=0.5))
    axes.collections[0].set_zorder(0)
    axes.set_title(f"{evaluation.errors} of {len(evaluation.labels):,} misread")
    axes.set(xlabel="read as", ylabel="label")
    axes.tick_params(length=0)
    for name in axes.get_yticklabels():
        name.set_rotation(0)
    return _save(figure, path)


@matplotlib.rc_context(STYLE)
def examples(images: Bytes, evaluation: Evaluation, path: Path) -> Figure:
    """The first 40 images, with their label and what they were read as."""
    tiles = []
    for index, label in enumerate(evaluation.labels[:EXAMPLES]):
        colour = GOOD if evaluation.probabilities[index].argmax() == label else BAD
        tiles.append((images[index], _reading(evaluation, index), colour))
    return _mosaic([("", tiles)], 10, path)


@matplotlib.rc_context(STYLE)
def augmentations(rows: Sequence[AugmentationRow], title: str, path: Path) -> Figure:
    """Rows of pictures, each with the name and amount of its augmentation at the left."""
    side, pitch, label = 28, 32, 118  # pixels of digits
    page = 255 - np.block([[np.pad(x, (0, pitch - side)) for x in row.images] for row in rows])
    figure = _figure((page.shape[1] + label) / 42, (len(page) + 24) / 42)
    axes = figure.subplots()
    for index, row in enumerate(rows):
        top = index * pitch
        for left in range(0, page.shape[1], pitch):
            edge = Rectangle((left - 1, top - 1), side + 1, side + 1, fill=False, color="#d5dbe1")
            axes.add_patch(edge)
        amount = row.amount if row.used else f"not used; shown: {row.amount}"
        colour = INK if row.used else QUIET
        style: dict[str, Any] = {"x": -8, "color": colour, "ha": "right"}
        axes.text(y=top + 12.5, s=row.name, va="bottom", fontweight="bold", **style)
        axes.text(y=top + 15, s=amount, va="top", fontsize=8.5, **style)
    axes.imshow(page, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xlim=(-label, page.shape[1] - 3), ylim=(len(page) - 2, -17))
    axes.text(-1, -12, title, va="center", fontsize=11)
    axes.axis("off")
    return _save(figure, path)


@matplotlib.rc_context(STYLE)
def mistakes(images: Bytes, evaluation: Evaluation, path: Path) -> Figure:
    """Every misread image, most confident first, with the probability of each of the two digits."""
    tiles = []
    for index in evaluation.mistakes:
        given = evaluation.probabilities[index]
        both = f"{given.max():.0%} against {given[evaluation.labels[index]]:.0%}"
        tiles.append((images[index], f"{_reading(evaluation, index)}\n{both}", INK))
    return _mosaic([("", tiles)], 8 if len(tiles) <= 160 else 16, path)


def _reading(evaluation: Evaluation, index: int) -> str:
    return f"{evaluation.labels[index]} read as {evaluation.probabilities[index].argmax()}"


@matplotlib.rc_context(STYLE)
def suspects(parts: Sequence[tuple[str, Bytes, Sequence[dict[str, Any]]]], path: Path) -> Figure:
    """Images whose labels may be wrong.

    Each part has a title, images and, for each image, its `index`, its `label`, the digit that it
    is `read_as`, and the `probability` of that digit.
    """
    mosaics = []
    for title, images, lines in parts:
        captions = [
            f"{x['index']}\n{x['label']} → {x['read_as']}, {x['probability']:.0%}" for x in lines
        ]
        mosaics.append((title, list(zip(images, captions, repeat(INK)))))
    return _mosaic(mosaics, 8, path, "Index, label → read as, probability")


@matplotlib.rc_context(STYLE)
def reliability(evaluation: Evaluation, path: Path) -> Figure:
    """The reliability diagram: accuracy against confidence. Below it, how many images have each."""
    confidence = evaluation.probabilities.max(axis=1)
    bins = calibration_bins(confidence, evaluation.predictions == evaluation.labels)
    bins = bins[bins[:, 0] > 0]
    count, confident, right = bins.T
    low, high = np.transpose([wilson_interval(round(r * n), round(n)) for n, _, r in bins])
    # Rounding can put an accuracy of 0 or 1 just outside its own interval.
    errors = np.maximum([right - low, high - right], 0)
    figure = _figure(4.4, 4.8)
    both = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above, below = both
    above.plot([0, 1], [0, 1], "--", color=QUIET, label="perfect calibration")
    style = {"fmt": "o", "color": GOOD, "ecolor": QUIET, "elinewidth": 1}
    above.errorbar(confident, right, errors, label="95% interval", **style)
    above.set_title(f"Expected calibration error {evaluation.ece:.2%}", pad=24)
    above.set(ylabel="accuracy", xlim=(0, 1.02), ylim=(-0.02, 1.04))
    above.legend(frameon=False, loc="lower left", bbox_to_anchor=(-0.03, 0.97), ncols=2, fontsize=9)
    below.bar(confident, count, width=0.04, color=GOOD)
    below.set(xlabel="confidence (probability of the digit)", ylabel="images", yscale="log")
    for axes in both:
        axes.grid(axis="y", color=GRID)
    return _save(figure, path)


def _mosaic(
    parts: Sequence[tuple[str, Sequence[Tile]]], columns: int, path: Path, heading: str = ""
) -> Figure:
    """Draws parts below each other, each a title, or "" for none, and its pictures in rows."""
    captions = [caption for _, tiles in parts for _, caption, _ in tiles]
    lines = 1 + max((caption.count("\n") for caption in captions), default=0)
    side, gap = 28, 10  # pixels of digits, as all that follows
    pitch, width = side + 5 * lines + gap // 2, side + gap
    heights = [max(1, math.ceil(len(tiles) / columns)) * pitch for _, tiles in parts]
    total = sum(heights) + 14 * sum(bool(title) for title, _ in parts) + 8 * bool(heading)
    figure = _figure(columns * width / 34, total / 34)
    grid = figure.subplots(len(parts), 1, squeeze=False, height_ratios=heights)
    for axes, (title, tiles), height in zip(grid[:, 0], parts, heights, strict=True):
        page = np.zeros((height, columns * width), np.uint8)
        for index, (image, caption, colour) in enumerate(tiles):
            top, left = index // columns * pitch, index % columns * width + gap // 2
            page[top : top + side, left : left + side] = image
            style: dict[str, Any] = {"color": colour, "fontsize": 8, "ha": "center", "va": "top"}
            axes.text(left + side / 2, top + side + 2, caption, **style)
        axes.imshow(page, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        if not tiles:
            axes.text(columns * width / 2, height / 2, "none", ha="center", va="center")
        axes.axis("off")
        axes.set_title(title, fontsize=11, pad=10)
    figure.suptitle(heading, x=0.005, ha="left", fontsize=9, color=QUIET)
    return _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)  # on which Seaborn measures text
    return figure


def _save(figure: Figure, path: Path) -> Figure:
    figure.savefig(path, dpi=130)
    return figure
