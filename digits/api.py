"""What the commands do, as functions that return values."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digits import bundle as bundles
from digits.data.mnist import load_mnist
from digits.errors import DigitsError
from digits.runs import recipes, run
from digits.runs.recipes import Recipe
from digits.runs.run import Run
from digits.studies.comparison import Comparison, measure_entries, open_entries
from digits.terminal import importing_tensorflow

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
    **fields: Any,
) -> Run:
    """Trains a network on MNIST and measures it, as `digits train` does.

    Args:
        recipe: its name, or a recipe of one's own.
        out: new or empty folder for the run; by default, a new one in `runs`.
        resume: the folder of an unfinished run, which is finished; give no recipe then.
        data: where MNIST is; by default, it is found or downloaded.
        fields: of the recipe, by name, each overriding it.

    Returns:
        the finished run: `metrics()` has its figures, `history()` its epochs, and `bundle` is the
        folder that `Reader` takes.

    Raises:
        DigitsError: there is no such recipe, field, run or data, a value is out of its range, or
            the folder cannot be written.
        Interrupted: Ctrl-C was pressed once; the run can be resumed.
    """
    started = time.monotonic()
    if resume is None:
        chosen = recipes.named(recipe, fields)
        mnist = load_mnist(None if data is None else Path(data))  # first: without it, no folder
        begun = run.create(chosen, None if out is None else Path(out))
    elif (recipe, out, fields) == ("default", None, {}):
        begun, mnist = run.reopen(Path(resume)), load_mnist(None if data is None else Path(data))
    else:
        raise DigitsError("resume uses the run's own recipe and folder; give it alone.")
    with importing_tensorflow():
        from digits.training import pipeline
    pipeline.train_and_report(begun, mnist, started)
    return begun


def evaluate(
    bundle: Path | str = bundles.SHIPPED,
    *,
    images: Path | str | None = None,
    corruptions: bool = False,
) -> Evaluation:
    """Measures a model on MNIST's 10,000 test digits, as `digits evaluate` does.

    Args:
        bundle: the model, by default the one that comes with the package.
        images: measure on these pictures of one digit each instead, in folders 0 to 9.
        corruptions: measure under 15 corruptions after MNIST-C as well.

    Raises:
        DigitsError: a bundle or pictures are missing or damaged, or there are both images and
            corruptions.
    """
    from digits.studies import measure

    if images is not None and corruptions:
        raise DigitsError("images and corruptions cannot be measured together; give one of them.")
    model = bundles.read(bundle)
    if images is not None:
        return Evaluation(*measure.on_pictures(model, Path(images)))
    mnist = load_mnist()
    measured = measure.under_corruptions if corruptions else measure.on_digits
    return Evaluation(*measured(model, mnist.test_images, mnist.test_labels))


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


def compare(runs: Sequence[Path | str]) -> Comparison:
    """Puts finished runs or bundles side by side, as `digits compare` does: all are measured on
    MNIST's test digits, and tested in pairs against the first.

    Raises:
        DigitsError: a folder holds no finished run and no bundle, or is given twice.
    """
    entries, mnist = open_entries([Path(one) for one in runs]), load_mnist()
    return measure_entries(entries, mnist.test_images, mnist.test_labels)
