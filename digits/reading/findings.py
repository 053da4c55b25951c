"""What was found in a picture on the way to its page, for drawing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digits.layout.sheets.paper import Sheet
from digits.layout.structure import Layout
from digits.pictures.box import Box
from digits.reading.text import InPicture
from digits.reading.whole_page import Area

Point = tuple[float, float]  # x and y, in pixels of the picture


@dataclass(frozen=True)
class Findings:
    """What was found, in pixels of the picture.

    Attributes:
        paper: the corners of a sheet on a table; none if the picture is nothing but paper.
        rules: the lines that were taken out, each as points from end to end.
        cells: of tables and boxes.
        lines: around each line of writing.
    """

    paper: tuple[Point, ...] = ()
    rules: tuple[tuple[Point, ...], ...] = ()
    cells: tuple[Box, ...] = ()
    lines: tuple[Box, ...] = ()

    def moved(self, x: int, y: int) -> Findings:
        """The same, so many pixels further to the right and further down."""

        def shifted(points: tuple[Point, ...]) -> tuple[Point, ...]:
            return tuple((a + x, b + y) for a, b in points)

        return Findings(
            shifted(self.paper),
            tuple(map(shifted, self.rules)),
            tuple(box.moved(x, y) for box in self.cells),
            tuple(box.moved(x, y) for box in self.lines),
        )

    @staticmethod
    def together(parts: Sequence[Findings]) -> Findings:
        """All that was found in several regions."""
        return Findings(
            (),
            tuple(rule for part in parts for rule in part.rules),
            tuple(box for part in parts for box in part.cells),
            tuple(box for part in parts for box in part.lines),
        )


def findings_of(
    sheet: Sheet, laid_out: Layout, areas: Sequence[Area], in_picture: InPicture
) -> Findings:
    """What was found, from the steps of reading; `in_picture` takes boxes of the ink map there."""

    def point(x: float, y: float) -> Point:
        box = in_picture(Box(round(x), round(y), 1, 1))
        return box.x + box.width / 2, box.y + box.height / 2

    corners: tuple[Point, ...] = ()
    if sheet.to_picture is not None:
        height, width = sheet.grey.shape
        flat = ((0, 0), (width, 0), (width, height), (0, height))
        places = (sheet.in_picture(Box(x, y, 0, 0)) for x, y in flat)
        corners = tuple((float(place.x), float(place.y)) for place in places)
    rules = []
    for line in laid_out.lines:
        ends = zip(line.along.tolist(), line.level.tolist(), strict=True)
        rules.append(tuple(point(b, a) if line.down else point(a, b) for a, b in ends))
    lines = (Box.around([one.box for one in area.line.fragments]) for area in areas)
    return Findings(
        corners,
        tuple(rules),
        tuple(in_picture(cell.box) for cell in laid_out.cells),
        tuple(map(in_picture, lines)),
    )
