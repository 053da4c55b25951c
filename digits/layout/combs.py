"""Combs, as forms have them: a rule with teeth, and one digit between each two -> boxes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from digits.layout.straight import Floats, Line
from digits.layout.walls import crossings, meeting
from digits.pictures.masks import Mask

FEWEST = 5  # teeth
AT_END = 0.25  # of a tooth, where it meets its rule
ALIKE = 0.15  # of their usual length, by which teeth may differ from it
EVEN = 0.2  # of the distance between two teeth, by which the next may differ from it
MOSTLY = 0.7  # of the distances, how many are alike
FEWEST_FILLED = 2  # places with something in them
HIGHER = 1.2  # times what stands between them, teeth: or they may be ones on a rule


def closed(across: Sequence[Line], down: Sequence[Line], mask: Mask) -> list[Line]:
    """Lines that are not there, and make boxes of combs: along the heads of the teeth, and at the
    ends of a rule that go on beyond the teeth.

    Args:
        across, down: the lines in a mask of ink, of shape (h, w).
    """
    if not across or len(down) < FEWEST:
        return []
    x, y = crossings(across, down)
    starts, ends = np.array([(line.start, line.end) for line in down]).T
    near, reach = meeting(across, down, x, y), AT_END * (ends - starts)
    stands = near & (np.abs(y - ends) <= reach)
    free = ~(near & (np.abs(y - starts) <= reach)).any(axis=0)
    found: list[Line] = []
    for rule, places, own in zip(across, x, stands & free, strict=True):
        feet = [(float(places[i]), down[i]) for i in np.flatnonzero(own).tolist()]
        found += _closing(rule, sorted(feet, key=lambda foot: foot[0]), mask)
    return found


def _closing(rule: Line, feet: Sequence[tuple[float, Line]], mask: Mask) -> list[Line]:
    """The lines that close a comb of these teeth on a rule, from the left, each with the column of
    its foot; none if it is no comb."""
    usual = float(np.median([tooth.length for _, tooth in feet])) if feet else 0.0
    feet = [foot for foot in feet if abs(foot[1].length - usual) <= ALIKE * usual]
    if len(feet) < FEWEST:
        return []
    places, teeth = np.array([place for place, _ in feet]), [tooth for _, tooth in feet]
    apart = np.diff(places)
    even = np.abs(np.diff(apart)) <= EVEN * np.minimum(apart[1:], apart[:-1])
    heights = [_height_between(*two, mask) for two in itertools.pairwise(teeth)]
    filled = [height for height in heights if height]
    if even.mean() < MOSTLY or len(filled) < FEWEST_FILLED or usual < HIGHER * np.median(filled):
        return []
    ends = []
    for end, place, pitch in (
        (rule.start, places[0], -apart[0]),
        (rule.end, places[-1], apart[-1]),
    ):
        beyond = (end - place) / pitch
        if beyond >= 0.5:  # the first or last place has one tooth alone
            ends.append(place + min(beyond, 1.0) * pitch)
    heads = np.array([(tooth.level[0], tooth.start) for tooth in teeth])
    slope, level = np.polyfit(heads[:, 0], heads[:, 1], 1)
    along = np.array([min(*heads[:, 0], *ends), max(*heads[:, 0], *ends)])
    sides = [
        _line(True, np.array([slope * end + level, rule.at(np.array([end]))[0]]), np.full(2, end))
        for end in ends
    ]
    return [_line(False, along, slope * along + level), *sides]


def _height_between(left: Line, right: Line, mask: Mask) -> int:
    """The height of what stands between two teeth, clear of both and of the rule."""
    top, foot = round(max(left.start, right.start)), round(min(left.end, right.end)) - 4
    begin = round(float(left.level.max()) + left.thickness / 2) + 2
    end = round(float(right.level.min()) - right.thickness / 2) - 2
    rows = np.flatnonzero(mask[max(top, 0) : max(foot, 0), max(begin, 0) : max(end, 0)].any(axis=1))
    return int(np.ptp(rows)) + 1 if len(rows) else 0


def _line(down: bool, along: Floats, level: Floats) -> Line:
    """A line that is not in the ink, as thin as can be."""
    whole = np.ones(int(along[1]) - int(along[0]) + 1, np.bool_)
    return Line(down, np.floor(along), level, 1.0, whole, whole)
