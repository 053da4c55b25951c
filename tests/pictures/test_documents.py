"""Documents: every page, one at a time; HEIC and AVIF; and what their decoders may not do."""

import io
import itertools
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from picture_files import FILES, GREY, RGB, UPRIGHT, animated, encoded, seven, shows_seven
from PIL import Image
from test_mistakes import assert_sentence

from digits import pictures
from digits.errors import DigitsError
from digits.pictures.documents import Document, PageOf, count_pages


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_a_photo_of_a_phone_comes_upright(form: str, orientation: int) -> None:
    """Both kinds turn and mirror by boxes of their own, `irot` and `imir`."""
    turn = UPRIGHT[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(
        RGB if turn is None else RGB.transpose(turn),
        form,
        exif=exif.tobytes(),
        **({"quality": -1, "chroma": 444} if form == "HEIF" else {"quality": 100}),
    )
    assert (b"irot" in content or b"imir" in content) == (orientation != 1)
    assert shows_seven(pictures.load(content))


def test_all_brands_of_a_file_say_what_it_is() -> None:
    """Both may name a general brand first."""
    for kind, brand in (("heic", b"mif1"), ("avif", b"mif1")):
        content = bytearray(FILES[kind])
        content[8:12] = brand
        assert shows_seven(pictures.load(bytes(content)))


# Pages


def page(number: int) -> Image.Image:
    """A page whose width says which it is, from 0."""
    return GREY.resize((31 + number, 40))


@pytest.mark.parametrize("form", ["TIFF", "PDF", "HEIF"])
def test_every_page_in_order(form: str, tmp_path: Path) -> None:
    images = [page(number) for number in range(5)]
    options = {"resolution": 300} if form == "PDF" else {}
    path = tmp_path / "document"
    path.write_bytes(encoded(images[0], form, save_all=True, append_images=images[1:], **options))
    sizes = [(40, 31 + number) for number in range(5)]
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        assert [grey.shape for grey in pictures.load_pages(source)] == sizes
    assert pictures.load(path).shape == sizes[0]
    assert count_pages(path) == 5
    for number in (4, 2, 5, 1):  # in any order
        assert pictures.load(PageOf(path, number)).shape == sizes[number - 1]
    for number in (0, 6, -1):
        with pytest.raises(DigitsError, match=f"has no page {number}; its pages are 1 to 5"):
            pictures.load(PageOf(path, number))


@pytest.mark.parametrize("kind", [kind for kind in FILES if "several" not in kind])
def test_other_files_have_one_page(kind: str, tmp_path: Path) -> None:
    """Animations too, of which the first frame is read."""
    (grey,) = pictures.load_pages(FILES[kind])
    np.testing.assert_array_equal(grey, pictures.load(FILES[kind]))
    (tmp_path / "picture").write_bytes(FILES[kind])
    assert count_pages(tmp_path / "picture") == 1


def test_what_is_no_file_is_its_own_only_page() -> None:
    for source in (seven(), GREY, PageOf(animated("TIFF"), 2)):
        (grey,) = pictures.load_pages(source)
        np.testing.assert_array_equal(grey, pictures.load(source))


def test_a_small_copy_of_a_page_and_a_mask_are_no_pages() -> None:
    """Which of a TIFF's pictures are pages, its tag 254 tells."""
    pages = [page(number) for number in range(4)]
    for image, kind in zip(pages, (0, 1, 4, 2), strict=True):  # 2: a page of several
        image.encoderinfo = {"tiffinfo": {254: kind}}
    content = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], tiffinfo={254: 0})
    assert [grey.shape[1] for grey in pictures.load_pages(content)] == [31, 34]


def test_each_page_of_a_tiff_has_its_own_orientation() -> None:
    turned = RGB.transpose(Image.Transpose.ROTATE_90)
    turned.encoderinfo = {"tiffinfo": {0x0112: 6}}
    content = encoded(RGB, "TIFF", save_all=True, append_images=[turned])
    first, second = pictures.load_pages(content)
    assert shows_seven(first)
    assert shows_seven(second)


def test_a_damaged_page_does_not_take_the_others_with_it() -> None:
    images = [page(number) for number in range(3)]
    content = bytearray(
        encoded(images[0], "TIFF", save_all=True, append_images=images[1:], compression="tiff_lzw")
    )
    second = Image.open(io.BytesIO(content))
    second.seek(1)
    (at,), (length,) = second.tag_v2[273], second.tag_v2[279]  # type: ignore[attr-defined] # of a TIFF
    content[at : at + length] = b"\xff" * length
    with Document(bytes(content)) as document:
        assert len(document) == 3
        for number in (1, 3):
            assert document.page(number).shape[1] == 30 + number
        with pytest.raises(DigitsError, match="Page 2 of The picture is damaged") as caught:
            document.page(2)
        assert_sentence(caught.value, "Page 2 of The picture ")
    pages = pictures.load_pages(bytes(content))
    next(pages)
    with pytest.raises(DigitsError, match="Page 2"):
        next(pages)


def list_end(content: bytes) -> int:
    """Where a TIFF says that there is no next page."""
    (at,) = struct.unpack("<I", content[4:8])
    while True:
        (entries,) = struct.unpack("<H", content[at : at + 2])
        place = at + 2 + 12 * entries
        (at,) = struct.unpack("<I", content[place : place + 4])
        if not at:
            return place


TWO_PAGES = encoded(page(0), "TIFF", save_all=True, append_images=[page(1)])


def with_third_page_at(place: int) -> bytes:
    end = list_end(TWO_PAGES)
    return TWO_PAGES[:end] + struct.pack("<I", place) + TWO_PAGES[end + 4 :]


def test_a_damaged_list_of_pages_is_told_after_the_pages_before() -> None:
    pages = pictures.load_pages(with_third_page_at(len(TWO_PAGES) - 3))
    assert [next(pages).shape[1] for _ in range(2)] == [31, 32]
    with pytest.raises(DigitsError, match="Page 3 of The picture is damaged"):
        next(pages)


def test_a_list_of_pages_that_leads_back_into_itself_ends() -> None:
    (first,) = struct.unpack("<I", TWO_PAGES[4:8])
    pages = pictures.load_pages(with_third_page_at(first))
    assert [grey.shape[1] for grey in itertools.islice(pages, 10)] == [31, 32]


# Without the extra


@pytest.mark.parametrize(
    ("kind", "missing"),
    [("heic", "pillow_heif"), ("avif", "PIL.AvifImagePlugin"), ("pdf", "pypdfium2")],
)
def test_without_the_extra_a_sentence_names_it(
    kind: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(missing)]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(DigitsError, match="pip install 'mnist-classification") as caught:
        pictures.load(FILES[kind])
    assert str(caught.value) == (
        f"The picture is {kind.upper()}, which takes more packages to read; install them with "
        "pip install 'mnist-classification[files]' and try again."
    )


def test_a_pillow_that_was_built_without_avif(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.AvifImagePlugin.SUPPORTED", False)
    with pytest.raises(DigitsError, match=r"is AVIF.*mnist-classification\[files\]"):
        pictures.load(FILES["avif"])


def test_decoders_are_imported_when_such_a_file_is_met(tmp_path: Path) -> None:
    for kind in ("png", "heic", "avif", "pdf"):
        (tmp_path / kind).write_bytes(FILES[kind])
    program = """if True:
        import sys
        from digits import pictures
        for kind in ("png", "heic", "avif", "pdf"):
            pictures.load(kind)
            names = "pillow_heif", "PIL.AvifImagePlugin", "pypdfium2", "digits.pictures.pdf"
            print(kind, *[name for name in names if name in sys.modules])
    """
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert (found.stdout.splitlines(), found.stderr) == (
        [
            "png",
            "heic pillow_heif",
            "avif pillow_heif PIL.AvifImagePlugin",
            "pdf pillow_heif PIL.AvifImagePlugin pypdfium2 digits.pictures.pdf",
        ],
        "",
    )


# PIL images


def test_a_pil_image_is_a_picture(tmp_path: Path) -> None:
    assert shows_seven(pictures.load(RGB))
    for kind in ("png, RGBA", "jpeg, RGB", "tiff, 16 bits", "webp", "heic"):
        with Image.open(io.BytesIO(FILES[kind])) as image:
            mode = image.mode
            np.testing.assert_array_equal(pictures.load(image), pictures.load(FILES[kind]))
            assert image.mode == mode  # it is not altered
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(RGB.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    assert shows_seven(pictures.load(Image.open(io.BytesIO(turned))))
    with pytest.raises(DigitsError, match="The picture is a PNG image that is damaged") as caught:
        pictures.load(Image.open(io.BytesIO(FILES["png"][:-40])))
    assert_sentence(caught.value, "The picture ")
    with pytest.raises(DigitsError, match="9,000 × 9,000 pixels"):
        pictures.load(Image.new("1", (9_000, 9_000)))
