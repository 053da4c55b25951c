"""Cross-validation: each part of the training images is judged by a model not trained on it."""

import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.evaluation import CLASSES, fit_temperature
from digits.files import replacing
from digits.runs.recipes import Recipe
from digits.training.dataset import with_drawn
from digits.training.models import finish, predictor
from digits.training.train import train

Floats = NDArray[np.float32]


class Files(NamedTuple):
    """The files of a fold. The answers are written last: they mark the fold as finished."""

    state: Path  # of the training, to resume it; removed at its end
    model: Path  # from `models.finish`
    answers: Path  # of the model, for the part that it judges


def files_of(folder: Path, number: int) -> Files:
    """The files of a fold, numbered from 1, in the folder of a search."""
    names = (f"fold-{number}-state.npz", f"fold-{number}.keras", f"fold-{number}.npz")
    return Files(*(folder / name for name in names))


def train_on_the_others(
    recipe: Recipe, part: NDArray[np.int64], files: Files, mnist: Mnist, cores: int
) -> None:
    """Trains on all training images but a part, which the model then judges.

    An interrupted training resumes from its last epoch.

    Args:
        recipe: of the model.
        part: indices of the training images that are held out.
        files: where the model and its answers are written.
        mnist: all of MNIST; the test half is not used.
        cores: from `train.use_cores`.

    Raises:
        DigitsError, Interrupted: as for `train`.
    """
    images, labels = mnist.train_images, mnist.train_labels
    others = np.setdiff1d(np.arange(len(labels)), part)
    model, history = train(
        recipe,
        with_drawn(recipe, images[others], labels[others]),
        (images[part], labels[part]),
        files.state,
        shards=cores,
        show_progress=sys.stderr.isatty(),
    )
    # One number fitted to all labels of the part: too little for a label to vouch for itself.
    logits = predictor(model, cores)(images[part])[:, :CLASSES]
    model = finish(model, fit_temperature(labels[part], logits))
    model.save(files.model)
    answers = predictor(model, cores)(images[part])
    seconds = np.array(sum(epoch.seconds for epoch in history))
    with replacing(files.answers) as file:
        np.savez(file, index=part, seconds=seconds, **answers)
    files.state.unlink()


def read(files: Files) -> tuple[Floats, Floats, float]:
    """The answers of a finished fold's model for its part.

    Returns:
        probabilities of the ten digits, shape (n, 10), and of being a digit at all, shape (n,), in
        the order of the part, and the seconds that training took.

    Raises:
        DigitsError: the file is damaged.
    """
    try:
        with files.answers.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return file["probabilities"], file["is_digit"], float(file["seconds"])
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DigitsError(
            f"{files.answers} is damaged ({error}); remove it, and --resume trains its fold again."
        ) from None
