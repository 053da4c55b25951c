"""Does each figure show the numbers, pictures and words that it is given?"""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.text import Text

from digits.data.mnist import Bytes, Mnist
from digits.evaluation import Evaluation, evaluate, wilson_interval
from digits.reporting import plots
from digits.runs.history import Epoch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "figure.png"


def some(mnist: Mnist, wrong: int, count: int = 300) -> tuple[Bytes, Evaluation]:
    """The first test digits with invented predictions. The first `wrong` of them are misread, each
    with more confidence than the one before."""
    labels = mnist.test_labels[:count].astype(int)
    answers = labels.copy()
    answers[:wrong] = (answers[:wrong] + 1) % 10
    confidence = np.full(count, 0.9)
    confidence[:wrong] = np.linspace(0.8, 0.5, wrong)[::-1]
    probabilities = np.repeat((1 - confidence[:, None]) / 9, 10, axis=1)
    probabilities[np.arange(count), answers] = confidence
    return mnist.test_images[:count], evaluate(labels, probabilities)


def words(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]


def above(axes: Axes, text: Text) -> Bytes:
    """The picture of 28×28 pixels right above a caption."""
    page, (middle, top) = np.asarray(axes.images[0].get_array()), text.get_position()
    return page[int(top) - 30 : int(top) - 2, int(middle) - 14 : int(middle) + 14]


def holds(page: Bytes, image: Bytes) -> bool:
    """Whether a picture stands somewhere in a larger one, pixel for pixel."""
    windows = np.lib.stride_tricks.sliding_window_view(page, image.shape)
    return bool((windows == image).all(axis=(2, 3)).any())


def test_the_file_is_the_figure(path: Path) -> None:
    history = [Epoch(i + 1, 1.0, 0.001, 0.5, 0.9, 0.5, 0.95) for i in range(3)]
    figure = plots.training_curves(history, 0.25, path)
    picture = matplotlib.image.imread(path)[..., :3]
    width, height = figure.get_size_inches() * 130
    assert picture.shape[:2] == pytest.approx((height, width), abs=1)
    drawn = {to_hex(colour) for colour in np.unique(picture.reshape(-1, 3), axis=0)}
    assert {plots.INK, plots.QUIET, plots.GOOD} <= drawn


def test_training_curves_are_those_of_the_history(path: Path) -> None:
    history = [Epoch(i, 1.0, 0.001, 1 / i, 1 - 0.5 / i, 0.5 / i, 1 - 0.2 / i) for i in range(1, 31)]
    accuracy, loss = plots.training_curves(history, 0.0125, path).axes
    assert (accuracy.get_title(loc="left"), accuracy.get_xlabel()) == ("Accuracy (%)", "epoch")
    assert (loss.get_title(loc="left"), loss.get_xlabel()) == ("Loss (nats)", "epoch")
    epochs = list(range(1, 31))
    for line, values in (
        (accuracy.lines[0], [100 * epoch.accuracy for epoch in history]),
        (accuracy.lines[1], [100 * epoch.validation_accuracy for epoch in history]),
        (loss.lines[0], [epoch.loss for epoch in history]),
        (loss.lines[1], [epoch.validation_loss for epoch in history]),
    ):
        np.testing.assert_array_equal(line.get_xdata(), epochs)
        np.testing.assert_allclose(np.asarray(line.get_ydata(), float), values)
    (calibrated,) = loss.lines[2:]
    np.testing.assert_array_equal(calibrated.get_xydata(), [(30, 0.0125)])
    assert legend(accuracy) == ["training, 98.33%", "validation, 99.33%"]
    assert legend(loss) == [
        "training, 0.0333",
        "validation, 0.0167",
        "validation, calibrated, 0.0125",
    ]


def test_a_single_epoch_is_drawn_as_bars(path: Path) -> None:
    """One dot on an axis of epochs would say nothing."""
    figure = plots.training_curves([Epoch(1, 9.0, 0.01, 0.25, 0.9, 0.125, 0.98)], 0.05, path)
    for axes, names, values, labels in (
        (figure.axes[0], ["training", "validation"], [90, 98], ["90.00%", "98.00%"]),
        (
            figure.axes[1],
            ["training", "validation", "validation,\ncalibrated"],
            [0.25, 0.125, 0.05],
            ["0.2500", "0.1250", "0.0500"],
        ),
    ):
        (bars,) = axes.containers
        assert isinstance(bars, BarContainer)
        assert [bar.get_width() for bar in bars] == pytest.approx(values)
        assert [label.get_text() for label in axes.get_yticklabels()] == names
        assert words(axes) == labels
        assert axes.get_xlim()[0] == 0
        assert not axes.lines


@pytest.mark.parametrize("wrong", [0, 1, 200])
def test_the_confusion_matrix_counts_all_and_colours_errors(
    mnist: Mnist, path: Path, wrong: int
) -> None:
    _, evaluation = some(mnist, wrong)
    axes = plots.confusion_matrix(evaluation, path).axes[0]
    expected = [f"{count}" if count else "" for count in evaluation.confusion.flat]
    assert words(axes) == expected
    colours = axes.collections[0].get_array()
    assert colours is not None
    errors = evaluation.confusion * (1 - np.eye(10, dtype=int))
    np.testing.assert_array_equal(np.asarray(colours).reshape(10, 10), errors)
    assert errors.sum() == wrong
    assert axes.get_title(loc="left") == f"{wrong} of 300 misread"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("read as", "label")


@pytest.mark.parametrize("wrong", [0, 1, 17, 200])
def test_mistakes_shows_each_of_them(mnist: Mnist, path: Path, wrong: int) -> None:
    images, evaluation = some(mnist, wrong)
    (axes,) = plots.mistakes(images, evaluation, path).axes
    expected = []
    for index in reversed(range(wrong)):  # most confident first
        label, confidence = evaluation.labels[index], evaluation.probabilities[index].max()
        other = (1 - confidence) / 9
        expected.append(f"{label} read as {(label + 1) % 10}\n{confidence:.0%} against {other:.0%}")
    assert words(axes) == (expected or ["none"])
    for text, index in zip(axes.texts, reversed(range(wrong)), strict=wrong > 0):
        np.testing.assert_array_equal(above(axes, text), images[index])


def test_examples_colours_the_misread(mnist: Mnist, path: Path) -> None:
    images, evaluation = some(mnist, 3)
    (axes,) = plots.examples(images, evaluation, path).axes
    labels = evaluation.labels[:40]
    assert words(axes) == [
        f"{label} read as {(label + 1) % 10 if index < 3 else label}"
        for index, label in enumerate(labels)
    ]
    assert [text.get_color() for text in axes.texts] == [plots.BAD] * 3 + [plots.GOOD] * 37
    for text, image in zip(axes.texts, images[:40], strict=True):
        np.testing.assert_array_equal(above(axes, text), image)


def test_reliability_by_hand(path: Path) -> None:
    """Ten images read with 95 %, nine of them rightly, and four with 52 %, one of them rightly."""
    confidence = np.array([0.95] * 10 + [0.52] * 4)
    right = np.array([True] * 9 + [False] + [True] + [False] * 3)
    probabilities = np.zeros((14, 10))
    probabilities[:, 0], probabilities[:, 1] = confidence, 1 - confidence
    evaluation = evaluate(np.where(right, 0, 1), probabilities)
    above, below = plots.reliability(evaluation, path).axes
    assert above.get_title(loc="left") == f"Expected calibration error {evaluation.ece:.2%}"
    assert evaluation.ece == pytest.approx((10 * 0.05 + 4 * 0.27) / 14)
    diagonal, points = above.lines[:2]
    np.testing.assert_array_equal(diagonal.get_xydata(), [(0, 0), (1, 1)])
    np.testing.assert_allclose(np.asarray(points.get_xydata()), [(0.52, 0.25), (0.95, 0.9)])
    (bars,) = (found for found in above.collections if isinstance(found, LineCollection))
    ends = [tuple(segment[:, 1]) for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, [wilson_interval(1, 4), wilson_interval(9, 10)])
    (counts,) = below.containers
    assert isinstance(counts, BarContainer)
    assert [bar.get_height() for bar in counts] == [4, 10]
    centres = [bar.get_x() + bar.get_width() / 2 for bar in counts]
    assert centres == pytest.approx([0.52, 0.95])


def test_augmentations_names_what_is_not_used(mnist: Mnist, path: Path) -> None:
    rows = [
        plots.AugmentationRow("rotation", "15° either way", True, mnist.train_images[:10]),
        plots.AugmentationRow("cutout", "a square of 8 pixels", False, mnist.train_images[10:20]),
    ]
    (axes,) = plots.augmentations(rows, "All of them", path).axes
    assert words(axes) == [
        *("rotation", "15° either way"),
        *("cutout", "not used; shown: a square of 8 pixels"),
        "All of them",
    ]
    assert [text.get_color() for text in axes.texts[:4]] == [plots.INK] * 2 + [plots.QUIET] * 2
    page = np.asarray(axes.images[0].get_array())
    assert all(holds(page, 255 - image) for image in mnist.train_images[:20])


def test_suspects_shows_each_part(mnist: Mnist, path: Path) -> None:
    lines = [{"index": 7, "label": 4, "read_as": 9, "probability": 0.93}]
    parts = [("Wrong", mnist.train_images[:1], lines), ("Unclear", mnist.train_images[:0], [])]
    first, second = plots.suspects(parts, path).axes
    assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("Wrong", "Unclear")
    assert words(first) == ["7\n4 → 9, 93%"]
    assert words(second) == ["none"]
    np.testing.assert_array_equal(above(first, first.texts[0]), mnist.train_images[0])
