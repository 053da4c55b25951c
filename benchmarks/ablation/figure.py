"""The figure of the ablation: what each augmentation gains, and which digits mirroring harms."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # files only: works without a screen
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.ablation.effects import Effect, Metric, alone, mnist, of_digit, on_top, others
from benchmarks.ablation.plan import AUGMENTATIONS, FLIPS
from benchmarks.ablation.tables import in_words
from benchmarks.harness.json_lines import Lines
from digits.reporting.plots import BAD, GOOD, GRID, INK, QUIET, STYLE

TOGETHER = "all that the recipe uses"
TICKS = (0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)  # and their negatives


def draw(lines: Lines, path: Path) -> Figure:
    """Writes the figure as a PNG, and returns it, closed.

    Raises:
        OSError: the file cannot be written.
    """
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(9.4, 7.6))
        grid = figure.add_gridspec(2, 2, height_ratios=(2.3, 1))
        left = figure.add_subplot(grid[0, 0])
        right = figure.add_subplot(grid[0, 1], sharey=left)
        _effects(left, lines, mnist, 0.2, "MNIST, 20,000 digits")
        _effects(right, lines, others, 1, "Handwriting that is not MNIST, four sets")
        right.tick_params(labelleft=False)
        names = [*(in_words(lines, field)[0] for field in AUGMENTATIONS), TOGETHER]
        left.set_yticks(range(len(names)), names)
        left.set_ylim(len(names) - 0.5, -0.5)
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, frameon=False, loc="outside upper right", ncols=2)
        _harm_of_flips(figure.add_subplot(grid[1, :]), lines)
        figure.savefig(path, dpi=130)
        plt.close(figure)
    return figure


def _effects(axes: Axes, lines: Lines, metric: Metric, linear: float, title: str) -> None:
    """A row for each augmentation: alone, and on top of the others of the recipe.

    The axis is linear up to `linear` points and logarithmic beyond, where mirroring is.
    """
    by_itself = [alone(lines, row, metric) for row in (*AUGMENTATIONS, "all")]
    added = [on_top(lines, field, metric) for field in AUGMENTATIONS]
    for place in range(0, len(by_itself), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="#f4f6f8", zorder=0)
    axes.axvline(0, color=QUIET, linewidth=1, zorder=1)
    _dots(axes, by_itself, -0.16, GOOD, "o", "compared with no augmentation")
    _dots(axes, added, 0.16, BAD, "D", "on top of the others of the recipe")
    axes.set_xscale("symlog", linthresh=linear)
    low, high = axes.get_xlim()
    ticks = sorted({sign * tick for tick in TICKS for sign in (-1, 1)})
    shown = [tick for tick in ticks if low <= tick <= high and not 0 < abs(tick) < linear / 2]
    axes.set_xticks(
        shown, [f"{tick:+g}".replace("-", "−") if tick else "0" for tick in shown], minor=False
    )
    axes.set_xticks([], minor=True)
    axes.set_xlim(low, high)
    axes.set(title=title, xlabel="accuracy gained, percentage points")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _dots(
    axes: Axes, effects: list[Effect | None], offset: float, colour: str, marker: str, label: str
) -> None:
    """Means with their 95% intervals, and a small dot for each seed."""
    measured = [(place + offset, effect) for place, effect in enumerate(effects) if effect]
    for place, effect in measured:
        axes.plot([effect.low, effect.high], [place] * 2, color=colour, linewidth=1.6, alpha=0.7)
        axes.plot(effect.each, [place] * len(effect.each), ".", color=colour, alpha=0.45)
    places, means = [place for place, _ in measured], [effect.mean for _, effect in measured]
    axes.plot(means, places, marker, color=colour, markersize=5.5, label=label, zorder=3)


def _harm_of_flips(axes: Axes, lines: Lines) -> None:
    """What mirroring does to each digit of MNIST."""
    width = 0.36
    for side, (field, colour) in enumerate(zip(FLIPS, (INK, QUIET), strict=True)):
        effects = [alone(lines, field, of_digit(digit)) for digit in range(10)]
        means = np.array([effect.mean if effect else 0.0 for effect in effects])
        ends = np.array([(e.low, e.high) if e else (0.0, 0.0) for e in effects])
        name, amount = in_words(lines, field)
        axes.bar(
            np.arange(10) + (side - 0.5) * width,
            means,
            width * 0.92,
            color=colour,
            yerr=np.abs(ends - means[:, None]).T,
            ecolor=BAD,
            error_kw={"linewidth": 1},
            label=name,
        )
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(10))
    axes.set(
        title=f"{amount} mirrored: each digit of MNIST",
        ylabel="read correctly,\npercentage points",
        xlabel="true digit",
    )
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
