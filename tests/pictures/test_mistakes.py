"""What is not a picture is refused, in one sentence and before memory is spent on it."""

import io
import os
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from picture_files import FILES, RGB, encoded, png_chunk
from PIL import Image

from digits import pictures
from digits.errors import DigitsError
from digits.pictures import contents
from digits.pictures.grey import PictureTooLarge


@given(
    npst.arrays(
        st.one_of(npst.scalar_dtypes(), npst.byte_string_dtypes(), npst.unicode_string_dtypes()),
        npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    )
)
def test_any_array_is_a_picture_or_refused(array: NDArray[np.generic]) -> None:
    try:
        grey = pictures.load(array)
    except DigitsError as error:
        assert_sentence(error, "The picture ")
    else:
        assert grey.shape == array.shape[:2]
        assert grey.dtype == np.uint8


@pytest.mark.parametrize(
    ("array", "remedy"),
    [
        (np.array([[0.5, np.nan]]), "not finite"),
        (np.array([[0.5, np.inf]]), "not finite"),
        (np.full((4, 4), 1.5), "neither from 0 to 1 nor from 0 to 255"),
        (np.full((4, 4), -0.5), "from -0.5 to -0.5; scale them to 0"),
        (np.full((4, 4), 256.0), "scale them to 0"),
        (np.full((4, 4), 300), "scale them to 0"),
        (np.full((4, 4), 255, np.uint16), r"astype\('uint8'\)"),
        (np.full((4, 4), 1, np.int64), r"astype\(bool\)"),
        (np.zeros((1, 784), np.uint8), r"reshape\(28, 28\)"),
        (np.zeros((784, 1), np.float32), r"reshape\(28, 28\)"),
        (np.zeros((3, 40, 50), np.uint8), "channels last"),
        (np.zeros((10, 28, 28), np.uint8), "one picture at a time"),
        (np.zeros((2, 28, 28, 3), np.uint8), "one picture at a time"),
        (np.zeros(784, np.uint8), r"reshape\(28, 28\)"),
        (np.zeros(100, np.uint8), r"not \(height, width\)"),
        (np.zeros((0, 5), np.uint8), r"no pixels \(5 × 0\)"),
        (np.array([["a"]]), "not of numbers"),
        (np.broadcast_to(np.zeros(1, np.uint8), (9_000, 9_000)), "9,000 × 9,000"),
    ],
)
def test_arrays_that_are_not_a_picture(array: NDArray[np.generic], remedy: str) -> None:
    with pytest.raises(DigitsError, match=remedy) as caught:
        pictures.load(array)
    assert_sentence(caught.value, "The picture")


def assert_sentence(error: DigitsError, beginning: str) -> None:
    text = str(error)
    assert text.startswith(beginning)
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 400


def png_of(width: int, height: int) -> bytes:
    """A PNG that has nothing but its header."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")


def tiff_of(width: int, height: int) -> bytes:
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 1}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


BAD_FILES = {
    "empty": (b"", "is empty"),
    "text named .png": (b"four\n", "is text, not a picture"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is text, not a picture"),
    "PDF": (b"%PDF-1.7\n\xc4\xe5", "is a PDF that is damaged, cut short or without pages"),
    "photo of an iPhone": (b"\0\0\0\x24ftypheic\0\0\0\0", "is a HEIC file that is damaged"),
    "video": (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "is a video"),
    "random": (b"\x05\x81\xff\x00\x17", "not in a format that can be read"),
    "a format that is not read": (b"\0\0\x01\0\x01\0", "not in a format that can be read"),
    "signature alone": (b"\x89PNG\r\n\x1a\n", "damaged or cut short"),
    "cut short": (encoded(RGB, "PNG")[:-40], "damaged or cut short"),
    "JPEG cut short": (encoded(RGB, "JPEG")[:500], "damaged or cut short"),
    "GIF cut short": (encoded(RGB, "GIF")[:-30], "damaged or cut short"),
    "TIFF cut short": (encoded(RGB, "TIFF", compression="tiff_lzw")[:150], "damaged or cut short"),
    "no pixels": (png_of(0, 5), "damaged or cut short|no pixels"),
    "floats that are none": (
        encoded(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF"),
        "not finite",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_what_is_not_a_picture_is_refused_in_one_sentence(kind: str, tmp_path: Path) -> None:
    content, reason = BAD_FILES[kind]
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(DigitsError, match=reason) as caught:
        pictures.load(path)
    assert_sentence(caught.value, str(path))
    for source in (content, io.BytesIO(content)):
        with pytest.raises(DigitsError, match=reason) as caught:
            pictures.load(source)
        assert_sentence(caught.value, "The picture")


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for source, reason in (
        (tmp_path / "none.png", "there is no such file"),
        (tmp_path, "is a folder"),
        ("a\0b", "null"),
        ("", "no such file"),
        ("x" * 5000, "cannot be read"),
    ):
        with pytest.raises(DigitsError, match=reason) as caught:
            pictures.load(source)
        assert str(caught.value).endswith(".")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(FILES["png"])
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # root may read everything
        os.seteuid(65534)
    try:
        with pytest.raises(DigitsError, match=r"secret.png cannot be read \(Permission denied\)"):
            pictures.load(path)
    finally:
        os.seteuid(user)


def test_a_source_of_another_kind_is_refused(tmp_path: Path) -> None:
    # Each `type: ignore` is a mistake that the types forbid and a caller without them makes.
    (tmp_path / "a.txt").write_text("four")
    with (tmp_path / "a.txt").open() as text, pytest.raises(DigitsError, match="binary mode"):
        pictures.load(text)  # type: ignore[arg-type] # wrong on purpose
    with pytest.raises(
        DigitsError, match="is a path, bytes, a binary file, a NumPy array or a PIL"
    ):
        pictures.load(None)  # type: ignore[arg-type] # wrong on purpose
    with pytest.raises(DigitsError, match=r"A list is not one .* read_many .*numpy.asarray"):
        pictures.load([[0]])  # type: ignore[arg-type] # wrong on purpose
    closed = io.BytesIO()
    closed.close()
    with pytest.raises(DigitsError, match="closed file"):
        pictures.load(closed)


def test_a_file_of_too_many_bytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(contents.LARGEST_FILE + 1)  # a hole: no disk is used
    tracemalloc.start()
    try:
        with pytest.raises(DigitsError, match="more than the limit of 256 MB"):
            pictures.load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20  # bytes


SIDE = 60_000
BOMBS = {  # name -> file of a few bytes that claims to be 3.6 thousand million pixels
    "png": png_of(SIDE, SIDE),
    "gif": b"GIF89a" + struct.pack("<HH", SIDE, SIDE) + b"\0\0\0,\0\0\0\0"
    + struct.pack("<HH", SIDE, SIDE) + b"\0\x08\0;",
    "bmp": b"BM" + struct.pack("<IHHIIiiHHI", 54, 0, 0, 54, 40, SIDE, SIDE, 1, 24, 0) + bytes(20),
    "tiff": tiff_of(SIDE, SIDE),
    "ppm": f"P6 {SIDE} {SIDE} 255\n".encode(),
    "jpeg": b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", SIDE, SIDE)
    + b"\x03\x01\x22\0\x02\x11\0\x03\x11\0\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0",
    # A whole file: 9,000 × 9,000 pixels, all black, in 34 bytes.
    "webp": bytes.fromhex("524946461a000000574542505650384c0e0000002f27e3c908071011fd0f4444ff03"),
}  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Windows does not tell a process's peak memory")
def test_a_bomb_is_refused_by_its_header_before_memory_is_spent(tmp_path: Path) -> None:
    for name, content in BOMBS.items():
        (tmp_path / name).write_bytes(content)
    program = """if True:
        import resource, sys
        from digits import pictures
        from digits.errors import DigitsError
        from PIL import Image, TiffImagePlugin, WebPImagePlugin
        Image.preinit()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for path in sys.argv[1:]:
            try:
                pictures.load(path)
            except DigitsError as error:
                print(error)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print((after - before) >> (20 if sys.platform == "darwin" else 10))
    """
    paths = [str(tmp_path / name) for name in BOMBS]
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *paths], capture_output=True, text=True
    )
    assert found.stderr == ""
    *sentences, spent = found.stdout.splitlines()
    assert len(sentences) == len(BOMBS)
    for path, sentence in zip(paths, sentences, strict=True):
        assert sentence.startswith(f"{path} ")
        assert "make it smaller" in sentence
    assert int(spent) < 8  # MB; one of them would take thousands


def test_the_largest_picture_is_read() -> None:
    """The limit does not refuse a scan of a page: 8,192 × 8,192, as two tones in 8 kB."""
    image = Image.new("1", (8192, 8192), 1)
    assert pictures.load(encoded(image, "TIFF", compression="group4")).shape == (8192, 8192)


# Fuzzing, and what it found.


@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_file_is_a_picture_or_refused(kind: str, draw: st.DataObject) -> None:
    content = bytearray(FILES[kind])
    for _ in range(draw.draw(st.integers(0, 4), "changes")):
        # Most of what can go wrong is in the first bytes.
        last = draw.draw(st.sampled_from([min(64, len(content) - 1), len(content) - 1]))
        content[draw.draw(st.integers(0, last))] = draw.draw(st.integers(0, 255))
    end = draw.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))), "length")
    assert_picture_or_sentence(bytes(content[:end]))


@given(st.sampled_from([b"", *(content[:16] for content in FILES.values())]), st.binary())
def test_random_bytes_are_a_picture_or_refused(beginning: bytes, rest: bytes) -> None:
    assert_picture_or_sentence(beginning + rest)


def assert_picture_or_sentence(content: bytes) -> None:
    try:
        grey = pictures.load(content)
    except DigitsError as error:
        assert_sentence(error, "The picture ")
    else:
        assert grey.dtype == np.uint8
        assert grey.ndim == 2
        assert grey.size > 0
        assert grey.flags.c_contiguous


def test_found_a_strip_of_many_rows_is_no_slower_than_a_square() -> None:
    """Three altered bytes made a 16-bit TIFF 31 × 2,000,000, and scaling went row by row."""

    def seconds(height: int, width: int) -> float:
        """Of the processor, so that other work on the machine does not count."""
        content = encoded(Image.fromarray(np.full((height, width), 65535, np.uint16)), "TIFF")
        started = time.process_time()
        assert pictures.load(content).min() == 255
        return time.process_time() - started

    assert seconds(1_000_000, 1) < 20 * seconds(1_000, 1_000)  # row by row it was a thousand times


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("WEBP", {"lossless": True}),
        ("WEBP", {"lossless": False}),
        ("WEBP", {"save_all": True}),
        ("PNG", {}),
        ("JPEG", {}),
        ("TIFF", {}),
        ("GIF", {}),
        ("AVIF", {}),
    ],
)
def test_a_limit_of_pixels_holds_before_anything_is_decoded(
    kind: str, settings: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    Image.new("RGB", (203, 57)).save(content, kind, **settings)
    assert pictures.load(content.getvalue(), 203 * 57).shape == (57, 203)
    if kind == "WEBP":  # whose decoder makes room for all pixels as it opens
        monkeypatch.setattr("PIL.WebPImagePlugin.WebPImageFile", None)
    with pytest.raises(PictureTooLarge, match=r"203 × 57 pixels, more than the limit of 11,570"):
        pictures.load(content.getvalue(), 203 * 57 - 1)
