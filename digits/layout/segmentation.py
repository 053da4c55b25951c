"""Ink -> its connected parts, in lines of writing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digits.pictures.box import Box
from digits.pictures.grey import Grey
from digits.pictures.masks import Components, Ints, Mask, bounds, components, wider

INKED = 48  # ink of at least this holds a part together
MOST_PARTS = 1000  # of a picture that are considered, the largest
MUCH_HIGHER = 3.0  # times the usual height
LOWEST = 4  # pixels of a digit's height
REACHING = 0.45  # of a part's height, between its middle and that of the line that it is in
SIMILAR = 1.7  # the highest to the lowest of parts that are of one height


@dataclass(frozen=True)
class Fragment:
    """Ink that belongs to one digit at most: a connected part, or a piece that was cut from one."""

    box: Box  # around it, on the ink map
    ink: Grey  # of the box's shape; other ink in the box is 0
    cut: bool = False  # there was more of the part

    @property
    def middle(self) -> float:
        """The column halfway between its sides; fragments are sorted by it."""
        return self.box.x + self.box.width / 2


@dataclass(frozen=True)
class Line:
    """Fragments from left to right, and the height of the line's digits, in pixels."""

    fragments: tuple[Fragment, ...]
    height: float


def whole(ink: Grey, clear: bool) -> Fragment | None:
    """All ink of a picture as one fragment; None if there is none.

    Where ink and paper were in doubt, specks are left out: parts of less than a fiftieth of it.
    """
    if not clear:
        parts = components(ink >= INKED)
        kept = np.concatenate([[True], parts.sizes >= 0.02 * parts.sizes.sum()])
        ink = np.where(kept[parts.labels], ink, 0).astype(np.uint8)
    return trimmed(ink, 0, 0) if ink.any() else None


def connected_parts(ink: Grey) -> list[Fragment]:
    """The `MOST_PARTS` largest connected parts of ink, uint8 of shape (h, w), bright on 0, without
    specks, in no particular order."""
    mask = ink >= INKED
    parts = components(mask)
    if len(parts.sizes) > 1 and _hairline(mask):
        parts = components(wider(mask))
    chosen = np.argsort(-parts.sizes, kind="stable")[:MOST_PARTS]
    if len(chosen) > 1:
        heights, extents = parts.boxes[:, 3], parts.boxes[:, 2:].max(axis=1)
        usual = usual_height(heights[chosen])
        chosen = chosen[extents[chosen] >= max(0.12 * usual, 2 if usual > 8 else 1)]
    # What stands alone keeps all of its faint edges, as `whole` leaves them.
    edges = max(ink.shape) if len(chosen) == 1 else 1
    return [_fragment(ink, parts, part, edges) for part in chosen.tolist()]


def _hairline(mask: Mask) -> bool:
    """Whether lines are one pixel wide; those break by a pixel or two where they fade."""
    squares = mask[1:, 1:] & mask[1:, :-1] & mask[:-1, 1:] & mask[:-1, :-1]
    return bool(np.count_nonzero(squares) < 0.2 * np.count_nonzero(mask))


def _fragment(ink: Grey, parts: Components, part: int, edges: int) -> Fragment:
    """A part with its faint edges, so many pixels wide at most."""
    box = Box(*parts.boxes[part].tolist())
    y, x = max(box.y - edges, 0), max(box.x - edges, 0)
    window = slice(y, box.bottom + edges), slice(x, box.right + edges)
    labels = parts.labels[window]
    own = np.where((labels == part + 1) | (labels == 0), ink[window], 0).astype(np.uint8)
    return trimmed(own, x, y)


def trimmed(ink: Grey, x: int, y: int, cut: bool = False) -> Fragment:
    """A fragment whose box fits its ink, of which there is some; x, y is its corner on the map."""
    box = bounds(ink)
    return Fragment(box.moved(x, y), ink[box.window], cut)


def joined(fragments: Sequence[Fragment]) -> Fragment:
    """Several fragments as one."""
    if len(fragments) == 1:
        return fragments[0]
    box = Box.around([fragment.box for fragment in fragments])
    ink = np.zeros((box.height, box.width), np.uint8)
    for fragment in fragments:
        part = ink[fragment.box.moved(-box.x, -box.y).window]
        np.maximum(part, fragment.ink, out=part)
    return Fragment(box, ink, any(fragment.cut for fragment in fragments))


def in_lines(parts: Sequence[Fragment]) -> list[Line]:
    """Puts connected parts into lines of writing, from the top.

    What is much higher than most is in lines of its own, so that it does not decide how high digits
    are.
    """
    if len(parts) < 2:  # as in most pictures of one digit
        return [Line((part,), float(part.box.height)) for part in parts]
    heights = np.array([part.box.height for part in parts])
    limit = MUCH_HIGHER * usual_height(heights)
    large = [part for part in parts if part.box.height > limit]
    if not large:
        return _lines_of_one_size(parts)
    found = in_lines(large)
    others = [part for part in parts if part.box.height <= limit]
    for i, line in enumerate(found):
        signs = [part for part in others if _may_be_sign(part, line)]
        if len(signs) <= 3 * len(line.fragments):  # more would be grain
            every = sorted([*line.fragments, *signs], key=lambda one: one.middle)
            found[i] = replace(line, fragments=tuple(every))
            others = [part for part in others if part not in signs]
    found += in_lines(others)
    return sorted(found, key=lambda line: float(np.mean([one.box.y for one in line.fragments])))


def _lines_of_one_size(parts: Sequence[Fragment]) -> list[Line]:
    boxes = np.array([part.box for part in parts])
    sizes = np.array([np.count_nonzero(part.ink) for part in parts])
    found = []
    for members in _members(boxes, usual_height(boxes[:, 3])):
        height = _weighted_median(boxes[members, 3], sizes[members])
        fragments = sorted((parts[i] for i in members), key=lambda one: one.middle)
        found.append(Line(tuple(fragments), height))
    return found


def _may_be_sign(part: Fragment, line: Line) -> bool:
    """Whether a small part may be a point or a dash of a line of large digits."""
    box, around = part.box, Box.around([one.box for one in line.fragments])
    level = around.y + around.height / 2
    beside = around.x - line.height < box.right and box.x < around.right + line.height
    return (
        beside
        and box.height < 0.5 * line.height
        and abs(box.y + box.height / 2 - level) < 0.7 * max(line.height, around.height)
    )


def usual_height(heights: Ints) -> float:
    """The height that most parts share, more or less, where high ones count more than low ones:
    that of digits, whether there are many specks beside them or one large thing."""
    ordered = np.sort(heights)
    total = np.concatenate([[0], np.cumsum(np.sqrt(ordered) * (ordered >= LOWEST))])
    upto = np.searchsorted(ordered, ordered * SIMILAR, side="right")
    first = int((total[upto] - total[:-1]).argmax())
    return float(np.median(ordered[first : upto[first]]))


def _members(boxes: Ints, usual: float) -> list[list[int]]:
    """The indices of the boxes, rows of x, y, width and height, in each line from the top.

    Lines may rise and fall: from left to right, each box joins the line whose last boxes were at
    its level. Low boxes, such as dots, do not start a line; they join the nearest.
    """
    x, y, width, height = boxes.T
    rows, columns = y + height / 2, x + width / 2  # of the boxes' centres
    low = height < 0.5 * usual
    lines: list[list[int]] = []
    levels: list[float] = []
    line_of = np.zeros(len(boxes), np.int64)
    tall = np.flatnonzero(~low)
    for box in tall[np.argsort(columns[tall], kind="stable")].tolist():
        apart = np.abs(np.array(levels) - rows[box])
        # A g reaches below the others, but beside them, too.
        if len(apart) and apart.min() < max(0.65 * usual, REACHING * height[box]):
            line = int(apart.argmin())
            lines[line].append(box)
        else:
            line = len(lines)
            lines.append([box])
            levels.append(0.0)
        levels[line] = float(np.mean(rows[lines[line][-3:]]))
        line_of[box] = line
    for box in np.flatnonzero(low).tolist():
        apart = np.abs(rows[tall] - rows[box])
        distance = np.hypot(columns[tall] - columns[box], 2 * apart)
        distance[apart > 0.8 * usual] = np.inf
        if len(tall) and np.isfinite(distance.min()):
            lines[line_of[tall[distance.argmin()]]].append(box)
    return sorted(lines, key=lambda line: float(np.mean(rows[line])))


def _weighted_median(values: Ints, weights: Ints) -> float:
    """The value below which half of the weight lies."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])
