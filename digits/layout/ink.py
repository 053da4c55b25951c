"""Any grey picture -> the ink in it: bright on exactly 0, edges as grey as the pen left them.

There are two ways. In a drawing on a screen, the paper has one level and nothing needs to be
guessed: a digit of MNIST comes out as it went in. Photos and scans have shadows, noise and printed
paper: there, the paper is estimated everywhere, and what stands out from it by more than its noise
is ink.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.pictures.grey import Grey
from digits.pictures.masks import Mask, components, extremes, wider

Floats = NDArray[np.float32]

LARGEST = 3 << 20  # pixels of the ink map; larger pictures are averaged down
SMALL = 64 * 64  # pixels
BLOCK = 8  # pixels along each side, which no pale edge of a stroke fills
SHADED = 0.02  # share of a picture's blocks that are pale
FAINTEST = 10  # grey levels by which ink stands out from its paper, at least


@dataclass(frozen=True)
class Ink:
    """The ink of a picture."""

    map: Grey  # shape (h, w), full ink 255 on paper of exactly 0
    faint: Mask  # shape (h, w), whatever stands out at all: faint lines, and dirt too
    scale: int  # pixels of the picture that make one of the map, along each axis
    clear: bool  # whether there was no doubt what is ink and what is paper


def find(grey: Grey) -> Ink:
    """Finds what was written, light on dark or dark on light, in a picture, uint8 of shape (h, w).

    Ruled lines and boxes are ink too; `layout.find` takes them out. The map is all zeros if there
    is no ink, and has at most `LARGEST` pixels, which bounds the time.
    """
    scale = 1
    while (grey.shape[0] // scale) * (grey.shape[1] // scale) > LARGEST:
        scale += 1
    if scale > 1:
        grey = np.asarray(Image.fromarray(grey).reduce(scale))
    if np.ptp(grey) < FAINTEST:
        return Ink(np.zeros_like(grey), np.zeros(grey.shape, np.bool_), scale, True)
    counts = _counts(grey)
    level = _plain_papers(grey[None], counts[None])[0]
    if level is None:
        level = _even_paper(grey, counts)
    if level is not None:
        found = _on_even_paper(grey, counts, level)
        if not _is_shaded(found):
            return Ink(found, found > 0, scale, True)
    found, faint = _on_uneven_paper(grey)
    return Ink(found, faint, scale, False)


def find_all(greys: Grey) -> Iterator[Ink]:
    """As `find`, in small pictures of one size, uint8 of shape (n, h, w) with h · w ≤ `SMALL`.

    Their papers are found all at once, which takes less time.
    """
    above = 256 * np.arange(len(greys))[:, None, None]
    counts = np.bincount((greys + above).ravel(), minlength=256 * len(greys)).reshape(-1, 256)
    papers = _plain_papers(greys, counts)
    for grey, own, level in zip(greys, counts, papers, strict=True):
        if level is None:
            yield find(grey)
        else:
            found = _on_even_paper(grey, own, level)
            yield Ink(found, found > 0, 1, True)


def _counts(values: NDArray[Any]) -> NDArray[np.intp]:
    return np.bincount(values.ravel().astype(np.uint8), minlength=256)


def _otsu(counts: NDArray[np.intp]) -> int:
    """The last level of the lower class (Otsu 1979: largest variance between the classes)."""
    total = np.cumsum(counts)
    mass = np.cumsum(counts * np.arange(len(counts)))
    above = total[-1] - total
    between = (mass * above - (mass[-1] - mass) * total) ** 2.0 / np.maximum(total * above, 1)
    # Between two peaks the measure is flat; the middle of the flat part is the safest cut.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return int(best[0] + best[-1]) // 2


def _dark(grey: Grey, counts: NDArray[np.intp], cut: int) -> float:
    """The share of levels up to `cut`, half in the whole picture and half in its border."""
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    dark_border = np.count_nonzero(border <= cut)
    return float(0.5 * counts[: cut + 1].sum() / grey.size + 0.5 * dark_border / border.size)


def _plain_papers(greys: Grey, counts: NDArray[np.intp]) -> list[int | None]:
    """The level of each picture's paper where most of the picture and of its border have the same;
    else None.

    It is what `_even_paper` finds, since no cut between ink and paper could tell otherwise. `greys`
    have the shape (n, h, w), `counts` (n, 256).
    """
    border = np.concatenate(
        [greys[:, 0], greys[:, -1], greys[:, 1:-1, 0], greys[:, 1:-1, -1]], axis=1
    )
    levels, most = counts.argmax(axis=1), counts.max(axis=1)
    size, around = greys[0].size, border.shape[1]
    at_border = np.count_nonzero(border == levels[:, None], axis=1)
    plain = (most >= _share_of_paper(size) * size) & (
        most * around + at_border * size > size * around
    )
    return [
        level if sure else None for level, sure in zip(levels.tolist(), plain.tolist(), strict=True)
    ]


def _share_of_paper(size: int) -> float:
    """How much of what is not ink must have the paper's level, in a picture of `size` pixels."""
    # In a small picture, the grey edges of thick strokes are a large part of what is not ink.
    return 0.75 if size > SMALL else 0.5


def _even_paper(grey: Grey, counts: NDArray[np.intp]) -> int | None:
    """The level of the paper if nearly all of it has the same, else None."""
    cut = _otsu(counts)
    paper = counts.copy()
    if _dark(grey, counts, cut) >= 0.5:
        paper[cut + 1 :] = 0
    else:
        paper[: cut + 1] = 0
    level = int(paper.argmax())
    near = paper[max(0, level - 2) : level + 3].sum()
    return level if near >= _share_of_paper(grey.size) * paper.sum() else None


def _on_even_paper(grey: Grey, counts: NDArray[np.intp], level: int) -> Grey:
    # Ink differs more than grain does, of which there may be more on the other side.
    contrast = counts * (np.arange(256) - level) ** 2
    if contrast[level + 1 :].sum() > contrast[:level].sum():
        found = np.maximum(grey, level) - np.uint8(level)
    else:
        found = np.uint8(level) - np.minimum(grey, level)
    if counts[level] < 0.97 * counts[max(0, level - 2) : level + 3].sum():
        found[found <= 2] = 0  # the paper flickers by a level or two
    brightest = int(found.max())
    if brightest < FAINTEST:
        return np.zeros_like(grey)
    if brightest == 255:  # as in most drawings
        return found
    stretched = np.arange(256) * 255 / brightest
    return np.minimum(np.round(stretched), 255).astype(np.uint8)[found]


def _is_shaded(ink: Grey) -> bool:
    """Whether much of what seems to be ink is a shadow: pale, and wider than a stroke's edge."""
    if ink.size <= SMALL or min(ink.shape) < 4 * BLOCK:
        return False
    height, width = (side // BLOCK * BLOCK for side in ink.shape)
    blocks = ink[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    low, high = blocks.min(axis=(1, 3)), blocks.max(axis=(1, 3))
    return bool(np.mean((low > 0.06 * 255) & (high < 0.75 * 255)) > SHADED)


def _on_uneven_paper(grey: Grey) -> tuple[Grey, Mask]:
    values = grey.astype(np.float32)
    if _ink_is_light(grey):
        values = 255 - values
    paper = _paper(values)
    depth = np.maximum(paper - values, 0)
    written = depth > _otsu(_counts(depth))
    paper = _paper_without(values, written, paper)
    # Light falls on ink as it does on paper: in the shade, both are darker by the same factor.
    depth = (paper - values) * (np.float32(np.median(paper)) / np.maximum(paper, 16))
    positive = np.maximum(depth, 0)
    written = positive > _otsu(_counts(positive))
    if not written.any() or written.all():
        return np.zeros_like(grey), np.zeros(grey.shape, np.bool_)
    full = float(np.percentile(depth[written], 60))
    # On blank paper, the darker half of the grain was taken for ink; differences of neighbours show
    # how strong the grain is.
    grain = float(np.median(np.abs(np.diff(depth, axis=int(depth.shape[1] > 1))))) * 1.05
    unrest = max(float(np.std(depth[~written])), grain)
    if full < max(FAINTEST, 3 * unrest):
        return np.zeros_like(grey), np.zeros(grey.shape, np.bool_)
    smooth = _smoothed(positive) if unrest > 0.08 * full else positive
    surely = smooth > max(0.5 * full, 3 * unrest)
    parts = components(smooth > max(0.3 * full, 2 * unrest)).labels
    mask = np.isin(parts, parts[surely])
    start = max(0.12 * full, min(1.5 * unrest, 0.3 * full))
    found = np.clip((positive - start) * (255 / (full - start)), 0, 255)
    found[~wider(mask)] = 0
    return np.round(found).astype(np.uint8), smooth > max(0.08 * full, 1.2 * unrest)


def _ink_is_light(grey: Grey) -> bool:
    """Whether the ink is brighter than the paper.

    Ink is the smaller part of the picture and of its border. Where that leaves doubt, strokes are
    what is narrow: they stand out from their surroundings to one side.
    """
    counts = _counts(grey)
    dark = _dark(grey, counts, _otsu(counts))
    if not 0.15 < dark < 0.85:
        return dark >= 0.5
    small = _reduced(grey.astype(np.float32), 160)
    cells = max(3, min(small.shape) // 8)
    shape = (max(1, small.shape[0] // cells), max(1, small.shape[1] // cells))
    unlike = small - _resized(_resized(small, shape, Image.Resampling.BOX), small.shape)
    return float((unlike**3).sum()) > 0


def _paper(values: Floats) -> Floats:
    """The paper under dark ink: closing, on a small copy, with a square that no stroke fills."""
    small = _reduced(values, 256)
    reach = max(1, min(small.shape) // 6)
    small = np.pad(small, 2 * reach, mode="edge")
    for operation in (np.maximum, np.minimum):
        for axis in (0, 1):
            small = extremes(small, 2 * reach + 1, axis, operation)
    return _resized(small, values.shape)


def _paper_without(values: Floats, written: Mask, otherwise: Floats) -> Floats:
    """The mean of the paper around each pixel, without what is written."""
    free = (~wider(written)).astype(np.float32)
    side = max(8, min(values.shape) // 5)
    shape = (-(-values.shape[0] // side), -(-values.shape[1] // side))
    box = Image.Resampling.BOX
    share = _resized(free, shape, box)
    mean = _resized(values * free, shape, box) / np.maximum(share, 1e-3)
    mean = np.where(share > 0.05, mean, _resized(otherwise, shape, box))
    return _resized(mean.astype(np.float32), values.shape)


def _reduced(values: Floats, side: int) -> Floats:
    factor = -(-max(values.shape) // side)
    return np.asarray(Image.fromarray(values).reduce(factor)) if factor > 1 else values


def _resized(
    values: Floats, shape: tuple[int, ...], method: Image.Resampling = Image.Resampling.BILINEAR
) -> Floats:
    resized = Image.fromarray(np.ascontiguousarray(values)).resize((shape[1], shape[0]), method)
    return np.asarray(resized)


def _smoothed(values: Floats) -> Floats:
    """Each pixel averaged with its neighbours, with weights 1, 2, 1 along each axis."""
    padded = np.pad(values, 1, mode="edge")
    rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return np.asarray((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4, np.float32)
