"""A picture of a sheet of paper on a table -> the sheet alone, flat and upright.

What was written stays as it is: the sheet may be darker or lighter than what it lies on, and its
ink darker or lighter than the sheet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digits.layout.ink import LARGEST
from digits.layout.sheets.outline import CONTRAST, moved_in, sheet_outline
from digits.layout.sheets.tones import filled, slopes, tone_of
from digits.pictures.box import Box
from digits.pictures.grey import Grey
from digits.pictures.masks import Mask, components, extremes, wider

Floats = NDArray[np.float32]
Points = NDArray[np.float64]
Extreme = Callable[..., NDArray[Any]]  # np.minimum or np.maximum

SMALLEST = 100  # pixels along the shorter side; in less, no table is looked for
LOOKED_AT = 320  # pixels along the longer side of the copy on which the sheet is found
COARSE = 4  # every such pixel is looked at, to see whether there can be a sheet at all
CLEANED = 9  # of these, in a square, of which writing fills less than half
STROKE = 0.2  # of the picture's shorter side, what a square within every sheet is wide
MARGIN = 0.008  # share of the sheet's shorter side that is cut off around it: blurred edges
OUTLINE = 0.1  # change of the logarithm of brightness at the outline of what covers the sheet
CELLS = 128  # pixels along the longer side of the copy on which is decided what hides it
AROUND = 8  # of these pixels, looked at on each side of the sheet
COVERED = 0.1  # share of the sheet that one thing may hide


@dataclass(frozen=True)
class Sheet:
    """A sheet of paper: what is on it, and where that lies in the picture."""

    grey: Grey  # shape (h, w)
    # Takes (x, y, 1) on the sheet to the picture, a homography of shape (3, 3); None where the
    # picture is nothing but paper.
    to_picture: Points | None
    picture_shape: tuple[int, int]  # height and width

    def in_picture(self, box: Box) -> Box:
        """The box around a box on the sheet, in pixels of the picture and clipped to it."""
        if self.to_picture is None:
            return box.within(*self.picture_shape)
        ends = [(x, y) for x in (box.x, box.right) for y in (box.y, box.bottom)]
        points = _mapped(self.to_picture, np.array(ends, np.float64))
        limits = self.picture_shape[::-1]
        left, top = np.floor(points.min(axis=0) + 1e-6).astype(int).clip(0, limits).tolist()
        right, bottom = np.ceil(points.max(axis=0) - 1e-6).astype(int).clip(0, limits).tolist()
        return Box(left, top, right - left, bottom - top)


def find(grey: Grey) -> Sheet:
    """Finds the sheet of paper in a picture, uint8 of shape (h, w), and makes it flat.

    The turn (up to some 20°) and the perspective are undone. The table, the edges, and fingers
    that reach in over an edge are left out; where they, or the picture's border, hide the sheet,
    it is continued as blank paper. Height and width are the means of opposite sides, so the aspect
    ratio is exact only for a camera that looks straight down. The sheet has about the resolution of
    the picture, but at most `ink.LARGEST` pixels.

    A picture in which there is no sheet that is clearly one, or nothing but one, is returned as it
    is, the same array.
    """
    height, width = grey.shape
    whole = Sheet(grey, None, (height, width))
    if min(height, width) < SMALLEST:
        return whole
    factor = -(-max(height, width) // LOOKED_AT)
    small = np.asarray(Image.fromarray(grey).reduce(factor)) if factor > 1 else grey
    corners = sheet_outline(small) if _may_have_edges(small) else None
    if corners is None:
        return whole
    side = float(_sides(corners).min())
    flat, to_picture = _flat(grey, moved_in(corners, max(MARGIN * side, 1)) * factor)
    hidden = _hidden(small, np.diag([1 / factor, 1 / factor, 1]) @ to_picture, flat.size)
    return Sheet(_blank_where(hidden, flat), to_picture, (height, width))


def _may_have_edges(grey: Grey) -> bool:
    """Whether the contrast of a sheet's side is anywhere in a small picture without what is
    written.

    Most pictures are of nothing but paper, and looking for lines in them takes much longer.
    """
    every = np.ascontiguousarray(grey[::COARSE, ::COARSE])  # a mean would spread the ink
    if not _has_contrast(Image.fromarray(every).filter(ImageFilter.MedianFilter(CLEANED))):
        return False
    # Thick strokes may be left, but all strokes are narrower than a sheet. A table beside a sheet
    # may be as narrow, but it goes on outside of the picture.
    stroke = max(1, int(STROKE * min(grey.shape)))
    return all(
        _has_contrast(_without_strokes(grey, stroke, *way))
        for way in ((np.minimum, np.maximum, 255), (np.maximum, np.minimum, 0))
    )


def _without_strokes(
    grey: Grey, width: int, first: Extreme, second: Extreme, beyond: int
) -> Image.Image:
    """Without what is light, or dark, and in which no square of that width fits; what is beyond
    the picture counts as one tone. (Opening and closing: Serra 1982.)"""
    values = np.pad(grey, width - 1, constant_values=beyond)
    for operation in (first, second):
        for axis in (0, 1):
            values = extremes(values, width, axis, operation)
    return Image.fromarray(values[::COARSE, ::COARSE].copy())


def _has_contrast(coarse: Image.Image) -> bool:
    lightest, darkest = (
        coarse.filter(ImageFilter.MaxFilter(5)),
        coarse.filter(ImageFilter.MinFilter(5)),
    )
    return bool((tone_of(lightest) - tone_of(darkest)).max() >= CONTRAST)


def _sides(corners: Points) -> Points:
    """The lengths of the upper, right, lower and left side."""
    return np.asarray(np.hypot(*(np.roll(corners, -1, axis=0) - corners).T))


def _flat(grey: Grey, corners: Points) -> tuple[Image.Image, Points]:
    """What lies between four corners in the picture, as a rectangle; and the way back."""
    upper, right, lower, left = _sides(corners)
    width, height = (upper + lower) / 2, (left + right) / 2
    scale = max(1.0, float(np.sqrt(width * height / LARGEST)))
    picture = Image.fromarray(grey)
    size = max(1, int(width / scale)), max(1, int(height / scale))
    square = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float64)
    reduced = int(scale)
    if reduced > 1:
        picture = picture.reduce(reduced)
    flat = _seen_through(picture, _homography(square, corners / reduced), size)
    return flat, _homography(square, corners)


def _seen_through(picture: Image.Image, homography: Points, size: tuple[int, int]) -> Image.Image:
    """A picture of that size, each point of which the homography takes to one of the picture."""
    factors = (homography / homography[2, 2]).ravel()[:8].tolist()
    return picture.transform(size, Image.Transform.PERSPECTIVE, factors, Image.Resampling.BICUBIC)


def _homography(points: Points, images: Points) -> Points:
    """The matrix of shape (3, 3) that takes four points to four others; its last element is 1."""
    rows, values = [], []
    for (x, y), (u, v) in zip(points, images, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1).reshape(3, 3)


def _mapped(homography: Points, points: Points) -> Points:
    mapped = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ homography.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def _hidden(small: Grey, to_small: Points, size: tuple[int, int]) -> Mask:
    """Where the sheet cannot be seen, on a copy of it that is `CELLS` pixels wide or high.

    That is beyond the picture's border, and where something reaches in over the sheet's edge: a
    finger, a clip, the table beside a torn or bent edge. It has an outline of its own and goes on
    outside of the sheet. A shadow does not: the edge of the sheet divides it.
    """
    cell = max(size) / CELLS
    width, height = (max(1, round(side / cell)) for side in size)
    # The copy, with some of what lies around the sheet.
    shift = np.array([[cell, 0, -AROUND * cell], [0, cell, -AROUND * cell], [0, 0, 1]])
    wide = width + 2 * AROUND, height + 2 * AROUND
    around = _seen_through(Image.fromarray(small), to_small @ shift, wide)
    y, x = np.indices(wide[::-1]) + 0.5
    places = _mapped(to_small @ shift, np.stack([x.ravel(), y.ravel()], axis=1))
    seen = ((places > 0) & (places < small.shape[::-1])).all(axis=1).reshape(x.shape)
    clean = tone_of(around.filter(ImageFilter.MedianFilter(5)))  # without what is written
    written = np.abs(tone_of(around) - clean) > OUTLINE
    labels, _, sizes = components(seen & (np.hypot(*slopes(clean)) < OUTLINE))
    own = np.zeros(seen.shape, np.bool_)
    own[AROUND : AROUND + height, AROUND : AROUND + width] = True
    within = np.bincount(labels[own], minlength=len(sizes) + 1)
    within[0] = 0
    outer = wider(~seen)
    outer[[0, -1]] = outer[:, [0, -1]] = True
    strange = np.zeros(seen.shape, np.bool_)
    for part in np.unique(labels[outer & (labels > 0)]).tolist():
        place = labels == part
        if part != within.argmax() and within[part] <= COVERED * own.sum():
            covered = wider(wider(place)) & seen & own
            if np.count_nonzero(written & covered) <= 0.05 * np.count_nonzero(covered):
                strange |= place
    # Its outline, and what is as narrow as that, has the tone of one side or of the other.
    near = wider(wider(wider(strange))) & seen & own
    as_strange = np.abs(clean - filled(clean, strange))
    as_paper = np.abs(clean - filled(clean, own & ~strange & (labels > 0)))
    hidden = ~seen | (near & (as_strange < as_paper))
    return hidden[AROUND : AROUND + height, AROUND : AROUND + width]


def _blank_where(hidden: Mask, flat: Image.Image) -> Grey:
    """The sheet with blank paper, continued from what is around, where a coarse mask says so."""
    if not hidden.any():
        return np.array(flat)
    hidden = wider(wider(hidden))  # the edges of what hides it are soft
    size = hidden.shape[1], hidden.shape[0]
    clean = flat.resize(size, Image.Resampling.BOX).filter(ImageFilter.MedianFilter(5))
    blank = np.rint(filled(np.asarray(clean, np.float32), ~hidden)).astype(np.uint8)
    patch, share = Image.fromarray(blank), Image.fromarray(hidden.astype(np.uint8) * 255)
    way = Image.Resampling.BILINEAR
    flat.paste(patch.resize(flat.size, way), mask=share.resize(flat.size, way))
    return np.array(flat)
