"""PDFs written by hand, so that a test says all that is in them."""

HEAD = b"%PDF-1.7\n"


def pdf_of(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A whole file; the first object is its catalogue."""
    content, places = HEAD, []
    for number, text in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return content + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R%s>>\n"
        b"startxref\n%d\n%%%%EOF\n" % (size, table, size, trailer, len(content))
    )


def stream(content: bytes, keys: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (keys, len(content), content)


def drawing(
    content: bytes,
    box: bytes = b"[0 0 144 72]",
    *more: bytes,
    catalogue: bytes = b"",
    page: bytes = b"",
) -> bytes:
    """A PDF of one page, by default 2 inches by 1, with these operators; `more` are objects from
    the fifth on, to which the keys of the catalogue and the page may refer."""
    return pdf_of(
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalogue,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox%s/Contents 4 0 R%s>>" % (box, page),
        stream(content),
        *more,
    )


def pages_of(count: int) -> bytes:
    """A PDF of pages of 9 points by 9, of which page n, from 1, has a black square of n % 4 + 1."""
    kids = b" ".join(b"%d 0 R" % (3 + place) for place in range(count))
    contents = [stream(b"0 0 %d %d re f" % (side, side)) for side in (1, 2, 3, 4)]
    first = 3 + count
    return pdf_of(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d/MediaBox[0 0 9 9]>>" % (kids, count),
        *(
            b"<</Type/Page/Parent 2 0 R/Contents %d 0 R>>" % (first + number % 4)
            for number in range(1, count + 1)
        ),
        *contents,
    )
