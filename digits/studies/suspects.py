"""The images of MNIST whose labels models dispute most: `digits evaluate --suspects`.

Models are trained by cross-validation, so that none judges an image that it was trained on.
Confident learning (Northcutt, Jiang & Chuang 2021, by cleanlab) then estimates how many labels are
wrong. A suspect may have a wrong label, be ambiguous, or be misread by the models.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.data.mnist import Bytes, load_mnist
from digits.errors import DigitsError
from digits.evaluation import Floats
from digits.files import replacing
from digits.runs import run as runs
from digits.runs.recipes import TRAINING_IMAGES, Recipe
from digits.terminal import importing_tensorflow, note, table
from digits.training import trial

Rows = list[dict[str, Any]]

# Files of the folder: the first one written, and the last, which marks the search as finished.
PLAN, FIGURES = "plan.json", "suspects.json"
FOLDS = 5
MOST_FOLDS = 20  # TensorFlow frees no graph with its data: each fold keeps some 60 MB more
LISTED = 20  # of each half on the terminal
DRAWN = 40  # of each half in the figure


def plan(recipe: Recipe, folds: int) -> Recipe:
    """The recipe of each fold's model, which holds out the images that it judges. Raises
    DigitsError if there are too few or too many folds, or too few images left for a batch."""
    if not 2 <= folds <= MOST_FOLDS:
        raise DigitsError(f"--folds must be from 2 to {MOST_FOLDS}, not {folds:,}.")
    return replace(recipe, held_out=len(parts(recipe.seed, folds)[0]))


def begin(recipe: Recipe, folds: int, out: Path | None) -> Path:
    """Makes the folder of a new search; default `runs/suspects-<time>`.

    Raises DigitsError as `plan` does, and if there is no MNIST, or the folder is not empty, cannot
    be written, or its disk is nearly full.
    """
    recipe = plan(recipe, folds)
    load_mnist()  # without it, no folder is made
    recipe = trial.tried(recipe)
    content = {"recipe": asdict(recipe), "folds": folds}
    return runs.make_folder(PLAN, content, "suspects", out, runs.kept_files(recipe))


def _reopen(folder: Path) -> tuple[Recipe, int]:
    """Recipe and number of folds of an unfinished search, whose half-written files are removed."""

    def planned(content: dict[str, Any]) -> tuple[Recipe, int]:
        return plan(Recipe(**content["recipe"]), content["folds"]), content["folds"]

    found = runs.reopen_folder(folder, PLAN, planned, FIGURES, "search", "suspects.txt")
    runs.check_kept(found[0], folder)
    return found


def parts(seed: int, folds: int) -> list[NDArray[np.int64]]:
    """The training images of each fold, as ascending indices of MNIST; the first is the largest."""
    order = np.random.default_rng([seed, 4]).permutation(TRAINING_IMAGES)
    return [np.sort(part) for part in np.array_split(order, folds)]


def search(folder: Path) -> tuple[dict[str, Any], str]:
    """Judges all of MNIST and writes the results into the folder.

    A search in the folder that is unfinished is resumed. Returns the figures, ready for JSON, and
    the text that a terminal shows of them. Raises DigitsError if there is no search, it is finished
    or damaged or cannot be written, or there is no MNIST; Interrupted as `train` does.
    """
    recipe, folds = _reopen(folder)
    mnist = load_mnist()
    with importing_tensorflow():
        import cleanlab.filter  # noqa: F401 - if it is missing, not after an hour of training
        import keras
        import tensorflow as tf

        from digits.reporting import plots
        from digits.studies.cross_validation import answers_of
        from digits.studies.ensemble import mean_of
        from digits.training.models import predictor
        from digits.training.train import use_cores

    tf.get_logger().setLevel("ERROR")  # it warns of many graphs; each fold has one of its own
    cores = use_cores()
    note(
        f"MNIST from {mnist.source}, verified. Recipe {recipe.name}, epochs: {recipe.epochs}, "
        f"seed: {recipe.seed}; {folds} models, each trained on "
        f"{TRAINING_IMAGES - recipe.held_out:,} digits to judge {recipe.held_out:,} others; "
        f"results go to {folder}."
    )
    judged = {
        "probabilities": np.zeros((TRAINING_IMAGES, 10), np.float32),
        "is_digit": np.zeros(TRAINING_IMAGES, np.float32),
    }
    seconds, models = 0.0, []
    for number, part in enumerate(parts(recipe.seed, folds), start=1):
        fold = folder / f"fold-{number}"
        answers = answers_of(recipe, part, fold, mnist, cores)
        for name, own in judged.items():
            own[part] = answers[name]
        seconds += float(answers["seconds"])
        models.append(fold.with_suffix(".keras"))
        right = answers["probabilities"].argmax(axis=1) == mnist.train_labels[part]
        note(f"fold {number} of {folds}: {right.mean():.2%} read as labelled")
    rows = {"training": judge(mnist.train_labels, **judged)}

    # The search opens the test set here, once everything is decided.
    readers = [predictor(keras.models.load_model(model), cores) for model in models]
    mean = mean_of([read(mnist.test_images) for read in readers])
    rows["test"] = judge(mnist.test_labels, **mean)

    figures = {
        "recipe": asdict(recipe),
        "folds": folds,
        "cores": cores,
        "train_seconds": seconds,
        **{half: _figures_of(of_half) for half, of_half in rows.items()},
    }
    images = {"training": mnist.train_images, "test": mnist.test_images}
    drawn = [
        (_title(half, figures), images[half][[row["index"] for row in first]], first)
        for half, first in ((half, of_half[:DRAWN]) for half, of_half in rows.items())
    ]
    text = _as_text(figures, folder)
    _write_csv(rows, folder / "scores.csv")
    plots.suspects(drawn, folder / "suspects.png")
    (folder / "suspects.txt").write_text(text + "\n")
    runs.write_json(folder / FIGURES, figures)  # last: it marks the search as finished
    return figures, text


def judge(labels: Bytes, probabilities: Floats, is_digit: Floats) -> Rows:
    """Ranks images by how much their labels are disputed, and estimates how many labels are wrong.

    Confident learning (Northcutt, Jiang & Chuang 2021), as cleanlab does it: the number of wrong
    labels is the number of images that are read as another digit with at least the mean
    probability of that digit among the images labelled so. That many images whose own label has
    the lowest probability are suspects.

    Args:
        labels: uint8 of shape (n,), 0 to 9.
        probabilities: of models that were not trained on these images, shape (n, 10).
        is_digit: their probabilities of being a digit at all, shape (n,).

    Returns:
        a row for each image, the most disputed label first; `index` counts from 0.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    given = labels.astype(np.int64)
    suspected = find_label_issues(given, probabilities, filter_by="low_self_confidence", n_jobs=1)
    suspects = int(suspected.sum())
    quality = get_label_quality_scores(given, probabilities, method="self_confidence")
    read_as = probabilities.argmax(axis=1)
    return [
        {
            "rank": rank,
            "index": int(index),
            "label": int(labels[index]),
            "read_as": int(read_as[index]),
            "probability": float(probabilities[index, read_as[index]]),
            "label_probability": float(probabilities[index, labels[index]]),
            "is_digit": float(is_digit[index]),
            "suspect": rank <= suspects,
        }
        for rank, index in enumerate(np.argsort(quality, kind="stable"), start=1)
    ]


def _figures_of(rows: Rows) -> dict[str, Any]:
    """The figures of a half of MNIST: counts, and the suspects, at least `LISTED` rows."""
    suspects = sum(row["suspect"] for row in rows)
    return {
        "images": len(rows),
        "disputed": sum(row["read_as"] != row["label"] for row in rows),
        "suspects": suspects,
        "ranked": rows[: max(suspects, LISTED)],
    }


def _title(half: str, figures: dict[str, Any]) -> str:
    counts = f"{figures[half]['disputed']:,} of {figures[half]['images']:,}"
    return f"{half.capitalize()} images: {counts} are read as a digit other than their label"


def _as_text(figures: dict[str, Any], folder: Path) -> str:
    """What the terminal shows and suspects.txt keeps."""
    judges = {
        "training": "the model that was not trained on them",
        "test": f"the mean of the {figures['folds']} models",
    }
    head = ("rank", "index", "label", "read as", "probability", "of the label")
    cells = "{rank} {index} {label} {read_as} {probability:.2%} {label_probability:.2%}"
    lines = []
    for half, judge in judges.items():
        suspects = f"{figures[half]['suspects']:,}"
        first = figures[half]["ranked"][:LISTED]
        lines += [
            f"{_title(half, figures)},",
            f"by {judge}. Likely wrong labels: {suspects}. The {LISTED} most disputed:",
            "",
            *table(head, [cells.format(**row).split() for row in first], left=0),
            "",
        ]
    lines += [
        "Indices are MNIST's own, from 0. The number of likely wrong labels is the number of",
        "images read as another digit with at least the mean probability of that digit among the",
        "images labelled so.",
        f"Pictures of the most disputed: {folder / 'suspects.png'}",
        f"All {sum(figures[half]['images'] for half in judges):,} images: {folder / 'scores.csv'}",
    ]
    return "\n".join(lines)


def _write_csv(halves: dict[str, Rows], path: Path) -> None:
    """Writes a line for each image."""
    lines = [",".join(["half", *halves["test"][0]])]
    for half, rows in halves.items():
        lines += [",".join([half, *(f"{value:.6g}" for value in row.values())]) for row in rows]
    with replacing(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
