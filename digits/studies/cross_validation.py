"""Cross-validation: each part of the training images is judged by a model not trained on it."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.data.mnist import Dataset
from digits.errors import DigitsError
from digits.files import replacing
from digits.runs.recipes import Recipe
from digits.training.calibration import calibrate
from digits.training.dataset import with_drawn
from digits.training.train import train


def answers_of(
    recipe: Recipe, part: NDArray[np.int64], fold: Path, data: Dataset, cores: int
) -> dict[str, NDArray[Any]]:
    """What a model says of a part of the training images, trained on all the others.

    It is trained unless its answers are there. An interrupted training resumes from its last epoch.

    Args:
        recipe: of the model.
        part: n indices of training images, which the model judges.
        fold: the model becomes `<fold>.keras`, and its answers `<fold>.npz`.
        data: of which the test half is not used.
        cores: from `train.use_cores`.

    Returns:
        `probabilities` of the ten digits, shape (n, 10), and `is_digit`, that of being one at all,
        shape (n,), in the order of the part, and the `seconds` that training took.

    Raises:
        DigitsError, Interrupted: as for `train`, or the file of the answers is damaged.
    """
    path = fold.with_suffix(".npz")
    if not path.exists():
        _train_on_the_others(recipe, part, fold, data, cores)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in ("probabilities", "is_digit", "seconds")}
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DigitsError(
            f"{path} is damaged ({error}); remove it, and --resume trains its fold again."
        ) from None


def _train_on_the_others(
    recipe: Recipe, part: NDArray[np.int64], fold: Path, data: Dataset, cores: int
) -> None:
    images, labels = data.train_images, data.train_labels
    others = np.setdiff1d(np.arange(len(labels)), part)
    training = with_drawn(recipe, images[others], labels[others])
    held_out = images[part], labels[part]
    state = fold.with_name(f"{fold.name}-state.npz")
    model, history = train(recipe, training, held_out, state, cores)
    # One number fitted to all labels of the part: too little for a label to vouch for itself.
    trained = calibrate(model, history, held_out, cores)
    trained.model.save(fold.with_suffix(".keras"))
    seconds = np.array(sum(epoch.seconds for epoch in history))
    with replacing(fold.with_suffix(".npz")) as file:  # last: it marks the fold as finished
        np.savez(file, index=part, seconds=seconds, **trained.read(images[part]))
    state.unlink()
