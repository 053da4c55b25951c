"""Which kind of picture file some bytes are: told by how they begin, never by a name."""

from digits.errors import DigitsError

# What a picture can be saved as that needs no extra.
FORMATS = "PNG, JPEG, GIF, BMP, WebP, TIFF, PPM or PGM"
DOCUMENTS = ("PDF", "TIFF", "HEIC")  # kinds of which a file may have several pages

_BEGINNINGS = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "WebP": (b"RIFF",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "PPM": (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"),
}
# Brands of the ISO base media file format, ISO/IEC 14496-12, which videos have too. Files of both
# kinds may name one of ISO/IEC 23008-12's general brands first, and their own further on.
_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


def kind_of(content: bytes, name: str) -> str:
    """Which kind of file it is: "PNG", "JPEG", "GIF", "BMP", "WebP", "TIFF", "PPM" (which is PGM
    and PBM too), "HEIC", "AVIF" or "PDF". Raises DigitsError if it is none."""
    if not content:
        raise DigitsError(f"{name} is empty; copy or download it again.")
    for kind, beginnings in _BEGINNINGS.items():
        if content.startswith(beginnings) and (kind != "WebP" or content[8:12] == b"WEBP"):
            return kind
    what = "is not in a format that can be read"
    if content[4:8] == b"ftyp":
        brands = _brands(content)
        if brands & _AVIF:
            return "AVIF"
        if brands & _HEIC:
            return "HEIC"
        what = "is a video, or a picture of a kind that cannot be read"
    elif b"%PDF-" in content[:1024]:  # as readers of PDF do: mail and printers put lines before it
        return "PDF"
    elif all(byte >= 32 or byte in b"\t\n\r" for byte in content[:512]):
        what = "is text, not a picture"
    raise DigitsError(f"{name} {what}; save the picture as {FORMATS}.")


def _brands(content: bytes) -> set[bytes]:
    """The brands in the first box: the major one, four bytes of version, and the others."""
    box = content[8 : min(int.from_bytes(content[:4], "big"), 1024)]
    return {box[at : at + 4] for at in range(0, len(box), 4) if at != 4}
