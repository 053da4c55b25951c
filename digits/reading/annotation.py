"""Draws on a picture what was read in it: `digits read form.jpg --show out.png`."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from digits.errors import DigitsError, explained
from digits.files import replacing
from digits.pictures.box import Box
from digits.pictures.grey import Grey

if TYPE_CHECKING:
    from digits.reading.findings import Findings, Point
    from digits.reading.page import Page

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

# Accepted and refused differ in colour, even to the colour-blind, and in shape: a solid frame and a
# filled label, or a dashed frame and an empty label with a question mark.
ACCEPTED = (0, 90, 181)
REFUSED = (200, 70, 0)
WHITE = (255, 255, 255)
PAPER, RULE, CELL, LINE = (0, 158, 115), (204, 121, 167), (86, 180, 233), (170, 170, 170)
LEGIBLE = 100  # pixels: a picture whose digits are lower is enlarged, pixel by pixel,
LARGEST_SIDE = 2400  # pixels: but not beyond this
SHOWN = 1200  # pixels along the longer side of what a notebook shows


class _Label(NamedTuple):
    """What is written about a reading, and where, in pixels of the enlarged picture."""

    text: str
    accepted: bool
    place: Box
    frame: Box  # around the ink

    def moved(self, x: int, y: int) -> _Label:
        return self._replace(place=self.place.moved(x, y), frame=self.frame.moved(x, y))


def draw(grey: Grey, page: Page, findings: Findings | None = None) -> Image.Image:
    """The picture with a box around everything that was considered, digits and confidences.

    `grey` is the picture that was read, uint8 of shape (h, w), from `pictures.load`. The result is
    RGB, enlarged a whole number of times if the digits are tiny, with a margin where labels need
    one. A label is the digit and its probability, rounded down to a percent. The paper's edge,
    rules that were taken out, cells and lines of writing are drawn beneath.
    """
    side = max(grey.shape)
    digit = statistics.median([reading.box.height for reading in page.readings] or [side / 4])
    scale = int(max(1, min(-(-LEGIBLE // max(1, digit)), LARGEST_SIDE // side)))
    line = max(2, round(scale * side / 600))
    # In proportion to the digits, and legible when the whole drawing fits a screen.
    size = int(max(13, scale * side / 80, min(scale * digit / 4, 96)))
    font = ImageFont.load_default(size)
    labels = _lay_out(page, scale, font, size, line)

    picture = Image.fromarray(grey)
    picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.BOX)
    # A margin, of the picture's commonest brightness, holds what the picture has no room for.
    boxes = [box for label in labels for box in (label.place, label.frame)]
    extent = Box.around([Box(0, 0, *picture.size), *boxes])
    tones = picture.histogram()
    paper = Image.new("L", (extent.width, extent.height), tones.index(max(tones)))
    paper.paste(picture, (-extent.x, -extent.y))
    drawing = paper.convert("RGB")
    pen = ImageDraw.Draw(drawing)
    if findings:
        _draw_findings(pen, findings, scale, (-extent.x, -extent.y), line)
    labels = [label.moved(-extent.x, -extent.y) for label in labels]
    for _, accepted, place, frame in labels:
        _frame(pen, frame, accepted, line)
        if place.bottom < frame.y:  # it had to make room
            x = (frame.x + frame.right) // 2
            pen.line((x, place.bottom, x, frame.y), ACCEPTED if accepted else REFUSED, line)
    for text, accepted, place, _ in labels:  # on top of every frame
        outline, fill, colour = (
            (ACCEPTED, ACCEPTED, WHITE) if accepted else (REFUSED, WHITE, REFUSED)
        )
        left, top, right, bottom = corners = _corners(place)
        pen.rectangle(corners, fill, outline, line)
        pen.text(((left + right) / 2, (top + bottom) / 2), text, colour, font, anchor="mm")
    return drawing


def _draw_findings(
    pen: ImageDraw.ImageDraw, findings: Findings, scale: int, shift: tuple[int, int], line: int
) -> None:
    def place(points: Sequence[Point]) -> list[Point]:
        return [(x * scale + shift[0], y * scale + shift[1]) for x, y in points]

    def frame(box: Box, colour: tuple[int, int, int]) -> None:
        (left, top), (right, bottom) = place([(box.x, box.y), (box.right, box.bottom)])
        pen.rectangle((left, top, right - 1, bottom - 1), outline=colour, width=max(1, line // 2))

    for box in findings.lines:
        frame(box, LINE)
    for box in findings.cells:
        frame(box, CELL)
    for rule in findings.rules:
        pen.line(place(rule), RULE, line)
    if findings.paper:
        pen.line(place([*findings.paper, findings.paper[0]]), PAPER, 2 * line)


def png_of(drawing: Image.Image) -> bytes:
    """A drawing as the content of a PNG file, reduced to at most `SHOWN` pixels along a side."""
    content = BytesIO()
    drawing = drawing.copy()
    drawing.thumbnail((SHOWN, SHOWN))
    drawing.save(content, "PNG")
    return content.getvalue()


def format_of(path: Path) -> str:
    """Pillow's name for the format that a path's ending stands for. Raises DigitsError if no format
    that can be written has this ending."""
    form = Image.registered_extensions().get(path.suffix.lower(), "")
    if form not in Image.SAVE:
        raise DigitsError(
            f"--show {path}: no picture can be written with that ending; name it .png or .jpg."
        )
    return form


def save(drawing: Image.Image, path: Path) -> None:
    """Writes a drawing, in the format that the path's ending names. Raises DigitsError if there is
    no such format, or the file cannot be written."""
    form = format_of(path)
    with explained(f"--show {path} cannot be written"), replacing(path) as file:
        drawing.save(file, form)


def _lay_out(page: Page, scale: int, font: Font, size: int, line: int) -> list[_Label]:
    """Labels stand on their boxes; one that would cover another goes above it."""
    labels: list[_Label] = []
    for reading in page.readings:
        text = f"{reading.digit}{'' if reading.accepted else '?'}  {int(reading.confidence * 100)}%"
        width, height = int(font.getlength(text)) + 4 * line, int(size * 1.1) + 2 * line
        x, y, w, h = (value * scale for value in reading.box)
        frame = Box(x - line, y - line, w + 2 * line, h + 2 * line)
        place = Box(x + w // 2 - width // 2, frame.y - height, width, height)
        while any(_overlap(place, other.place) for other in labels):
            place = place.moved(0, -height)
        labels.append(_Label(text, reading.accepted, place, frame))
    return labels


def _overlap(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


def _corners(box: Box) -> tuple[int, int, int, int]:
    """Left, top, right and bottom as Pillow takes them: the last pixels included."""
    return box.x, box.y, box.right - 1, box.bottom - 1


def _frame(pen: ImageDraw.ImageDraw, box: Box, accepted: bool, line: int) -> None:
    left, top, right, bottom = corners = _corners(box)
    if accepted:
        pen.rectangle(corners, outline=ACCEPTED, width=line)
        return
    dash = 4 * line
    for x in range(left, right + 1, 2 * dash):
        for y in (top, bottom - line + 1):
            pen.rectangle((x, y, min(x + dash, right), y + line - 1), fill=REFUSED)
    for y in range(top, bottom + 1, 2 * dash):
        for x in (left, right - line + 1):
            pen.rectangle((x, y, x + line - 1, min(y + dash, bottom)), fill=REFUSED)
