"""Picture files that are open, with one page or many."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from numpy.typing import NDArray
from PIL import Image

from digits.errors import DigitsError
from digits.pictures.contents import File, content_of, name_of
from digits.pictures.frames import Frames
from digits.pictures.grey import LARGEST_PICTURE, Grey, PictureTooLarge, of_image
from digits.pictures.kinds import DOCUMENTS, kind_of

if TYPE_CHECKING:
    from digits.pictures.pdf import PdfPages


class PageOf(NamedTuple):
    """A page of a document, as a picture: PageOf("scan.pdf", 2).

    Attributes:
        file: a path, or the content of a file.
        number: of the page, from 1.
    """

    file: str | Path | bytes
    number: int


Source: TypeAlias = File | NDArray[Any] | Image.Image | PageOf

_WARNINGS = threading.Lock()


class Document:
    """A picture file that is open. `len` is how many pages it has; most files have one.

    Its pages are counted and decoded when they are asked for, and nothing of them is kept. To be
    closed, best by a `with` statement, and used by one thread.
    """

    def __init__(self, file: File, most_pixels: int = LARGEST_PICTURE) -> None:
        """Reads the file, whose kind its content tells; pages with more pixels are not decoded.
        Raises DigitsError, see `pictures.load`."""
        self._most_pixels = most_pixels
        self.name = name_of(file)
        content = content_of(file, self.name)
        self._kind = kind_of(content, self.name)
        with self._decoding(1):
            self._pages: Frames | PdfPages
            if self._kind == "PDF":
                from digits.pictures.pdf import PdfPages

                self._pages = PdfPages(content, self.name)
            else:
                self._pages = Frames(content, self._kind, self.name, most_pixels)

    def __enter__(self) -> Document:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees what the file takes; done at the end of a `with` statement."""
        self._pages.close()

    def __len__(self) -> int:
        with self._decoding(1):
            return len(self._pages)

    def page(self, number: int) -> Grey:
        """A page, counted from 1, as `pictures.load` returns it. Raises DigitsError if it is
        damaged, too large, or not there; other pages can be read all the same."""
        if number != 1 and not 1 <= number <= len(self):
            raise DigitsError(f"{self.name} has no page {number}; its pages are 1 to {len(self)}.")
        with self._decoding(number) as name:
            image = self._pages.image(number - 1, name, self._most_pixels)
            return of_image(image, name, self._most_pixels)

    def _decoding(self, number: int) -> contextlib.AbstractContextManager[str]:
        name, failure = self.name, f"is a {self._kind} file that is damaged or cut short"
        if number != 1:
            name, failure = f"Page {number} of {name}", "is damaged or cut short"
        return decoding(name, failure, warns=self._kind != "PDF")


def count_pages(path: str | Path) -> int:
    """How many pages a file has: 1, without a look at the rest, if its kind never has several, and
    if it cannot be read at all, which reading it explains."""
    if not os.path.isfile(path):  # nor is a pipe, whose beginning could not be read again
        return 1
    try:
        with open(path, "rb") as file:
            beginning = file.read(1024)
        if kind_of(beginning, str(path)) not in DOCUMENTS:
            return 1
        with Document(path) as document:
            return max(1, len(document))
    except (OSError, DigitsError):
        return 1


@contextlib.contextmanager
def decoding(name: str, failure: str, warns: bool = True) -> Iterator[str]:
    """Makes whatever a decoder raises in the block a DigitsError that begins with the picture's
    name and this failure, and drops the warnings of a decoder that `warns`. The block gets the
    name."""
    with _without_warnings() if warns else contextlib.nullcontext():
        try:
            yield name
        except (DigitsError, MemoryError):
            raise
        except Image.DecompressionBombError:
            raise PictureTooLarge(
                f"{name} has far more than the limit of {LARGEST_PICTURE:,} pixels; "
                "make it smaller."
            ) from None
        except Exception as error:  # on a damaged file a decoder raises anything
            reason = " ".join(str(error).split())
            if "out of memory" in reason:  # as Pillow's decoders say it
                raise MemoryError from None
            if not any(map(str.isalpha, reason)):
                reason = f"{type(error).__name__} {reason}".rstrip()
            raise DigitsError(
                f"{name} {failure} ({reason:.80}); "
                "download it again, or open it in an image program and save it again."
            ) from None


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Pillow warns of oddities in files that it decodes all the same. All threads share one list of
    filters, hence the lock."""
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
