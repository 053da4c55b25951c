"""The four sides of a sheet of paper in a picture of it: straight edges that are found by voting.

Edges of one direction vote for the straight lines that they may lie on (Hough transform, Duda and
Hart 1972; with the gradient's direction, Ballard 1981). A sheet is four lines of which one side is
brighter along most of their length, inwards or outwards in all four alike. So light may fall
unevenly, a finger may hide part of a side, and a corner or a side may lie outside the picture.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digits.layout.sheets.tones import Floats, filled, slopes, tone_of
from digits.pictures.masks import Mask, bounds, components, extremes, wider

Points = NDArray[np.float64]
Grey = NDArray[np.uint8]

LINES = 6  # for each side, how many lines are tried
STEEPEST = 28  # degrees by which a side may be turned: 20, and the perspective
STEP = 2  # degrees between the directions that are voted for
APART = 10  # degrees by which a pixel's gradient may differ from its line's normal
EDGE = 0.05  # change of the logarithm of brightness that makes an edge
CONTRAST = 0.14  # difference of the logarithm of brightness across a side, at least
SUPPORTED = 0.6  # share of each side that must show that difference
STRAIGHT = 0.9  # the same of all sides together; the outline of a thick digit is less straight
DRAWN = 0.97  # the same in a drawing, in which nothing lies over an edge
BLUR = 6  # pixels around each whose mean shows what stands out
NARROWEST = 0.27  # of the picture's shorter side is the sheet's; less is the stroke of a thick 1
SMALLEST = 0.1  # share of the picture that is the sheet


@dataclass(frozen=True)
class _Line:
    """A line x·cos(angle) + y·sin(angle) = distance, and what it shows along its length.

    `shown[i]` is the sum of contrast over the places before `first + i` where an edge supports
    the line, `seen` their number, `inside` the number of places within the picture.
    """

    angle: float
    distance: float
    first: int
    shown: Points
    seen: Points
    inside: Points


def sheet_outline(grey: Grey) -> Points | None:
    """Finds the sheet of paper in a small picture, uint8 of shape (h, w), some 320 pixels wide.

    Returns:
        float64 of shape (4, 2), the corners x, y: upper left, upper right, lower right, lower
        left; a pixel covers [x, x + 1]. Corners may lie outside the picture. None if there is no
        sheet, if the picture is nothing but one, or if it is not clear which is meant.
    """
    smooth = Image.fromarray(grey).filter(ImageFilter.MedianFilter(5))
    tone = tone_of(smooth.filter(ImageFilter.BoxBlur(1)))
    down, across = slopes(tone)
    # A photo has noise; where many pixels have the very same level, it was drawn.
    drawn = np.bincount(grey.ravel()).max() > 0.3 * grey.size
    straight = DRAWN if drawn else STRAIGHT
    families = [_lines(tone, across, down, turn) for turn in range(4)]
    found: list[tuple[float, Points]] = []
    for inwards in (1, -1):  # brighter than the table, or darker
        sides = families if inwards == 1 else families[2:] + families[:2]
        found += [
            (score, corners) for score, corners in _quadrilaterals(sides, tone.shape, straight)
        ]
    for _, corners in sorted(found, key=lambda one: -one[0])[:8]:
        if _is_sheet(tone, grey, corners):
            return corners
    return None


def inside(corners: Points, shape: tuple[int, ...]) -> Mask:
    """The pixels whose middle lies in a convex quadrilateral, clockwise as seen."""
    x = np.arange(shape[1])[None] + 0.5
    y = np.arange(shape[0])[:, None] + 0.5
    mask = np.ones(shape, np.bool_)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        mask &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
    return mask


def _lines(tone: Floats, across: Floats, down: Floats, turn: int) -> list[_Line]:
    """Lines on which brightness rises to the right, downwards, to the left or upwards (0 to 3)."""
    base = turn * np.pi / 2
    strength = np.hypot(across, down)
    angles = np.rad2deg(np.arctan2(down, across) - base)
    angles = (angles + 180) % 360 - 180
    y, x = np.nonzero((strength > EDGE) & (np.abs(angles) < STEEPEST + APART))
    if len(y) < 16:
        return []
    order = np.argsort(angles[y, x])
    y, x = y[order], x[order]
    angle = angles[y, x]
    weight = np.minimum(strength[y, x], 0.3).astype(np.float64)
    x_middle, y_middle = x.astype(np.float64) + 0.5, y.astype(np.float64) + 0.5
    reach = int(np.hypot(*tone.shape)) + 2
    steps = range(-STEEPEST, STEEPEST + 1, STEP)
    votes = np.zeros((len(steps), 2 * reach))
    for row, step in enumerate(steps):
        near = slice(*np.searchsorted(angle, (step - APART, step + APART)))
        towards = base + np.deg2rad(step)
        distance = x_middle[near] * np.cos(towards) + y_middle[near] * np.sin(towards)
        votes[row] = np.bincount((distance + reach).astype(np.int64), weight[near], 2 * reach)
    votes[:, 1:-1] = votes[:, :-2] + votes[:, 1:-1] + votes[:, 2:]
    lines: list[_Line] = []
    for _ in range(2 * LINES):
        row, column = divmod(int(votes.argmax()), votes.shape[1])
        if len(lines) == LINES or votes[row, column] < 0.05 * min(tone.shape):
            break
        near = slice(*np.searchsorted(angle, (steps[row] - APART, steps[row] + APART)))
        points = x_middle[near], y_middle[near], weight[near] ** 2
        towards = base + np.deg2rad(steps[row])
        fitted = _fitted(*points, towards, float(column) - reach + 0.5)
        if not any(_same(fitted, line) for line in lines):
            lines.append(_supported(tone, across, down, *fitted))
        votes[max(0, row - 3) : row + 4, max(0, column - 5) : column + 6] = 0
    return lines


def _same(fitted: tuple[float, float], line: _Line) -> bool:
    return abs(fitted[0] - line.angle) < np.deg2rad(1) and abs(fitted[1] - line.distance) < 2


def _fitted(
    x: Points, y: Points, weight: Points, angle: float, distance: float
) -> tuple[float, float]:
    """The angle and distance of the line through the points close to one, by least squares."""
    for width in (5.0, 4.0, 3.0):
        off = x * np.cos(angle) + y * np.sin(angle) - distance
        along = y * np.cos(angle) - x * np.sin(angle)
        near = np.abs(off) < width
        if np.count_nonzero(near) < 8:
            break
        off, along, mass = off[near], along[near], weight[near]
        mass = mass / mass.sum()
        middle, level = float((mass * along).sum()), float((mass * off).sum())
        spread = float((mass * (along - middle) ** 2).sum())
        slope = float((mass * (along - middle) * off).sum()) / max(spread, 1.0)
        turned = np.arctan(slope)
        distance = (distance + level - slope * middle) * float(np.cos(turned))
        angle -= float(turned)
    return angle, distance


def _supported(tone: Floats, across: Floats, down: Floats, angle: float, distance: float) -> _Line:
    height, width = tone.shape
    reach = height + width
    cosine, sine = np.cos(angle), np.sin(angle)
    along = np.arange(-reach, reach)
    x, y = distance * cosine - along * sine, distance * sine + along * cosine
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    x, y = x[within], y[within]

    def beside(off: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pixels so far from the line, towards what is brighter."""
        rows, columns = y + off * sine, x + off * cosine
        return rows.astype(np.int64).clip(0, height - 1), columns.astype(np.int64).clip(
            0, width - 1
        )

    slope = np.zeros(len(x), np.float32)
    for off in (-1, 0, 1):
        place = beside(off)
        slope = np.maximum(
            slope, np.float32(cosine) * across[place] + np.float32(sine) * down[place]
        )
    bright, dark = (
        np.median([tone[beside(sign * off)] for off in (3, 4.5, 6)], axis=0) for sign in (1, -1)
    )
    supports = (slope > EDGE / 2) & (bright - dark > CONTRAST)
    sums = np.zeros((3, 2 * reach))
    sums[0, within] = np.where(supports, np.minimum(bright - dark, 0.5), -0.1)
    sums[1, within] = supports
    sums[2, within] = 1
    return _Line(angle, distance, -reach, *np.cumsum(sums, axis=1))


def _border(shape: tuple[int, ...], side: int) -> _Line:
    """The picture's own border, where the sheet may leave it: it shows nothing."""
    reach = shape[0] + shape[1]
    nothing = np.zeros(2 * reach)
    distance = (0, 0, shape[1], shape[0])[side]
    return _Line((side % 2) * np.pi / 2, float(distance), -reach, nothing, nothing, nothing)


def _quadrilaterals(
    families: list[list[_Line]], shape: tuple[int, ...], straight: float
) -> list[tuple[float, Points]]:
    """The likeliest four lines, each with its score; left, upper, right and lower side."""
    sides = [[*family, _border(shape, side)] for side, family in enumerate(families)]
    chosen = np.array(list(product(*(range(len(side)) for side in sides)))).T
    angle = np.array([[s.angle for s in side] + [0.0] * (LINES + 1 - len(side)) for side in sides])
    far = np.array([[s.distance for s in side] + [0.0] * (LINES + 1 - len(side)) for side in sides])
    which = np.arange(4)[:, None]
    angle, far = angle[which, chosen], far[which, chosen]  # (4, n)
    # Corner i lies between side i and side i + 1: upper left, upper right, and so on.
    after = np.roll(angle, -1, axis=0)
    across = np.sin(after - angle)
    across = np.where(np.abs(across) < 0.3, np.nan, across)
    x = (far * np.sin(after) - np.roll(far, -1, axis=0) * np.sin(angle)) / across
    y = (np.roll(far, -1, axis=0) * np.cos(angle) - far * np.cos(after)) / across
    corners = np.stack([x, y], axis=-1)  # (4, n, 2)
    size = np.array([shape[1], shape[0]])
    good = np.all((corners > -0.6 * size) & (corners < 1.6 * size), axis=(0, 2))
    edges = np.roll(corners, -1, axis=0) - corners
    turns = edges[:, :, 0] * np.roll(edges[:, :, 1], -1, axis=0)
    turns -= edges[:, :, 1] * np.roll(edges[:, :, 0], -1, axis=0)
    lengths = np.hypot(edges[:, :, 0], edges[:, :, 1])
    # Corners of 90°, give or take 30: the sine of each is large and positive.
    good &= np.all(turns > 0.86 * lengths * np.roll(lengths, -1, axis=0), axis=0)
    opposite = lengths / np.roll(lengths, 2, axis=0)
    good &= np.all((opposite > 0.6) & (opposite < 1 / 0.6), axis=0)
    good &= edges[0, :, 0] > 0  # or it would be a sheet of the other tone, upside down
    good &= (lengths + np.roll(lengths, 2, axis=0)).min(axis=0) > 2 * NARROWEST * min(shape)
    good &= lengths[:2].prod(axis=0) > SMALLEST * shape[0] * shape[1]
    picked = np.flatnonzero(good)
    chosen, corners, angle = chosen[:, picked], corners[:, picked], angle[:, picked]
    score, shown_on, length = np.zeros((3, len(picked)))
    real = np.zeros(len(picked), np.int64)
    sound = np.ones(len(picked), np.bool_)
    for side, lines in enumerate(sides):
        ends = np.stack([corners[side - 1], corners[side]])
        along = ends[:, :, 1] * np.cos(angle[side]) - ends[:, :, 0] * np.sin(angle[side])
        low, high = np.sort(along, axis=0)
        first = lines[0].first
        last = len(lines[0].shown) - 1
        start = (np.ceil(low) - first).astype(np.int64).clip(0, last)
        stop = (np.floor(high) - first).astype(np.int64).clip(0, last)

        place = (chosen[side], stop), (chosen[side], start)
        shown, seen, within = (
            np.stack(sums)[place[0]] - np.stack(sums)[place[1]]
            for sums in zip(*((s.shown, s.seen, s.inside) for s in lines), strict=True)
        )
        score += shown
        shown_on += seen
        length += within
        border = chosen[side] == len(lines) - 1
        real += ~border
        sound &= border | ((seen >= SUPPORTED * within) & (within > 0.15 * min(shape)))
    sound &= shown_on >= straight * length
    keep = np.flatnonzero(sound & (real >= 2) & (score > 0))
    keep = keep[np.argsort(-score[keep])][:8]
    return [(float(score[i]), corners[:, i]) for i in keep]


def _is_sheet(tone: Floats, grey: Grey, corners: Points) -> bool:
    """Whether what lies between four lines is a sheet, and what lies beside it is none.

    A sheet has one tone nearly everywhere, its surroundings another, and something is written on
    it. A box that is drawn on paper has paper on both sides; a second sheet has the tone of the
    first; a thick stroke has nothing on it, or holes as wide as itself.
    """
    sheet = inside(corners, tone.shape)
    inner = inside(moved_in(corners, 5.0), tone.shape)
    outer = ~inside(moved_in(corners, -3.0), tone.shape)
    if sheet.sum() < SMALLEST * sheet.size or outer.sum() < 0.01 * outer.size:
        return False
    # What the sheet would look like in the light that falls beside it.
    extended = filled(np.where(inner, tone, 0), inner)
    differs = float(np.median(extended[outer] - tone[outer]))
    if abs(differs) < CONTRAST:
        return False
    sign = np.sign(differs)
    like = outer & (sign * (extended - tone) < abs(differs) / 2)
    if like.sum() > 0.2 * min(outer.sum(), sheet.sum()):
        return False
    extended = filled(np.where(outer, tone, 0), outer)
    bare = inner & (sign * (tone - extended) < abs(differs) / 2)
    if bare.sum() > 0.12 * inner.sum():
        return False
    return _is_written_on(grey, corners) and not _is_pierced(bare, inner, corners, tone)


def _is_written_on(grey: Grey, corners: Points) -> bool:
    """Whether there are marks, well inside, that stand out from the grain."""
    width = min(np.hypot(*(corners[i] - corners[i - 1])) for i in range(2))
    middle = inside(moved_in(corners, max(BLUR + 4, 0.15 * width)), grey.shape)
    if not middle.any():
        return False
    picture = Image.fromarray(grey)
    unlike = np.abs(tone_of(picture) - tone_of(picture.filter(ImageFilter.BoxBlur(BLUR))))
    clear = max(0.12, 8 * float(np.median(unlike[middle])))
    return bool(np.count_nonzero(unlike[middle] > clear) >= 8)


def _is_pierced(bare: Mask, inner: Mask, corners: Points, tone: Floats) -> bool:
    """Whether the surroundings show in the middle as wide as no pen is, or from side to side.

    So they do in a thick digit, and between two sheets; a finger comes from one side, and light
    has no outline all around.
    """
    width = min(np.hypot(*(corners[i] - corners[i - 1])) for i in range(2))
    reach = min(max(3, int(0.14 * width)), *bare.shape)
    wide = bare
    for axis in (0, 1):
        wide = extremes(wide, reach, axis, np.logical_and)
    if not wide.any():
        return False
    sharp = np.hypot(*slopes(tone)) > EDGE
    rim = inner & ~inside(moved_in(corners, 7.0), bare.shape)
    parts = components(bare)
    extent = 0.7 * np.array(bounds(inner)[2:])
    for part in np.unique(parts.labels[: wide.shape[0], : wide.shape[1]][wide]).tolist():
        place = parts.labels == part
        across = (parts.boxes[part - 1, 2:] > extent).any()
        outline = wider(place) & ~place & inner
        if (across or not (place & rim).any()) and sharp[outline].mean() > 0.8:
            return True
    return False


def moved_in(corners: Points, by: float) -> Points:
    """The quadrilateral whose sides lie so many pixels further in; negative: further out."""
    edges = np.roll(corners, -1, axis=0) - corners
    edges /= np.hypot(edges[:, 0], edges[:, 1])[:, None]
    before = np.roll(edges, 1, axis=0)
    sine = before[:, 0] * edges[:, 1] - before[:, 1] * edges[:, 0]
    return np.asarray(corners + by * (edges - before) / sine[:, None])
