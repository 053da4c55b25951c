"""PDF files: drawn page by page, within bounds, and refused with a sentence."""

import resource
import zlib

import numpy as np
import pytest
from pdf_files import drawing, pages_of, pdf_of, stream
from picture_files import FILES, shows_seven
from test_mistakes import assert_sentence

from digits import pictures
from digits.errors import DigitsError
from digits.pictures import pdf
from digits.pictures.documents import Document
from digits.pictures.grey import LARGEST_PICTURE


def test_a_page_is_drawn_as_a_scan_of_300_dots_per_inch() -> None:
    grey = pictures.load(drawing(b"0.5 g 36 36 36 36 re f"))
    assert grey.shape == (300, 600)
    expected = np.full((300, 600), 255)
    expected[:150, 150:300] = 127
    assert np.abs(grey.astype(int) - expected).max() <= 2
    assert pictures.load(drawing(b"", page=b"/Rotate 90")).shape == (600, 300)


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        (b"[0 0 14400 14400]", (8192, 8192)),
        (b"[0 0 14400 72]", (300, 60_000)),
        (b"[0 0 0.01 0.01]", (1, 1)),
        (b"[0 0 0 0]", (3300, 2550)),  # PDFium takes what is no size for a letter
        (b"[0 0 1e30 1e30]", (3300, 2550)),
    ],
)
def test_the_size_of_a_page_is_bounded(box: bytes, shape: tuple[int, int]) -> None:
    grey = pictures.load(drawing(b"", box))
    assert grey.shape == shape
    assert grey.size <= LARGEST_PICTURE
    assert grey.min() == 255


def test_sizes_in_points_become_pixels_within_the_limit() -> None:
    random = np.random.default_rng(1)
    for width, height in 10 ** random.uniform(-3, 8, (1000, 2)):
        across, down = pdf._pixels(width, height)
        assert across >= 1
        assert down >= 1
        assert across * down <= LARGEST_PICTURE


def test_what_is_filled_in_a_form_is_drawn() -> None:
    """In each field, its own drawing of its value; by PDFium's form module, not with the page."""
    look = stream(b"0 g 0 0 24 24 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 48 24]")
    field = (
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(42)/F 4/P 3 0 R/Rect[24 24 72 48]"
        b"/AP<</N 6 0 R>>>>"
    )
    grey = pictures.load(
        drawing(
            b"",
            b"[0 0 144 72]",
            field,
            look,
            catalogue=b"/AcroForm<</Fields[5 0 R]/DA(/Helv 12 Tf 0 g)>>",
            page=b"/Annots[5 0 R]",
        )
    )
    expected = np.full((300, 600), 255)
    expected[100:200, 100:200] = 0
    assert np.abs(grey.astype(int) - expected).mean() < 1


LOCKED = pdf_of(
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    b"<</Filter/Standard/V 1/R 2/P -4/O(%s)/U(%s)>>" % (b"o" * 32, b"u" * 32),
    trailer=b"/Encrypt 4 0 R/ID[(a)(a)]",
)
NO_PAGES = pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (LOCKED, "is locked with a password; save it without one"),
        (NO_PAGES, "damaged, cut short or without pages"),
        (FILES["pdf"][:300], "damaged, cut short or without pages"),
        (
            pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[9 0 R]/Count 1>>"),
            "is a PDF file that is damaged or cut short .the page cannot be found",
        ),
    ],
)
def test_a_pdf_that_cannot_be_read_gets_one_sentence(content: bytes, reason: str) -> None:
    for read in (pictures.load, lambda source: list(pictures.load_pages(source))):
        with pytest.raises(DigitsError, match=reason) as caught:
            read(content)
        assert_sentence(caught.value, "The picture ")


def test_lines_before_a_pdf_do_not_hide_it() -> None:
    assert shows_seven(pictures.load(b"\r\n" + FILES["pdf"]))


def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "PAGE_SECONDS", 0)
    long = drawing(b"0 0 m 90 70 30 20 90 9 c S 0 0 144 72 re f\n" * 30_000)
    with pytest.raises(DigitsError, match="takes more than 0 seconds to draw; save") as caught:
        pictures.load(long)
    assert_sentence(caught.value, "The picture ")
    monkeypatch.undo()
    assert shows_seven(pictures.load(FILES["pdf"]))  # what was given up does no harm


def test_a_picture_in_a_pdf_is_not_held_whole() -> None:
    """20,000 × 20,000 pixels, of a byte each."""
    side = 20_000
    packer = zlib.compressobj(1)
    rows = bytes(1 << 20)
    packed = b"".join(packer.compress(rows) for _ in range(-(-side * side >> 20))) + packer.flush()
    image = stream(
        packed,
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8"
        b"/ColorSpace/DeviceGray/Filter/FlateDecode" % (side, side),
    )
    content = drawing(
        b"144 0 0 72 0 0 cm /I Do",
        b"[0 0 144 72]",
        image,
        page=b"/Resources<</XObject<</I 5 0 R>>>>",
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert pictures.load(content).shape == (300, 600)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # kB


def test_ten_thousand_pages_are_drawn_one_at_a_time() -> None:
    content = pages_of(10_000)
    with Document(content) as document:
        assert len(document) == 10_000
        for number in range(1, 101):
            document.page(number)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in (*range(101, 1_000), *range(9_000, 10_001)):
            side = int((document.page(number) == 0).sum()) ** 0.5
            assert abs(side - (number % 4 + 1) * 300 / 72) < 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10  # kB


def test_threads_share_pdfium() -> None:
    """Which is not made for threads."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        for grey in pool.map(pictures.load, [FILES["pdf"], FILES["heic"], FILES["avif"]] * 60):
            assert shows_seven(grey)
