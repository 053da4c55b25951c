"""Pages of a PDF, drawn by PDFium."""

from __future__ import annotations

import ctypes
import math
import threading
import time

from PIL import Image

from digits.errors import DigitsError
from digits.pictures.frames import needs_extra
from digits.pictures.grey import LARGEST_PICTURE, check_size

RESOLUTION = 300  # dots per inch, as of a scan
POINTS = 72  # PDF's unit, in an inch
PAGE_SECONDS = 10  # of the processor, in which a page must be drawn
_PDFIUM = threading.Lock()  # one thread at a time may call PDFium, whatever the document
_WHITE = 0xFFFFFFFF


class PdfPages:
    """The pages of a PDF that is open, counted from 0; each is drawn when it is asked for.

    PDFium's own functions are called (https://pdfium.googlesource.com/pdfium/+/main/public/), since
    pypdfium2's objects are freed by whichever thread collects garbage, and cannot be interrupted.
    """

    def __init__(self, content: bytes, name: str) -> None:
        try:
            import pypdfium2.raw as pdfium
        except ImportError:
            raise needs_extra(name, "PDF") from None
        self._pdfium = pdfium
        self._content = content  # PDFium reads from it until the document is closed
        with _PDFIUM:
            self._document = pdfium.FPDF_LoadMemDocument64(content, len(content), None)
            error = pdfium.FPDF_GetLastError()
            if not self._document and error in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
                raise DigitsError(f"{name} is locked with a password; save it without one.")
            if not self._document or pdfium.FPDF_GetPageCount(self._document) < 1:
                pdfium.FPDF_CloseDocument(self._document)  # which none may be
                raise DigitsError(
                    f"{name} is a PDF that is damaged, cut short or without pages; download it "
                    "again, or print it to a new PDF."
                )
            self._filling = pdfium.FPDF_FORMFILLINFO(version=2)
            self._form = pdfium.FPDFDOC_InitFormFillEnvironment(self._document, self._filling)

    def __len__(self) -> int:
        with _PDFIUM:
            return self._pdfium.FPDF_GetPageCount(self._document)

    def image(self, number: int, name: str, most_pixels: int) -> Image.Image:
        """A page in RGB on white, with what is filled in its forms and drawn as annotations.

        It has 300 dots per inch, or as many as keep it within `LARGEST_PICTURE`. Raises
        PictureTooLarge if that is more than `most_pixels`, DigitsError if the page takes more than
        `PAGE_SECONDS` to draw, and ValueError if it is damaged.
        """
        pdfium = self._pdfium
        with _PDFIUM:
            page = pdfium.FPDF_LoadPage(self._document, number)
            if not page:
                raise ValueError("the page cannot be found")
            try:
                return self._drawn(page, name, most_pixels)
            finally:
                pdfium.FPDF_ClosePage(page)

    def close(self) -> None:
        with _PDFIUM:
            if self._form:
                self._pdfium.FPDFDOC_ExitFormFillEnvironment(self._form)
            self._pdfium.FPDF_CloseDocument(self._document)

    def _drawn(self, page: ctypes.c_void_p, name: str, most_pixels: int) -> Image.Image:
        pdfium = self._pdfium
        width, height = _pixels(pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page))
        check_size(width, height, name, most_pixels)
        pixels = bytearray(3 * width * height)
        bitmap = pdfium.FPDFBitmap_CreateEx(
            width,
            height,
            pdfium.FPDFBitmap_BGR,
            (ctypes.c_char * len(pixels)).from_buffer(pixels),
            3 * width,
        )
        if not bitmap:
            raise ValueError("there is no memory to draw it")
        try:
            pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
            flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
            place = (bitmap, page, 0, 0, width, height, 0, flags)
            deadline = time.thread_time() + PAGE_SECONDS
            late = type(pdfium.IFSDK_PAUSE().NeedToPauseNow)(
                lambda _: time.thread_time() > deadline
            )
            pause = pdfium.IFSDK_PAUSE(version=1, NeedToPauseNow=late)
            status = pdfium.FPDF_RenderPageBitmap_Start(*place, pause)
            pdfium.FPDF_RenderPage_Close(page)
            if status == pdfium.FPDF_RENDER_TOBECONTINUED:
                raise DigitsError(
                    f"{name} takes more than {PAGE_SECONDS} seconds to draw; save the page as a "
                    "picture."
                )
            if status != pdfium.FPDF_RENDER_DONE:
                raise ValueError("it cannot be drawn")
            if self._form:
                pdfium.FPDF_FFLDraw(self._form, *place)
        finally:
            pdfium.FPDFBitmap_Destroy(bitmap)
        return Image.frombuffer("RGB", (width, height), pixels, "raw", "RGB", 0, 1)


def _pixels(width: float, height: float) -> tuple[int, int]:
    """The size in which a page is drawn that is so many points wide and high."""
    scale = RESOLUTION / POINTS
    scale = min(scale, math.sqrt(LARGEST_PICTURE / max(width * height, 1)))
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    across, down = min(across, LARGEST_PICTURE), min(down, LARGEST_PICTURE)
    # The short side of a strip was rounded up to 1, or either side up past the limit.
    return max(1, min(across, LARGEST_PICTURE // down)), min(down, LARGEST_PICTURE // across)
