"""Draws on a picture what was read in it: `digits read form.jpg --show out.png`."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from digits.errors import DigitsError, explained
from digits.files import replacing
from digits.reading.page import Box, Page, Reading
from digits.reading.pictures import Grey

if TYPE_CHECKING:
    _Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

# Accepted and refused differ in colour, even to the colour-blind, and in shape: a solid frame and a
# filled label, or a dashed frame and an empty label with a question mark.
ACCEPTED = (0, 90, 181)
REFUSED = (200, 70, 0)
WHITE = (255, 255, 255)
LEGIBLE = 100  # pixels: a picture whose digits are lower is enlarged, pixel by pixel,
LARGEST_SIDE = 2400  # pixels: but not beyond this


@dataclass(frozen=True)
class _Label:
    """What is written about a reading, and where, in pixels of the enlarged picture."""

    reading: Reading
    text: str
    place: Box
    frame: Box  # around the ink

    def moved(self, x: int, y: int) -> _Label:
        return replace(self, place=self.place.moved(x, y), frame=self.frame.moved(x, y))


def draw(grey: Grey, page: Page) -> Image.Image:
    """The picture with a box around everything that was considered, digits and confidences.

    Args:
        grey: the picture that was read, uint8 of shape (h, w), from `pictures.load`.
        page: what the reader found in it.

    Returns:
        an RGB image, enlarged a whole number of times if the digits are tiny, with a margin where
        labels need one. A label is the digit and its probability, rounded down to a percent.
    """
    scale = _enlargement(grey, page)
    picture = Image.fromarray(grey)
    picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.BOX)
    line = max(2, round(max(picture.size) / 600))
    size = _font_size(picture, page, scale)
    font = ImageFont.load_default(size)
    labels = _lay_out(page, scale, font, size, line)

    # A margin holds what the picture has no room for.
    boxes = [box for label in labels for box in (label.place, label.frame)]
    extent = Box.around([Box(0, 0, *picture.size), *boxes])
    drawing = Image.new("RGB", (extent.width, extent.height), _paper(picture))
    drawing.paste(picture, (-extent.x, -extent.y))
    labels = [label.moved(-extent.x, -extent.y) for label in labels]
    pen = ImageDraw.Draw(drawing)
    for label in labels:
        _frame(pen, label.frame, label.reading.accepted, line)
        if label.place.bottom < label.frame.y:  # it had to make room
            x = (label.frame.x + label.frame.right) // 2
            colour = ACCEPTED if label.reading.accepted else REFUSED
            pen.line((x, label.place.bottom, x, label.frame.y), colour, line)
    for label in labels:  # on top of every frame
        accepted = label.reading.accepted
        colour = ACCEPTED if accepted else REFUSED
        left, top, right, bottom = corners = _corners(label.place)
        pen.rectangle(corners, fill=colour if accepted else WHITE, outline=colour, width=line)
        middle = ((left + right) / 2, (top + bottom) / 2)
        pen.text(middle, label.text, fill=WHITE if accepted else colour, font=font, anchor="mm")
    return drawing


def format_of(path: Path) -> str:
    """Pillow's name for the format that a path's ending stands for.

    Raises:
        DigitsError: no format that can be written has this ending.
    """
    form = Image.registered_extensions().get(path.suffix.lower(), "")
    if form not in Image.SAVE:
        raise DigitsError(
            f"--show {path}: no picture can be written with that ending; name it .png or .jpg."
        )
    return form


def save(drawing: Image.Image, path: Path) -> None:
    """Writes a drawing, in the format that the path's ending names.

    Raises:
        DigitsError: no such format, or the file cannot be written.
    """
    form = format_of(path)
    with explained(f"--show {path} cannot be written"), replacing(path) as file:
        drawing.save(file, form)


def _enlargement(grey: Grey, page: Page) -> int:
    height, width = grey.shape
    digits = [reading.box.height for reading in page.readings] or [max(height, width) / 4]
    wanted = -(-LEGIBLE // max(1, statistics.median(digits)))
    return int(max(1, min(wanted, LARGEST_SIDE // max(height, width))))


def _font_size(picture: Image.Image, page: Page, scale: int) -> int:
    """Pixels: in proportion to the digits, and legible when the whole drawing fits a screen."""
    heights = [reading.box.height * scale for reading in page.readings] or [0]
    return int(max(13, max(picture.size) / 80, min(statistics.median(heights) / 4, 96)))


def _lay_out(page: Page, scale: int, font: _Font, size: int, line: int) -> list[_Label]:
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
        labels.append(_Label(reading, text, place, frame))
    return labels


def _overlap(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


def _paper(picture: Image.Image) -> tuple[int, int, int]:
    """The colour of the margin: the picture's commonest brightness."""
    counts = picture.histogram()
    tone = counts.index(max(counts))
    return tone, tone, tone


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
