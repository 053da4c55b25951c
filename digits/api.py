"""What the commands do, as functions that return values."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digits import bundle as bundles
from digits.data.mnist import load_mnist
from digits.errors import DigitsError
from digits.labelled import opening
from digits.runs import network_file, recipes, run
from digits.runs.recipes import Recipe
from digits.runs.run import Run
from digits.studies.comparison import Comparison, measure_entries, open_entries
from digits.terminal import importing_tensorflow
from digits.training import trial

if TYPE_CHECKING:
    from digits.studies.teaching.teaching import Teaching


@dataclass(frozen=True)
class Evaluation:
    """How good a model is: its figures by name, fractions from 0 to 1, and the text that `digits
    evaluate` prints, which is also its `str`."""

    figures: dict[str, Any]
    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        first = next(filter(None, self.text.splitlines()), "")
        return f"Evaluation({first!r})"


def train(
    recipe: Recipe | str = "default",
    *,
    out: Path | str | None = None,
    resume: Path | str | None = None,
    data: Path | str | None = None,
    not_digits: bool = False,
    **fields: Any,
) -> Run:
    """Trains a network on MNIST, or on data in its form, and measures it, as `digits train` does.

    Args:
        recipe: its name, or a recipe of one's own.
        out: new or empty folder for the run; by default, a new one in `runs`.
        resume: the folder of an unfinished run, which is finished; give no recipe then.
        data: where MNIST is, or other labelled images of 28×28 pixels: an `.npz`, IDX files, or
            folders 0 to 9 of pictures; by default, MNIST is found or downloaded.
        not_digits: the data show something else: no digits are drawn, nothing is refused, and the
            bundle reads no pictures.
        fields: of the recipe, by name, each overriding it. `network` may be a network of one's own:
            a function from a recipe, or from nothing, to a Keras model from float32 of shape
            (n, 28, 28, 1), ink 255 on 0, to 10 or 11 logits, or its "FILE.py:FUNCTION". The run
            keeps a copy of that file.

    Returns:
        the finished run: `metrics()` has its figures, `history()` its epochs, and `bundle` is the
        folder that `Reader` takes.

    Raises:
        DigitsError: there is no such recipe, field, run or data, a value is out of its range, a
            network of one's own cannot be trained or exported, or the folder cannot be written.
        Interrupted: Ctrl-C was pressed once; the run can be resumed.
    """
    started = time.monotonic()
    if callable(fields.get("network")):
        fields["network"] = network_file.named_by(fields["network"])
    if resume is None:
        chosen = recipes.named(recipe, fields)
        dataset = opening.load(data, not_digits)  # first: without it, no folder
        chosen = trial.tried(recipes.for_data(chosen, dataset))
        begun = run.create(chosen, None if out is None else Path(out), data=dataset.own)
    elif (recipe, out, not_digits, fields) == ("default", None, False, {}):
        begun = run.reopen(Path(resume))
        dataset = opening.load_again(begun.data, data, f"The run in {begun.folder}")
    else:
        raise DigitsError("resume uses the run's own recipe and folder; give it alone.")
    with importing_tensorflow():
        from digits.training import pipeline
    pipeline.train_and_report(begun, dataset, started)
    return begun


def evaluate(
    bundle: Path | str = bundles.SHIPPED,
    *,
    images: Path | str | None = None,
    corruptions: bool = False,
    data: Path | str | None = None,
) -> Evaluation:
    """Measures a model on MNIST's 10,000 test digits, as `digits evaluate` does.

    Args:
        bundle: the model, by default the one that comes with the package.
        images: measure on these pictures of one digit each instead, in folders 0 to 9.
        corruptions: measure under 15 corruptions after MNIST-C as well.
        data: measure on the test part of these data instead, as for `train`.

    Raises:
        DigitsError: a bundle, data or pictures are missing or damaged, there are both images and
            corruptions or data, or a model of no digits is given without data.
    """
    from digits.studies import measure

    if images is not None and corruptions:
        raise DigitsError("images and corruptions cannot be measured together; give one of them.")
    if images is not None and data is not None:
        raise DigitsError("images and data are two things to measure on; give one of them.")
    model = bundles.read(bundle)
    if images is not None:
        return Evaluation(*measure.on_pictures(model, Path(images)))
    dataset = opening.for_models([model], data)
    measured = measure.under_corruptions if corruptions else measure.on_digits
    figures, text = measured(model, dataset.test_images, dataset.test_labels)
    if dataset.own:
        figures["own_data"] = asdict(dataset.own)
        counts = f"{dataset.own.test:,} test {dataset.things}"
        text = f"{opening.in_words(dataset, counts)}\n\n{text}"
    return Evaluation(figures, text)


def teach(
    pictures: Path | str,
    out: Path | str,
    *,
    model: Path | str = bundles.SHIPPED,
    anyway: bool = False,
    data: Path | str | None = None,
) -> "Teaching":
    """Teaches a model someone's own hand, as `digits teach` does.

    Args:
        pictures: folder with the folders 0 to 9, and none for what is no digit.
        out: the bundle that is written if the model gains by it.
        model: that goes on learning, by default the one that comes with the package.
        anyway: write it even if it gains nothing, or reads MNIST worse.
        data: where MNIST is; by default, it is found or downloaded.

    Raises:
        DigitsError: pictures, model or data are missing or damaged, or there are too few digits.
    """
    from digits.studies.teaching import teaching

    mnist = load_mnist(None if data is None else Path(data))
    return teaching.teach(Path(pictures), Path(out), mnist, bundles.read(model), anyway)


def compare(runs: Sequence[Path | str], *, data: Path | str | None = None) -> Comparison:
    """Puts finished runs or bundles side by side, as `digits compare` does: all are measured on
    MNIST's test digits, or on the test part of `data`, and tested in pairs against the first.

    Raises:
        DigitsError: a folder holds no finished run and no bundle, or is given twice, or the data
            are missing or damaged, or do not fit the models.
    """
    entries = open_entries([Path(one) for one in runs])
    dataset = opening.for_models([entry.bundle for entry in entries], data)
    return measure_entries(entries, dataset.test_images, dataset.test_labels, dataset.own)
