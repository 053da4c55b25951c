"""The images of MNIST whose labels models dispute most: `digits evaluate --suspects`.

Models are trained by cross-validation, so that each training image is judged by one that was not
trained on it, and confident learning (Northcutt, Jiang & Chuang 2021, by cleanlab) tells how many
labels are likely wrong. What it suspects may be a wrong label, a digit that could be either, or one
that the models misread.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits.errors import DigitsError
from digits.files import replacing
from digits.runs import run as runs
from digits.runs.recipes import TRAINING_IMAGES, Recipe
from digits.terminal import importing_tensorflow, note

if TYPE_CHECKING:
    from digits.data.mnist import Bytes, Mnist

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Rows = list[dict[str, Any]]

# Files of the folder: the first one written, and the last, which marks the search as finished.
PLAN, FIGURES = "plan.json", "suspects.json"
FOLDS = 5
MOST_FOLDS = 20  # TensorFlow frees no graph with its data: each fold keeps some 60 MB more
LISTED = 20  # of each half on the terminal
DRAWN = 40  # of each half in the figure


@dataclass(frozen=True)
class Plan:
    """What decides the result, together with the data and the machine.

    Raises:
        DigitsError: a number of folds out of its range.
    """

    recipe: Recipe
    folds: int

    def __post_init__(self) -> None:
        if not 2 <= self.folds <= MOST_FOLDS:
            raise DigitsError(f"--folds must be from 2 to {MOST_FOLDS}, not {self.folds:,}.")


@dataclass(frozen=True)
class Judged:
    """What models that were not trained on n images say of them.

    Attributes:
        labels: as MNIST gives them, uint8 of shape (n,).
        probabilities: of the ten digits, shape (n, 10).
        is_digit: probability that there is a digit at all, shape (n,).
        quality: how much the label is to be believed, which is its probability, shape (n,).
        suspects: how many labels are likely wrong; those of the lowest quality are suspected.
    """

    labels: Bytes
    probabilities: Floats
    is_digit: Floats
    quality: Floats
    suspects: int

    def ranked(self) -> Rows:
        """A row for each image, the most disputed label first; `index` is MNIST's own, from 0."""
        order = np.argsort(self.quality, kind="stable")
        read_as = self.probabilities.argmax(axis=1)
        return [
            {
                "rank": rank,
                "index": int(index),
                "label": int(self.labels[index]),
                "read_as": int(read_as[index]),
                "probability": float(self.probabilities[index, read_as[index]]),
                "label_probability": float(self.probabilities[index, self.labels[index]]),
                "is_digit": float(self.is_digit[index]),
                "suspect": rank <= self.suspects,
            }
            for rank, index in enumerate(order, start=1)
        ]


def make_plan(recipe: Recipe, folds: int) -> Plan:
    """The plan of a search: each fold holds out the images that it judges.

    Raises:
        DigitsError: a number of folds out of its range.
    """
    plan = Plan(recipe, folds)
    return replace(plan, recipe=replace(recipe, held_out=len(parts(plan)[0])))


def begin(plan: Plan, out: Path | None) -> Path:
    """Makes the folder of a new search, by default `runs/suspects-<time>`.

    Raises:
        DigitsError: the folder holds something, cannot be written, or its disk is nearly full.
    """
    return runs.make_folder(PLAN, asdict(plan), "suspects", out)


def reopen(folder: Path) -> Plan:
    """The plan of an unfinished search, whose half-written files are removed.

    Raises:
        DigitsError: no search there, a finished or damaged one, or it cannot be written.
    """
    content = runs.reopen_folder(folder, PLAN, FIGURES, "search", "suspects.txt")
    try:
        return Plan(Recipe(**content["recipe"]), content["folds"])
    except (KeyError, TypeError) as error:
        raise DigitsError(f"{folder / PLAN} is damaged ({error}); start a new search.") from None


def parts(plan: Plan) -> list[Ints]:
    """The training images of each fold, as ascending indices of MNIST; the first is the largest."""
    order = np.random.default_rng([plan.recipe.seed, 4]).permutation(TRAINING_IMAGES)
    return [np.sort(part) for part in np.array_split(order, plan.folds)]


def search(plan: Plan, folder: Path, mnist: Mnist) -> tuple[dict[str, Any], str]:
    """Judges all of MNIST and leaves everything about it in the folder.

    Returns:
        the figures, ready for JSON, and what a terminal shows of them.
    """
    with importing_tensorflow():
        import cleanlab.filter  # noqa: F401 - if it is missing, not after an hour of training
        import keras
        import tensorflow as tf

        from digits.reporting import plots
        from digits.studies import cross_validation
        from digits.training.models import predictor
        from digits.training.train import use_cores

    tf.get_logger().setLevel("ERROR")  # it warns of many graphs; each fold has one of its own
    cores = use_cores()
    judged = len(parts(plan)[0])
    note(
        f"MNIST from {mnist.source}, verified. Recipe {plan.recipe.name}, epochs: "
        f"{plan.recipe.epochs}, seed: {plan.recipe.seed}; {plan.folds} models, each trained on "
        f"{TRAINING_IMAGES - judged:,} digits to judge {judged:,} others; results go to {folder}."
    )
    probabilities = np.zeros((TRAINING_IMAGES, 10), np.float32)
    is_digit = np.zeros(TRAINING_IMAGES, np.float32)
    seconds = 0.0
    for number, part in enumerate(parts(plan), start=1):
        fold = cross_validation.Files(folder, number)
        if not fold.answers.exists():
            cross_validation.train_on_the_others(plan.recipe, part, fold, mnist, cores)
        probabilities[part], is_digit[part], taken = cross_validation.read(fold)
        seconds += taken
        right = probabilities[part].argmax(axis=1) == mnist.train_labels[part]
        note(f"fold {number} of {plan.folds}: {right.mean():.2%} read as labelled")
    training = judge(mnist.train_labels, probabilities, is_digit)

    # The one place where the test set is opened, once everything is decided.
    files = [cross_validation.Files(folder, number) for number in range(1, plan.folds + 1)]
    models = [keras.models.load_model(fold.model) for fold in files]
    answers = [predictor(model, cores)(mnist.test_images) for model in models]
    test = judge(
        mnist.test_labels,
        np.mean([answer["probabilities"] for answer in answers], axis=0),
        np.mean([answer["is_digit"] for answer in answers], axis=0),
    )

    rows = {"training": training.ranked(), "test": test.ranked()}
    figures = {
        "recipe": asdict(plan.recipe),
        "folds": plan.folds,
        "cores": cores,
        "train_seconds": seconds,
        **{half: _figures_of(of_half) for half, of_half in rows.items()},
    }
    text = as_text(figures, folder)
    _write_csv(rows, folder / "scores.csv")
    images = {"training": mnist.train_images, "test": mnist.test_images}
    plots.suspects(
        [
            (_title(half, figures), images[half][[row["index"] for row in shown]], shown)
            for half, shown in ((half, of_half[:DRAWN]) for half, of_half in rows.items())
        ],
        folder / "suspects.png",
    )
    (folder / "suspects.txt").write_text(text + "\n")
    runs.write_json(folder / FIGURES, figures)  # last: it marks the search as finished
    return figures, text


def judge(labels: Bytes, probabilities: Floats, is_digit: Floats) -> Judged:
    """Confident learning (Northcutt, Jiang & Chuang 2021), as cleanlab does it.

    How many labels are wrong is the number of images that the models read as another digit, with
    at least the probability that images labelled as that digit get for it on average. As many of
    those whose own label gets the lowest probability are suspected.

    Args:
        labels: uint8 of shape (n,), 0 to 9.
        probabilities: of models that were not trained on these images, shape (n, 10).
        is_digit: theirs too, shape (n,).
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    given = labels.astype(np.int64)
    suspected = find_label_issues(given, probabilities, filter_by="low_self_confidence", n_jobs=1)
    quality = get_label_quality_scores(given, probabilities, method="self_confidence")
    return Judged(labels, probabilities, is_digit, quality, int(suspected.sum()))


def _title(half: str, figures: dict[str, Any]) -> str:
    told = figures[half]
    return (
        f"{half.capitalize()} images: {told['disputed']:,} of {told['images']:,} are read as "
        f"another digit than their label"
    )


def _figures_of(rows: Rows) -> dict[str, Any]:
    """What is told of a half of MNIST: counts, and the suspects, at least as many as are listed."""
    suspects = sum(row["suspect"] for row in rows)
    return {
        "images": len(rows),
        "disputed": sum(row["read_as"] != row["label"] for row in rows),
        "suspects": suspects,
        "ranked": rows[: max(suspects, LISTED)],
    }


def as_text(figures: dict[str, Any], folder: Path) -> str:
    """What the terminal shows and suspects.txt keeps."""
    judges = {
        "training": "the model that was not trained on them",
        "test": f"the mean of the {figures['folds']} models",
    }
    lines = []
    for half, who in judges.items():
        told = figures[half]
        lines += [
            f"{_title(half, figures)},",
            f"by {who}. Likely wrong labels: {told['suspects']:,}. The {LISTED} most disputed:",
            "",
            f"{'rank':>5}{'index':>8}{'label':>7}{'read as':>9}{'probability':>13}"
            f"{'of the label':>14}",
            *(
                f"{row['rank']:5}{row['index']:8}{row['label']:7}{row['read_as']:9}"
                f"{row['probability']:13.2%}{row['label_probability']:14.2%}"
                for row in told["ranked"][:LISTED]
            ),
            "",
        ]
    lines += [
        "Indices are MNIST's own, from 0. Likely wrong are as many labels as images are read",
        "as another digit as surely as images of that digit are on average.",
        f"Their pictures: {folder / 'suspects.png'}",
        f"All {sum(figures[half]['images'] for half in judges):,} images: {folder / 'scores.csv'}",
    ]
    return "\n".join(lines)


def _write_csv(halves: dict[str, Rows], path: Path) -> None:
    """A line for each image, training images first, the most disputed first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["half", *halves["test"][0]])
    for half, rows in halves.items():
        for row in rows:
            cells = (f"{x:.6g}" if isinstance(x, float) else int(x) for x in row.values())
            writer.writerow([half, *cells])
    with replacing(path) as file:
        file.write(text.getvalue().encode())
