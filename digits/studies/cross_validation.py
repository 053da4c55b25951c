"""Cross-validation: each part of the training images judged by a model that never saw it."""

import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Files:
    """What a fold leaves in a folder; folds are numbered from 1."""

    folder: Path
    number: int

    @property
    def state(self) -> Path:
        """Where its training can go on; gone once it is finished."""
        return self.folder / f"fold-{self.number}-state.npz"

    @property
    def model(self) -> Path:
        """The network as `models.finish` makes it."""
        return self.folder / f"fold-{self.number}.keras"

    @property
    def answers(self) -> Path:
        """What it says of its part; written last, so that it marks the fold as finished."""
        return self.folder / f"fold-{self.number}.npz"


def train_on_the_others(
    recipe: Recipe, part: NDArray[np.int64], files: Files, mnist: Mnist, cores: int
) -> None:
    """Trains on all training images but a part, which the model then judges.

    An interrupted training goes on from its last epoch.

    Args:
        recipe: everything that decides the result; the part is what is held out.
        part: indices of training images.
        files: where model and answers go.
        mnist: all of MNIST, of which the test half is left alone.
        cores: from `train.use_cores`.

    Raises:
        DigitsError, Interrupted: as `train`.
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
    # One number for all labels of the part: too little for a label to vouch for itself.
    logits = predictor(model, cores)(images[part])[:, :CLASSES]
    model = finish(model, fit_temperature(labels[part], logits))
    model.save(files.model)
    answers = predictor(model, cores)(images[part])
    seconds = np.array(sum(epoch.seconds for epoch in history))
    with replacing(files.answers) as file:
        np.savez(file, index=part, seconds=seconds, **answers)
    files.state.unlink()


def read(files: Files) -> tuple[Floats, Floats, float]:
    """What a finished fold's model says of its part.

    Returns:
        probabilities of the ten digits, shape (n, 10), that there is a digit at all, shape (n,), in
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
