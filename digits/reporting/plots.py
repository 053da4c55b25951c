"""Evaluation and history -> figures.

Each function writes one PNG file at `path`, replacing an earlier one, and returns the figure, which
is closed. It raises OSError if the file cannot be written. `images` are uint8 of shape (n, 28, 28),
ink 255 on 0, in the order of the evaluation.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # files only: works without a screen
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
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
SERIES = ((QUIET, "o-"), (GOOD, "o-"), (GOOD, "D"))  # colour and style of each series in turn


@dataclass(frozen=True)
class AugmentationRow:
    """The same digits under one augmentation, as `augmentations` draws them.

    Attributes:
        name: of the augmentation, in plain words.
        amount: how much of it, with its unit.
        used: whether the recipe uses it.
        images: uint8 of shape (n, 28, 28), ink 255 on 0.
    """

    name: str
    amount: str
    used: bool
    images: Bytes


@contextmanager
def _styled() -> Iterator[None]:
    with plt.rc_context(STYLE):
        yield


@_styled()
def training_curves(history: Sequence[Epoch], calibrated_loss: float, path: Path) -> Figure:
    """Accuracy and loss on training and on validation images, epoch by epoch.

    A single epoch makes no curve, so its figures are drawn as bars.

    Args:
        history: one epoch or more; its losses are measured before calibration.
        calibrated_loss: of the calibrated network on the validation images, in nats.
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
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.2, 2.4 if single else 3.3))
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
    axes.tick_params(axis="y", length=0)


@_styled()
def confusion_matrix(evaluation: Evaluation, path: Path) -> Figure:
    """The confusion matrix, with only errors in colour: the diagonal would hide them."""
    counts = evaluation.confusion
    diagonal = np.eye(len(counts), dtype=bool)
    text = np.where(counts > 0, counts.astype(str), "")
    figure, axes = plt.subplots(figsize=(6.4, 5.6))
    sns.heatmap(
        np.where(diagonal, 0, counts),
        annot=text,
        fmt="",
        cmap=sns.light_palette(HEAT, as_cmap=True),
        vmin=0,
        vmax=max(1, counts[~diagonal].max()),
        square=True,
        linewidths=1,
        linecolor="white",
        cbar_kws={
            "label": "misread images",
            "shrink": 0.8,
            "ticks": MaxNLocator(integer=True),
        },
        ax=axes,
    )
    for digit in range(len(counts)):
        axes.add_patch(Rectangle((digit, digit), 1, 1, color="#e9eef2", zorder=0.5))
    axes.collections[0].set_zorder(0)
    for label in axes.texts:
        label.set_fontsize(9)
        label.set_color(INK)
    axes.set(
        title=f"{evaluation.errors} of {len(evaluation.labels):,} misread",
        xlabel="read as",
        ylabel="true digit",
    )
    axes.tick_params(length=0)
    plt.setp(axes.get_yticklabels(), rotation=0)
    return _save(figure, path)


@_styled()
def examples(images: Bytes, evaluation: Evaluation, path: Path) -> Figure:
    """The first 40 images, with their label and what they were read as."""
    shown = np.arange(min(EXAMPLES, len(images)))
    captions = [
        (
            f"{evaluation.labels[i]} read as {evaluation.predictions[i]}",
            GOOD if evaluation.predictions[i] == evaluation.labels[i] else BAD,
        )
        for i in shown
    ]
    return _mosaic(images[shown], captions, path, columns=10)


@_styled()
def augmentations(rows: Sequence[AugmentationRow], title: str, path: Path) -> Figure:
    """Rows of pictures, each with the name and amount of its augmentation at the left."""
    side, pitch, label = 28, 32, 118  # pixels of digits
    columns = len(rows[0].images)
    page = np.full((len(rows) * pitch, columns * pitch), 255, np.uint8)
    figure, axes = plt.subplots(figsize=((page.shape[1] + label) / 42, (len(page) + 24) / 42))
    for index, row in enumerate(rows):
        top = index * pitch
        for left, image in zip(range(0, page.shape[1], pitch), row.images, strict=True):
            page[top : top + side, left : left + side] = 255 - image
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


@_styled()
def mistakes(images: Bytes, evaluation: Evaluation, path: Path) -> Figure:
    """Every misread image, most confident first, with the probability of each of the two digits."""
    wrong = evaluation.mistakes
    captions = [
        (
            f"{evaluation.labels[i]} read as {evaluation.predictions[i]}\n"
            f"{evaluation.probabilities[i].max():.0%} against "
            f"{evaluation.probabilities[i, evaluation.labels[i]]:.0%}",
            INK,
        )
        for i in wrong
    ]
    return _mosaic(images[wrong], captions, path, columns=8 if len(wrong) <= 160 else 16)


@_styled()
def suspects(parts: Sequence[tuple[str, Bytes, Sequence[dict[str, Any]]]], path: Path) -> Figure:
    """Images whose labels may be wrong.

    Each part has a title, images and, for each image, its `index`, its `label`, the digit that it
    is `read_as`, and the `probability` of that digit.
    """
    columns = 8
    rows = [max(1, math.ceil(len(images) / columns)) for _, images, _ in parts]
    figure, grid = plt.subplots(len(parts), 1, squeeze=False, height_ratios=rows)
    height = width = 0
    for axes, (title, images, lines) in zip(grid[:, 0], parts, strict=True):
        captions = [
            (f"{x['index']}\n{x['label']} → {x['read_as']}, {x['probability']:.0%}", INK)
            for x in lines
        ]
        high, width = _tiles(axes, images, captions, columns)
        height += high + 14  # for the title
        axes.set_title(title, fontsize=11, pad=10)
    figure.suptitle(
        "Index, label → read as, probability", x=0.005, ha="left", fontsize=9, color=QUIET
    )
    figure.set_size_inches(width / 34, (height + 8) / 34)
    return _save(figure, path)


@_styled()
def reliability(evaluation: Evaluation, path: Path) -> Figure:
    """The reliability diagram: accuracy against confidence. Below it, how many images have each."""
    confidence = evaluation.probabilities.max(axis=1)
    bins = calibration_bins(confidence, evaluation.predictions == evaluation.labels)
    count, confident, right = bins[bins[:, 0] > 0].T
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(4.4, 4.8), sharex=True, height_ratios=(3, 1)
    )
    above.plot([0, 1], [0, 1], "--", color=QUIET, label="perfect calibration")
    low, high = np.array(
        [wilson_interval(round(share * n), round(n)) for share, n in zip(right, count, strict=True)]
    ).T
    above.errorbar(
        confident,
        right,
        # Rounding can put an accuracy of 0 or 1 just outside its own interval.
        yerr=np.maximum([right - low, high - right], 0),
        fmt="o",
        color=GOOD,
        ecolor=QUIET,
        elinewidth=1,
        label="95% interval",
    )
    above.set_title(f"Expected calibration error {evaluation.ece:.2%}", pad=24)
    above.set(
        ylabel="accuracy",
        xlim=(0, 1.02),
        ylim=(-0.02, 1.04),
    )
    above.legend(frameon=False, loc="lower left", bbox_to_anchor=(-0.03, 0.97), ncols=2, fontsize=9)
    below.bar(confident, count, width=0.04, color=GOOD)
    below.set(xlabel="confidence (probability of the digit)", ylabel="images", yscale="log")
    for axes in (above, below):
        axes.grid(axis="y", color=GRID)
    return _save(figure, path)


def _mosaic(images: Bytes, captions: Sequence[tuple[str, str]], path: Path, columns: int) -> Figure:
    """Draws pictures in rows, each with its caption (text, colour) below it."""
    figure, axes = plt.subplots()
    height, width = _tiles(axes, images, captions, columns)
    figure.set_size_inches(width / 34, height / 34)
    return _save(figure, path)


def _tiles(
    axes: Axes, images: Bytes, captions: Sequence[tuple[str, str]], columns: int
) -> tuple[int, int]:
    """Draws pictures in rows, and returns the height and width of the whole in their pixels."""
    side, gap = 28, 10
    lines = 1 + max((text.count("\n") for text, _ in captions), default=0)
    height, width = side + 5 * lines + gap // 2, side + gap
    rows = max(1, math.ceil(len(images) / columns))
    page = np.zeros((rows * height, columns * width), np.uint8)
    for index, (image, (text, colour)) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(index, columns)
        top, left = row * height, column * width + gap // 2
        page[top : top + side, left : left + side] = image
        axes.text(
            left + side / 2, top + side + 2, text, color=colour, fontsize=8, ha="center", va="top"
        )
    axes.imshow(page, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    if not len(images):
        axes.text(page.shape[1] / 2, page.shape[0] / 2, "none", ha="center", va="center")
    axes.axis("off")
    return page.shape


def _save(figure: Figure, path: Path) -> Figure:
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return figure
