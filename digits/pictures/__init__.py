"""Any file or array -> grey pixels, upright and opaque, or one sentence that says what is wrong."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from digits.pictures.documents import Document, PageOf, Source, decoding
from digits.pictures.grey import LARGEST_PICTURE, Grey, of_image


def load(source: Source, most_pixels: int = LARGEST_PICTURE) -> Grey:
    """Reads a picture as brightness, upright.

    Args:
        source: a path; the content of a picture file as bytes; a binary file to read it from; an
            array of shape (h, w) or (h, w, 1) grey, (h, w, 3) RGB, (h, w, 4) RGBA; a PIL image; or
            a `PageOf` a document. In an array, white is 255 in uint8 and the other integers,
            65535 in uint16, 1 in floats of which none is above 1, 255 in other floats, and True.
            The format is recognised by a file's content, not its name. Only the first page of a
            document and the first frame of an animation are read.

    Returns:
        uint8 of shape (h, w), 0 black to 255 white. Colour becomes luma (ITU-R BT.601). What is
        transparent becomes white or black, whichever lets the ink be seen. Samples of more than 8
        bits are scaled by the number of bits in use. A grey array is returned as it is. A page of
        a PDF has 300 dots per inch, or fewer where it would be too large.

    Raises:
        DigitsError: no such file, a file that is damaged or not a picture, an array of another
            shape or without a clear range, a package that is not installed and such a file needs,
            or more than `most_pixels`, which is found before they are decoded.
    """
    if isinstance(source, np.ndarray):
        from digits.pictures.arrays import of_array  # most pictures are files

        return of_array(source)
    if isinstance(source, Image.Image):
        with decoding("The picture", f"is a {source.format or 'PIL'} image that is damaged"):
            return of_image(source, "The picture", most_pixels)
    if isinstance(source, PageOf):
        with Document(source.file, most_pixels) as document:
            return document.page(source.number)
    with Document(source, most_pixels) as document:
        return document.page(1)


def load_pages(source: Source) -> Iterator[Grey]:
    """Reads every page of a document, each when it is asked for; of other pictures the only one.

    PDF and TIFF are documents, and HEIC with several pictures, of which the main one comes first.
    GIF, PNG, WebP and AVIF are not: of an animation the first frame is read. Copies of a TIFF's
    page in low resolution, and masks, are left out.

    Args:
        source: as for `load`.

    Yields:
        as `load` returns.

    Raises:
        DigitsError: as for `load`; a page that is damaged ends the document. `documents.Document`
            gives the pages after it.
    """
    if isinstance(source, (np.ndarray, Image.Image, PageOf)):
        yield load(source)
        return
    with Document(source) as document:
        for number in range(1, len(document) + 1):
            yield document.page(number)
