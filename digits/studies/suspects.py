"""The images whose labels models dispute most, of MNIST or others: `digits evaluate --suspects`.

Models are trained by cross-validation, so that none judges an image that it was trained on.
Confident learning (Northcutt, Jiang & Chuang 2021, by cleanlab) then estimates how many labels are
wrong. A suspect may have a wrong label, be ambiguous, or be misread by the models.
"""

import codecs
import csv
import textwrap
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.data.mnist import Bytes, Dataset, Own
from digits.errors import DigitsError
from digits.evaluation import Floats
from digits.files import replacing
from digits.labelled.opening import in_words
from digits.runs import run as runs
from digits.runs.recipes import MOST_HELD_OUT, TRAINING_IMAGES, Recipe, for_data
from digits.terminal import importing_tensorflow, note, table
from digits.training import trial

Rows = list[dict[str, Any]]

# Files of the folder: the first one written, and the last, which marks the search as finished.
PLAN, FIGURES = "plan.json", "suspects.json"
FOLDS = 5
MOST_FOLDS = 20  # TensorFlow frees no graph with its data: each fold keeps some 60 MB more
LISTED = 20  # of each half on the terminal
DRAWN = 40  # of each half in the figure


def plan(recipe: Recipe, folds: int, images: int = TRAINING_IMAGES) -> Recipe:
    """The recipe of each fold's model, which holds out those of the images that it judges. Raises
    DigitsError if there are too few or too many folds, or too few images left for a batch."""
    if not 2 <= folds <= MOST_FOLDS:
        raise DigitsError(f"--folds must be from 2 to {MOST_FOLDS}, not {folds:,}.")
    held_out = len(parts(recipe.seed, folds, images)[0])
    if held_out > MOST_HELD_OUT:
        raise DigitsError(
            f"{folds} folds of {images:,} images have more than {MOST_HELD_OUT:,} each; "
            "give more --folds."
        )
    return replace(recipe, held_out=held_out)


def begin(recipe: Recipe, folds: int, out: Path | None, data: Dataset) -> Path:
    """Makes the folder of a new search; default `runs/suspects-<time>`.

    Raises DigitsError as `plan` and `recipes.for_data` do, and if the folder is not empty, cannot
    be written, or its disk is nearly full.
    """
    recipe = trial.tried(plan(for_data(recipe, data), folds, len(data.train_labels)))
    content = {"recipe": asdict(recipe), "folds": folds}
    if data.own:
        content["data"] = asdict(data.own)
    return runs.make_folder(PLAN, content, "suspects", out, runs.kept_files(recipe))


def begun_with(folder: Path) -> Own | None:
    """The data of an unfinished search; None for MNIST. Raises DigitsError as `search` does."""
    return _reopen(folder)[2]


def _reopen(folder: Path) -> tuple[Recipe, int, Own | None]:
    """Recipe, number of folds and data of an unfinished search, whose half-written files are
    removed."""

    def planned(content: dict[str, Any]) -> tuple[Recipe, int, Own | None]:
        own = runs.own_data(content)
        images = own.training if own else TRAINING_IMAGES
        return plan(Recipe(**content["recipe"]), content["folds"], images), content["folds"], own

    found = runs.reopen_folder(folder, PLAN, planned, FIGURES, "search", "suspects.txt")
    runs.check_kept(found[0], folder)
    return found


def parts(seed: int, folds: int, images: int = TRAINING_IMAGES) -> list[NDArray[np.int64]]:
    """The training images of each fold, as ascending indices; the first fold is the largest."""
    order = np.random.default_rng([seed, 4]).permutation(images)
    return [np.sort(part) for part in np.array_split(order, folds)]


def search(folder: Path, data: Dataset) -> tuple[dict[str, Any], str]:
    """Judges all the images with which the search in a folder was begun, and writes the results
    into the folder.

    A search in the folder that is unfinished is resumed. Returns the figures, ready for JSON, and
    the text that a terminal shows of them. Raises DigitsError if there is no search, or it is
    finished or damaged or cannot be written; Interrupted as `train` does.
    """
    recipe, folds, _ = _reopen(folder)
    count = len(data.train_labels)
    with importing_tensorflow():
        import cleanlab.filter  # noqa: F401 - if it is missing, not after an hour of training
        import keras
        import tensorflow as tf

        from digits.reporting import plots
        from digits.studies.cross_validation import answers_of
        from digits.studies.ensemble import mean_of
        from digits.training.networks.models import predictor
        from digits.training.train import use_cores

    tf.get_logger().setLevel("ERROR")  # it warns of many graphs; each fold has one of its own
    cores = use_cores()
    counts = (
        f"{folds} models, each trained on {count - recipe.held_out:,} {data.things} to judge "
        f"{recipe.held_out:,} others"
    )
    note(
        f"{in_words(data, counts)}\nRecipe {recipe.name}, epochs: {recipe.epochs}, "
        f"seed: {recipe.seed}; results go to {folder}."
    )
    judged = {
        "probabilities": np.zeros((count, 10), np.float32),
        "is_digit": np.zeros(count, np.float32),
    }
    seconds, models = 0.0, []
    for number, part in enumerate(parts(recipe.seed, folds, count), start=1):
        fold = folder / f"fold-{number}"
        answers = answers_of(recipe, part, fold, data, cores)
        for name, own in judged.items():
            own[part] = answers[name]
        seconds += float(answers["seconds"])
        models.append(fold.with_suffix(".keras"))
        right = answers["probabilities"].argmax(axis=1) == data.train_labels[part]
        note(f"fold {number} of {folds}: {right.mean():.2%} read as labelled")
    rows = {"training": judge(data.train_labels, **judged)}

    # The search opens the test set here, once everything is decided.
    readers = [predictor(keras.models.load_model(model), cores) for model in models]
    mean = mean_of([read(data.test_images) for read in readers])
    rows["test"] = judge(data.test_labels, **mean)

    for half, origins in data.origins.items():
        for row in rows[half]:
            row["origin"] = str(origins[row["index"]])

    figures = {
        "recipe": asdict(recipe),
        "folds": folds,
        "cores": cores,
        "train_seconds": seconds,
        **({"own_data": asdict(data.own)} if data.own else {}),
        **{half: _figures_of(of_half) for half, of_half in rows.items()},
    }
    images = {"training": data.train_images, "test": data.test_images}
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
    """The figures of a half of the data: counts, and the suspects, at least `LISTED` rows."""
    suspects = sum(row["suspect"] for row in rows)
    return {
        "images": len(rows),
        "disputed": sum(row["read_as"] != row["label"] for row in rows),
        "suspects": suspects,
        "ranked": rows[: max(suspects, LISTED)],
    }


def _title(half: str, figures: dict[str, Any]) -> str:
    counts = f"{figures[half]['disputed']:,} of {figures[half]['images']:,}"
    thing = _thing(figures)
    return f"{half.capitalize()} images: {counts} are read as a {thing} other than their label"


def _thing(figures: dict[str, Any]) -> str:
    """What a label stands for."""
    return "digit" if figures.get("own_data", {"digits": True})["digits"] else "class"


def _as_text(figures: dict[str, Any], folder: Path) -> str:
    """What the terminal shows and suspects.txt keeps."""
    judges = {
        "training": "the model that was not trained on them",
        "test": f"the mean of the {figures['folds']} models",
    }
    head: tuple[str, ...] = ("rank", "index", "label", "read as", "probability", "of the label")
    indices = "MNIST's own, from 0"
    if "own_data" in figures:
        head = (*head, "origin")
        indices = (
            "of the images as they are used, from 0; the origin is the picture's file, or its "
            "index among the images that it came with"
        )
    lines = []
    for half, judge in judges.items():
        suspects = f"{figures[half]['suspects']:,}"
        first = figures[half]["ranked"][:LISTED]
        lines += [
            f"{_title(half, figures)},",
            f"by {judge}. Likely wrong labels: {suspects}. The {LISTED} most disputed:",
            "",
            *table(head, [_cells(row) for row in first], left=0),
            "",
        ]
    thing = _thing(figures)
    explanation = (
        f"Indices are {indices}. The number of likely wrong labels is the number of images "
        f"read as another {thing} with at least the mean probability of that {thing} among the "
        "images labelled so."
    )
    lines += [
        *textwrap.wrap(explanation, 88),
        f"Pictures of the most disputed: {folder / 'suspects.png'}",
        f"All {sum(figures[half]['images'] for half in judges):,} images: {folder / 'scores.csv'}",
    ]
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> list[str]:
    """A row of the table."""
    whole = [str(row[name]) for name in ("rank", "index", "label", "read_as")]
    shares = [f"{row[name]:.2%}" for name in ("probability", "label_probability")]
    return [*whole, *shares, *([row["origin"]] if "origin" in row else [])]


def _write_csv(halves: dict[str, Rows], path: Path) -> None:
    """Writes a line for each image."""
    with replacing(path) as file:
        writer = csv.writer(codecs.getwriter("utf-8")(file), lineterminator="\n")
        writer.writerow(["half", *halves["test"][0]])
        for half, rows in halves.items():
            for row in rows:
                values = (of if isinstance(of, str) else f"{of:.6g}" for of in row.values())
                writer.writerow([half, *values])
