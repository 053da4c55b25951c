"""Every kind of picture comes out as the same grey array."""

import io
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from picture_files import DRAWING, FILES, GREY, RGB, UPRIGHT, encoded, png_chunk, seven
from PIL import Image

from digits import pictures
from digits.pictures.grey import Grey

BILEVEL = {
    form: encoded(GREY.convert("1", dither=Image.Dither.NONE), form, **options)
    for form, options in {
        "PNG": {}, "BMP": {}, "PPM": {}, "TIFF": {"compression": "group4"}
    }.items()
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_shows_the_same(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.dat"  # the name says nothing
    path.write_bytes(FILES[kind])
    grey = pictures.load(path)
    assert grey.dtype == np.uint8
    assert grey.flags.c_contiguous
    assert grey.shape == (40, 31)
    assert np.abs(grey.astype(int) - seven()).max() <= 3
    for source in (str(path), FILES[kind], io.BytesIO(FILES[kind])):
        np.testing.assert_array_equal(pictures.load(source), grey)


@pytest.mark.parametrize("form", BILEVEL)
def test_two_tones_are_black_and_white(form: str) -> None:
    expected = np.where(seven() > 127, 255, 0)
    np.testing.assert_array_equal(pictures.load(BILEVEL[form]), expected)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_comes_upright(form: str, orientation: int) -> None:
    """The file holds what a camera held that way would store: Pillow's own operation, undone."""
    undo = UPRIGHT[orientation]
    stored = RGB if undo is None else RGB.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100} if form == "JPEG" else {"lossless": True} if form == "WEBP" else {}
    grey = pictures.load(encoded(stored, form, exif=exif, **options))
    assert grey.flags.c_contiguous
    assert np.abs(grey.astype(int) - seven()).max() <= 3


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_white_is_the_largest_value_of_the_bits_in_use(bits: int) -> None:
    white = 2**bits - 1
    wide = np.rint(seven() / 255.0 * white).astype(np.uint16)
    found = pictures.load(encoded(Image.fromarray(wide), "TIFF"))
    assert np.abs(found.astype(int) - seven()).max() <= 1


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0, 1e30])
def test_floats_of_any_range(white: float) -> None:
    values = (seven() / 230 * white).astype(np.float32)
    found = pictures.load(encoded(Image.fromarray(values), "TIFF"))
    assert found.max() == 255
    assert abs(int(found.min()) - 255 * 20 / 230) <= 1


def test_negative_samples_are_darker_than_zero() -> None:
    values = np.array([[-100, 0, 155]], np.int32)
    assert pictures.load(encoded(Image.fromarray(values), "TIFF")).tolist() == [[0, 72, 183]]


# Transparency.


def drawing(tone: int, nothing: int) -> Image.Image:
    """The 7 in one tone, on transparent pixels of another."""
    ink = seven() < 127
    colour = Image.fromarray(np.where(ink, tone, nothing).astype(np.uint8))
    alpha = Image.fromarray(np.where(ink, 255, 0).astype(np.uint8))
    return Image.merge("RGBA", (colour, colour, colour, alpha))


@pytest.mark.parametrize("tone", [0, 40, 200, 255])
@pytest.mark.parametrize("nothing", [0, 255])
def test_ink_on_nothing_is_seen(tone: int, nothing: int) -> None:
    grey = pictures.load(encoded(drawing(tone, nothing), "PNG"))
    ink = seven() < 127
    assert (grey[ink] == tone).all()
    assert len(set(grey[~ink].tolist())) == 1
    assert abs(int(grey[0, 0]) - tone) >= 128
    np.testing.assert_array_equal(pictures.load(np.asarray(drawing(tone, nothing))), grey)


def test_soft_edges_of_a_drawing_stay_soft() -> None:
    grey = pictures.load(encoded(DRAWING, "PNG"))
    np.testing.assert_array_equal(grey, seven())  # black, with the picture's own tone as alpha


@pytest.mark.parametrize("paper", [255, 0])
def test_round_corners_of_a_screenshot_are_paper(paper: int) -> None:
    tones = np.full((60, 60), paper, np.uint8)
    tones[20:40, 28:32] = 255 - paper
    alpha = np.full((60, 60), 255, np.uint8)
    alpha[:6, :6] = alpha[-6:, -6:] = 0
    grey = pictures.load(encoded(Image.merge("LA", [*map(Image.fromarray, (tones, alpha))]), "PNG"))
    np.testing.assert_array_equal(grey, tones)


def test_a_cut_out_keeps_its_paper() -> None:
    """A piece of light paper with dark ink on a large transparent page is not a block of ink."""
    tones, alpha = np.zeros((2, 100, 100), np.uint8)
    tones[40:80, 30:61], alpha[40:80, 30:61] = seven(), 255
    grey = pictures.load(encoded(Image.merge("LA", [*map(Image.fromarray, (tones, alpha))]), "PNG"))
    assert grey[0, 0] == 255
    np.testing.assert_array_equal(grey[40:80, 30:61], seven())


def test_nothing_at_all_is_blank() -> None:
    grey = pictures.load(encoded(Image.new("RGBA", (5, 4)), "PNG"))
    assert (grey == 255).all()
    assert grey.shape == (4, 5)


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_a_palette_with_transparency(form: str) -> None:
    image = Image.fromarray((seven() < 127).astype(np.uint8), "P")
    image.putpalette([0, 0, 0] * 2)  # black ink on transparent black
    grey = pictures.load(encoded(image, form, transparency=0))
    np.testing.assert_array_equal(grey, np.where(seven() < 127, 0, 255))


def test_a_palette_whose_every_entry_has_an_alpha() -> None:
    image = Image.fromarray((seven() < 127).astype(np.uint8), "P")
    image.putpalette([255, 255, 255] * 2)
    grey = pictures.load(encoded(image, "PNG", transparency=b"\0\xff"))
    np.testing.assert_array_equal(grey, np.where(seven() < 127, 255, 0))


# Arrays.


@given(
    npst.arrays(
        np.uint8,
        st.one_of(
            npst.array_shapes(min_dims=2, max_dims=2, max_side=9),
            st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4])),
        ),
    )
)
def test_arrays_agree_with_their_png(array: Grey) -> None:
    grey = pictures.load(array)
    assert grey.shape == array.shape[:2]
    assert grey.dtype == np.uint8
    file = encoded(Image.fromarray(array[:, :, 0] if array.shape[2:] == (1,) else array), "PNG")
    np.testing.assert_array_equal(pictures.load(file), grey)


def test_an_array_may_be_a_view() -> None:
    whole = np.repeat(np.repeat(seven(), 2, axis=0), 2, axis=1)
    np.testing.assert_array_equal(pictures.load(whole[::2, ::2]), seven())


# Unusual files.


def test_damaged_metadata_does_not_cost_the_picture() -> None:
    for exif in (
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12",
    ):
        for form in ("PNG", "JPEG", "WEBP"):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert pictures.load(encoded(GREY, form, exif=exif)).shape == (40, 31)


def test_an_unknown_orientation_is_upright() -> None:
    for value in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = value
        assert pictures.load(encoded(GREY, "PNG", exif=exif)).shape == (40, 31)


def test_warnings_of_a_decoder_are_silenced() -> None:
    """An APNG without frames: Pillow warns and reads the picture."""
    whole = FILES["png"]
    content = whole[:33] + png_chunk(b"acTL", struct.pack(">II", 0, 0)) + whole[33:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(pictures.load(content), seven())
        with pytest.raises(UserWarning, match="APNG"):
            Image.open(io.BytesIO(content))


def test_threads_share_no_state() -> None:
    filters = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        for grey in pool.map(pictures.load, [FILES["png"], FILES["gif"]] * 100):
            np.testing.assert_array_equal(grey, seven())
    assert list(warnings.filters) == filters


@pytest.mark.parametrize(
    "array",
    [
        seven() / 255,
        (seven() / 255).astype(np.float16),
        seven().astype(np.float32),
        seven().astype(np.int64),
        seven().astype(np.uint16) * 257,
        np.stack([seven() / 255] * 3, axis=-1),
    ],
    ids=["0 to 1", "half", "0 to 255", "int64", "uint16", "colour"],
)
def test_an_array_of_another_type_is_the_same_picture(array: NDArray[np.generic]) -> None:
    np.testing.assert_allclose(pictures.load(array), seven(), atol=1)


def test_a_mask_is_white_where_it_is_true() -> None:
    mask = seven() > 127
    np.testing.assert_array_equal(pictures.load(mask), np.where(mask, 255, 0))
