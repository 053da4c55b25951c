"""Opens the data that a command is given with --data: MNIST, or any labelled images in its form."""

from collections.abc import Sequence
from pathlib import Path

from digits.bundle import Bundle
from digits.data import own_data, parts
from digits.data.mnist import Dataset, Own, load_mnist, mnist_of, those_of_mnist
from digits.errors import DigitsError
from digits.labelled.folders import holds_pictures, parts_of
from digits.labelled.upright import upright


def load(path: Path | str | None, not_digits: bool = False) -> Dataset:
    """Loads MNIST, or the data at a path.

    Args:
        path: MNIST, or data in its form: what `parts.read` takes, or a folder with the folders 0
            to 9 of pictures, or with such folders in `train` and `test`; None for MNIST, found or
            downloaded.
        not_digits: the images show something else than digits: they are taken as they are. Digits
            are turned upright, and dark ink becomes bright, if the model that ships then reads
            them.

    Raises:
        DigitsError: there are no such data, they are not in this form, or they show no digits that
            can be read, without `not_digits`.
    """
    if path is None:
        if not_digits:
            raise DigitsError("--not-digits is about data of your own; name them with --data.")
        return load_mnist()
    path = Path(path)
    try:
        found = parts_of(path, not not_digits) if holds_pictures(path) else parts.read(path)
        if len(those_of_mnist(found.arrays)) == 4:
            if not_digits:
                raise DigitsError("is MNIST, which shows digits; leave --not-digits out")
            return mnist_of(found.arrays, str(path))
        if not not_digits:
            found = upright(found)
    except DigitsError as error:
        raise DigitsError(f"--data {path}: {str(error).rstrip('.')}.") from None
    return own_data.dataset_of(found, path, not not_digits)


def in_words(data: Dataset, counts: str) -> str:
    """What the data are, with these counts, and what was done to them, for a terminal: a line, and
    one for each remark."""
    if data.own is None:
        return f"MNIST from {data.source}, verified: {counts}."
    remarks = [*data.own.remarks]
    if not data.digits:
        remarks.insert(0, "They are not digits: none are drawn, nothing is refused.")
    head = f"{data.source}, which is not MNIST (SHA-256 {data.own.sha256[:16]}…): {counts}."
    return "\n".join([head, *(f"  {remark}" for remark in remarks)])


def load_again(begun: Own | None, path: Path | str | None, what: str) -> Dataset:
    """Loads the data with which something was begun, to go on with it.

    Args:
        begun: these data; None for MNIST.
        path: where they are now, if not where they were.
        what: what messages call the thing that was begun, such as "The run in runs/mine".

    Raises:
        DigitsError: they are not there, or are others now.
    """
    if begun is None:
        return load_mnist(None if path is None else Path(path))
    if path is None and not Path(begun.path).exists():
        raise DigitsError(
            f"{what} was begun with {begun.path}, which is not there any more; name the same data "
            "with --data."
        )
    data = load(path or begun.path, not begun.digits)
    if data.own != begun:
        raise DigitsError(
            f"{what} was begun with {begun.path}, and {data.source} holds other images (their "
            "SHA-256 differs); resume it with the same data, or start a new one."
        )
    return data


def for_models(models: Sequence[Bundle], path: Path | str | None) -> Dataset:
    """Loads the data on which models are measured, as `load` does.

    Raises:
        DigitsError: some were trained on digits and others were not, or none was and no data are
            named.
    """
    other = [model for model in models if not model.digits]
    if 0 < len(other) < len(models):
        raise DigitsError(
            f"The model in {other[0].folder} was trained on {other[0].data}, which shows no "
            "digits, and others were trained on digits; measure them apart."
        )
    if other and path is None:
        raise DigitsError(
            f"The model in {other[0].folder} was trained on {other[0].data}, which is not MNIST "
            "and shows no digits; name these data with --data."
        )
    return load(path, not_digits=bool(other))
