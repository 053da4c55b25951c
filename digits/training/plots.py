"""Evaluation and history -> figures.

Each function writes one PNG file at `path`, in place of what is there, and raises OSError if it
cannot. `images` are uint8 of shape (n, 28, 28), ink 255 on 0, in the order of the evaluation.
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

INK, QUIET, GOOD, BAD = "#1f2933", "#8a94a0", "#2a6f97", "#c8553d"
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
def training_curves(history: Sequence[Epoch], path: Path) -> None:
    """Accuracy and loss over epochs, on training and on validation images."""
    epochs = [line.epoch for line in history]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    for values, colour, label in (
        ([100 * line.accuracy for line in history], QUIET, "training"),
        ([100 * line.validation_accuracy for line in history], GOOD, "validation"),
    ):
        left.plot(epochs, values, "o-", color=colour, label=f"{label}, last {values[-1]:.2f} %")
    for values, colour, label in (
        ([line.loss for line in history], QUIET, "training"),
        ([line.validation_loss for line in history], GOOD, "validation"),
    ):
        right.plot(epochs, values, "o-", color=colour, label=f"{label}, last {values[-1]:.4f}")
    left.set(title="Accuracy (%)", xlabel="epoch")
    right.set(title="Loss (nats)", xlabel="epoch", ylim=(0, None))
    for axes in (left, right):
        axes.set_xlim(0.5, len(epochs) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y", color="#e4e7eb")
        axes.legend(frameon=False)
    _save(figure, path)


@_styled()
def confusion_matrix(evaluation: Evaluation, path: Path) -> None:
    """The confusion matrix with colour for errors alone: the diagonal would drown them."""
    counts = evaluation.confusion
    diagonal = np.eye(len(counts), dtype=bool)
    text = np.where(counts > 0, counts.astype(str), "")
    figure, axes = plt.subplots(figsize=(6.4, 5.6))
    sns.heatmap(
        np.where(diagonal, 0, counts),
        annot=text,
        fmt="",
        cmap=sns.light_palette(BAD, as_cmap=True),
        vmin=0,
        vmax=max(1, counts[~diagonal].max()),
        square=True,
        linewidths=1,
        linecolor="white",
        cbar_kws={"label": "images misread", "shrink": 0.8},
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
    _save(figure, path)


@_styled()
def examples(images: Bytes, evaluation: Evaluation, path: Path, count: int = 40) -> None:
    """The first `count` images with their true digit and what they were read as."""
    shown = np.arange(min(count, len(images)))
    captions = [
        (
            f"{evaluation.labels[i]} read as {evaluation.predictions[i]}",
            GOOD if evaluation.predictions[i] == evaluation.labels[i] else BAD,
        )
        for i in shown
    ]
    _mosaic(images[shown], captions, path, columns=10)


@_styled()
def augmentations(rows: Sequence[AugmentationRow], title: str, path: Path) -> None:
    """Rows of pictures from `gallery.draw`, each with its name and amount at the left."""
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
    _save(figure, path)


@_styled()
def mistakes(images: Bytes, evaluation: Evaluation, path: Path) -> None:
    """Every misread image, the surest mistake first, with the probabilities behind it."""
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
    _mosaic(images[wrong], captions, path, columns=8 if len(wrong) <= 160 else 16)


@_styled()
def suspects(parts: Sequence[tuple[str, Bytes, Sequence[dict[str, Any]]]], path: Path) -> None:
    """Images whose labels are disputed.

    Each part has a title, images, and of each image its `index`, `label`, what it is `read_as`, and
    the `probability` of that.
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
        height += high + 14  # and the title
        axes.set_title(title, fontsize=11, pad=10)
    figure.suptitle(
        "Index, label → read as, probability", x=0.005, ha="left", fontsize=9, color=QUIET
    )
    figure.set_size_inches(width / 34, (height + 8) / 34)
    _save(figure, path)


@_styled()
def reliability(evaluation: Evaluation, path: Path) -> None:
    """How often a prediction is right, against how sure it was; below, how many were that sure."""
    confidence = evaluation.probabilities.max(axis=1)
    bins = calibration_bins(confidence, evaluation.predictions == evaluation.labels)
    count, sure, right = bins[bins[:, 0] > 0].T
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(5.4, 5.4), sharex=True, height_ratios=(3, 1)
    )
    above.plot([0, 1], [0, 1], "--", color=QUIET, label="as sure as right")
    low, high = np.array(
        [wilson_interval(round(share * n), round(n)) for share, n in zip(right, count, strict=True)]
    ).T
    above.errorbar(
        sure,
        right,
        # a share of 0 or 1 can lie a rounding error outside its own interval
        yerr=np.maximum([right - low, high - right], 0),
        fmt="o",
        color=GOOD,
        ecolor=QUIET,
        elinewidth=1,
        label="measured, with 95 % interval",
    )
    above.set(
        title=f"Expected calibration error {evaluation.ece:.2%}",
        ylabel="fraction right",
        xlim=(0, 1.02),
        ylim=(-0.02, 1.04),
    )
    above.legend(frameon=False, loc="upper left")
    below.bar(sure, count, width=0.04, color=GOOD)
    below.set(xlabel="probability of the digit read", ylabel="images", yscale="log")
    for axes in (above, below):
        axes.grid(axis="y", color="#e4e7eb")
    _save(figure, path)


def _mosaic(images: Bytes, captions: Sequence[tuple[str, str]], path: Path, columns: int) -> None:
    """Draws pictures in rows, each above its caption (text, colour)."""
    figure, axes = plt.subplots()
    height, width = _tiles(axes, images, captions, columns)
    figure.set_size_inches(width / 34, height / 34)
    _save(figure, path)


def _tiles(
    axes: Axes, images: Bytes, captions: Sequence[tuple[str, str]], columns: int
) -> tuple[int, int]:
    """Draws pictures in rows on axes, and returns the height and width of all, in their pixels."""
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


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=130)
    plt.close(figure)
