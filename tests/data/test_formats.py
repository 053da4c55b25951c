"""Are files of arrays read as they are written, and is nothing in them run?"""

import contextlib
import gzip
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from digits.data import formats
from digits.data.mnist import Bytes
from digits.errors import DigitsError


class TestIdx:
    @given(npst.arrays(np.uint8, npst.array_shapes(max_dims=4, max_side=9)), st.booleans())
    def test_round_trip(self, array: Bytes, packed: bool) -> None:
        content = formats.write_idx(array)
        assert np.array_equal(
            formats.read_idx(gzip.compress(content) if packed else content), array
        )

    @given(st.binary(max_size=200))
    def test_any_bytes_give_an_array_or_a_clear_error(self, content: bytes) -> None:
        with contextlib.suppress(DigitsError):
            array = formats.read_idx(content)
            assert content.endswith(array.tobytes())
            assert array.dtype != np.uint8 or formats.write_idx(array) == content

    @given(st.data())
    def test_truncated(self, draw: st.DataObject) -> None:
        content = formats.write_idx(np.arange(12, dtype=np.uint8).reshape(3, 4))
        with pytest.raises(DigitsError):
            formats.read_idx(content[: draw.draw(st.integers(0, len(content) - 1))])

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"\0\0\x0a\1\0\0\0\1\0\0\0\0", "magic number"),  # of no type
            (b"\0\0\x0c\1\0\0\0\2\0\0\0\5", "holds 4 bytes where its header says 8"),
            (b"PK\3\4whatever", "magic number"),
            (b"\0\0\x08\3\0\0", "broken header"),
            (b"\0\0\x08\1\0\0\0\5abc", "holds 3 bytes where its header says 5"),
            (b"\0\0\x08\1\0\0\0\2abc", "holds 3 bytes where its header says 2"),
            (b"\0\0\x08\4" + b"\xff" * 16, "holds 0 bytes"),
            (gzip.compress(b"\0\0\x08\1\0\0\0\1a", mtime=0)[:-9], "gzip"),
        ],
    )
    def test_refused_with_the_reason(self, content: bytes, reason: str) -> None:
        with pytest.raises(DigitsError, match=reason):
            formats.read_idx(content)

    def test_a_gzip_bomb_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(formats, "LARGEST_FILE", 1000)
        with pytest.raises(DigitsError, match="unpacks to more"):
            formats.read_idx(gzip.compress(bytes(2000)))


class Bomb:
    """Unpickling it makes a folder, as a forged file could do worse."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


class TestWheel:
    def wheel(self, content: object) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as wheel:
            wheel.writestr(formats.WHEEL_MEMBER, gzip.compress(pickle.dumps(content), 1))
        return file.getvalue()

    def test_reads_fractions_of_256(self) -> None:
        images = np.arange(2 * 784, dtype=np.float32).reshape(2, 784) % 256
        pair = (images / 256, np.array([3, 4]))
        arrays = formats.read_wheel(self.wheel((pair, pair, pair)))
        assert arrays["train_images"].shape == (4, 28, 28)
        assert np.array_equal(arrays["test_images"].reshape(2, 784), images)
        assert arrays["train_labels"].tolist() == [3, 4, 3, 4]

    def test_runs_no_code(self, tmp_path: Path) -> None:
        with pytest.raises(DigitsError, match="mkdir, which is refused"):
            formats.read_wheel(self.wheel(Bomb(str(tmp_path / "exploded"))))
        assert not (tmp_path / "exploded").exists()

    @pytest.mark.parametrize("content", ["text", (1, 2, 3), None])
    def test_other_content(self, content: object) -> None:
        with pytest.raises(DigitsError, match="three pairs of arrays"):
            formats.read_wheel(self.wheel(content))

    def test_not_a_wheel(self) -> None:
        with pytest.raises(DigitsError, match="not the wheel"):
            formats.read_wheel(b"<html>Log in to the guest network</html>")
