"""A picture in colours -> the grey in which its ink stands out, brightness where that will do."""

import io
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]

LOOKED_AT = 360  # pixels along the longer side of the copy on which is decided
FLATTEST = 24  # levels between a pixel's channels, up to which it counts as grey
DISTINCT = 32  # levels by which ink differs from its paper, at least, in the channel that shows it
SMALLEST = 16  # pixels along each side, below which noise cannot be told from writing
FEWEST = 12  # pixels of hidden ink that matter
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's "L"


def grey(image: Image.Image) -> Grey:
    """The grey of a picture in mode RGB: uint8 of shape (h, w).

    It is the luma, `image.convert("L")`, if that shows the ink. If there is writing that differs
    from its paper by colour alone, as yellow on white, it is the distance from the colour of the
    paper: 255 on paper, and darker the more the channel differs in which a pixel differs most.
    """
    paper = _paper_if_hidden(image)
    if paper is None:
        return np.array(image.convert("L"))
    red, green, blue = ImageChops.difference(
        image, paper.resize(image.size, Image.Resampling.BILINEAR)
    ).split()
    return np.array(ImageChops.invert(ImageChops.lighter(ImageChops.lighter(red, green), blue)))


def hidden_in_jpeg(content: bytes) -> bool:
    """Whether the luma of a JPEG file hides its ink; a small copy is decoded, which is quick."""
    opener = import_module("PIL.JpegImagePlugin").JpegImageFile
    with opener(io.BytesIO(content)) as image:
        if image.mode != "RGB":
            return False
        image.draft("RGB", (LOOKED_AT, LOOKED_AT))
        return _paper_if_hidden(image) is not None


def _paper_if_hidden(image: Image.Image) -> Image.Image | None:
    """The colour of the paper everywhere, on a small copy, if the luma hides what is on it."""
    if min(image.size) < SMALLEST:
        return None
    factor = -(-max(image.size) // LOOKED_AT)
    small = image.reduce(factor) if factor > 1 else image
    pixels = np.asarray(small)
    if int((_brightest(pixels) + _brightest(~pixels)).max()) <= 255 + FLATTEST:
        return None
    colours = pixels.astype(np.float32)
    smooth = _smoothed(colours)
    paper = _paper(smooth)
    grain = _noise(colours)
    unlike = smooth - paper
    distance, brightness = _brightest(np.abs(unlike)), _weighted(unlike, LUMA)
    ink = distance > max(DISTINCT, 2 * float(grain.max()))
    if np.count_nonzero(ink) < FEWEST or not _hides(ink, distance, brightness, grain):
        return None
    levels = np.clip(np.rint(paper), 0, 255).astype(np.uint8)
    return Image.fromarray(levels)


def _hides(ink: Any, distance: Floats, brightness: Floats, grain: Floats) -> bool:
    """Whether brightness hides strokes among the ink: parts that differ little in it.

    Little is a fixed measure on clean paper, and a multiple of the noise where there is noise. No
    stroke is what a marker, a coloured cell, a cloth or the rim of a picture leaves: it holds ink
    of another brightness, or is solid, or large, or pale beside the strokes.
    """
    noise = float(np.sqrt((LUMA**2 * grain**2).sum()))
    if np.count_nonzero(ink & (np.abs(brightness) < max(DISTINCT, 5 * noise))) < FEWEST:
        return False
    from digits.pictures.masks import components  # not needed for pictures without colours

    parts = components(ink)
    labels, sizes = parts.labels.ravel(), parts.sizes

    def mean(values: Any) -> NDArray[np.float64]:
        return np.bincount(labels, values.ravel(), len(sizes) + 1)[1:] / sizes

    level, apart = np.abs(mean(brightness)), mean(distance)
    spread = np.sqrt(np.maximum(mean(brightness**2) - level**2, 0))
    dim = (level < DISTINCT) & (level < 0.5 * apart)
    lost = (level < 5 * noise) & (level < 0.8 * apart)
    _, _, width, height = parts.boxes.T
    solid = (sizes > 0.85 * width * height) & (4 * np.minimum(width, height) > width + height)
    stroke = ~solid & (sizes < 0.25 * ink.size) & (sizes >= 6) & (np.minimum(width, height) > 1)
    if not stroke.any():
        return False
    pale = apart < 0.4 * apart[stroke].max()
    hidden = stroke & (dim | lost) & ~pale & (spread < DISTINCT / 2)
    return bool(sizes[hidden].sum() >= max(FEWEST, 0.06 * sizes[stroke].sum()))


def _paper(colours: Floats) -> Floats:
    """The colour of the paper: in each channel a quadratic surface through what is like it most.

    Fitted three times by least squares, each time without what lies far from the last surface.
    """
    height, width, _ = colours.shape
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    one = np.ones((height, width), np.float32)
    terms = np.stack([one, one * x, one * y, x * y, one * x * x, one * y * y], axis=-1)
    step = max(1, max(height, width) // 64)  # every pixel would be no better
    few, seen = terms[::step, ::step].reshape(-1, 6), colours[::step, ::step].reshape(-1, 3)
    surface = np.broadcast_to(np.median(seen, axis=0), seen.shape)
    for _ in range(3):
        distance = _brightest(np.abs(seen - surface))
        near = distance <= max(2.5 * float(np.median(distance)), 6)
        kept = few * near[:, None]
        normal = np.einsum("ni,nj->ij", kept, kept) + 1e-3 * np.eye(6)
        factors = np.linalg.solve(normal, np.einsum("ni,nc->ic", kept, seen)).astype(np.float32)
        surface = _weighted(few, factors)
    return _weighted(terms, factors)


def _brightest(pixels: Any) -> Any:
    """The largest channel of each pixel; as 16 bits, for sums, if the channels have 8."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    largest = np.maximum(np.maximum(red, green), blue)
    return largest.astype(np.int16) if largest.dtype == np.uint8 else largest


def _weighted(values: Floats, weights: Floats) -> Floats:
    """The product with a few weights, on one core: threads of BLAS take longer to wake."""
    return np.asarray(
        np.einsum("...i,i->..." if weights.ndim == 1 else "...i,ic->...c", values, weights),
        np.float32,
    )


def _noise(colours: Floats) -> Floats:
    """The standard deviation of each channel's noise; by medians, so that edges do not count."""
    steps = np.abs(colours[1:] - colours[:-1]).reshape(-1, 3)
    return np.asarray(np.median(steps, axis=0) * (1.4826 / np.sqrt(2)), np.float32)


def _smoothed(values: Floats) -> Floats:
    """The mean of each pixel and its eight neighbours."""
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9, np.float32)
