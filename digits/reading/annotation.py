"""Draws what was read onto the picture: `digits read form.jpg --show out.png`."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from digits.errors import DigitsError
from digits.files import replacing

if TYPE_CHECKING:
    from digits.reading.page import Page, Reading
    from digits.reading.pictures import Grey

    _Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

# Accepted and refused differ in colour, also to the colour-blind, and in shape: a solid frame and a
# filled label against a dashed frame and an empty label with a question mark.
ACCEPTED = (0, 90, 181)
REFUSED = (200, 70, 0)
WHITE = (255, 255, 255)
LEGIBLE = 100  # pixels: digits lower than this are enlarged, pixel by pixel
LARGEST_SIDE = 2400  # pixels: but not beyond this


@dataclass(frozen=True)
class _Label:
    """A text, its place, and the frame of what it labels: left, top, right, bottom in pixels of the
    enlarged picture; right and bottom are the first that do not belong to it."""

    reading: Reading
    text: str
    place: tuple[int, int, int, int]
    frame: tuple[int, int, int, int]


def draw(grey: Grey, page: Page) -> Image.Image:
    """The picture with a box around everything that was looked at, digits and confidences.

    Args:
        grey: the picture that was read, uint8 of shape (h, w), from `pictures.load`.
        page: what the reader found in it.

    Returns:
        an RGB image, a whole number of times as large when the digits are tiny, with a margin
        where labels need one. A label is the digit and its probability, rounded down to a percent.
    """
    scale = _enlargement(grey, page)
    picture = Image.fromarray(grey)
    picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.BOX)
    line = max(2, round(max(picture.size) / 600))
    size = _font_size(picture, page, scale)
    font = ImageFont.load_default(size)
    labels = _lay_out(page, scale, font, size, line)

    # A margin holds what the picture has no room for.
    places = [(0, 0, picture.width, picture.height)]
    for label in labels:
        places += [label.place, label.frame]
    left, above = -min(place[0] for place in places), -min(place[1] for place in places)
    right, below = max(place[2] for place in places), max(place[3] for place in places)
    drawing = Image.new("RGB", (left + right, above + below), _paper(picture))
    drawing.paste(picture, (left, above))
    pen = ImageDraw.Draw(drawing)
    for label in labels:
        x0, y0, x1, y1 = label.frame
        frame = (left + x0, above + y0, left + x1 - 1, above + y1 - 1)
        _frame(pen, frame, label.reading.accepted, line)
        if label.place[3] < y0:  # it had to make room
            x = left + (x0 + x1) // 2
            colour = ACCEPTED if label.reading.accepted else REFUSED
            pen.line((x, above + label.place[3], x, above + y0), colour, line)
    for label in labels:  # on top of every frame
        x0, y0, x1, y1 = label.place
        accepted = label.reading.accepted
        colour = ACCEPTED if accepted else REFUSED
        place = (left + x0, above + y0, left + x1 - 1, above + y1 - 1)
        pen.rectangle(place, fill=colour if accepted else WHITE, outline=colour, width=line)
        middle = ((place[0] + place[2]) / 2, (place[1] + place[3]) / 2)
        pen.text(middle, label.text, fill=WHITE if accepted else colour, font=font, anchor="mm")
    return drawing


def form_of(path: Path) -> str:
    """Pillow's name of the format that a path's ending stands for.

    Raises:
        DigitsError: there is none that can be written.
    """
    form = Image.registered_extensions().get(path.suffix.lower(), "")
    if form not in Image.SAVE:
        raise DigitsError(
            f"--show {path}: no picture is written with that ending; name it .png or .jpg."
        )
    return form


def save(drawing: Image.Image, path: Path) -> None:
    """Writes a drawing, in the format that the path's ending names.

    Raises:
        DigitsError: no such format, or the file cannot be written.
    """
    form = form_of(path)
    try:
        with replacing(path) as file:
            drawing.save(file, form)
    except OSError as error:
        raise DigitsError(f"--show {path} cannot be written ({error.strerror or error}).") from None


def _enlargement(grey: Grey, page: Page) -> int:
    height, width = grey.shape
    digits = [reading.box[3] for reading in page.readings] or [max(height, width) / 4]
    wanted = -(-LEGIBLE // max(1, statistics.median(digits)))
    return int(max(1, min(wanted, LARGEST_SIDE // max(height, width))))


def _font_size(picture: Image.Image, page: Page, scale: int) -> int:
    """Pixels: in proportion to the digits, and legible when the whole drawing is on a screen."""
    heights = [reading.box[3] * scale for reading in page.readings] or [0]
    return int(max(13, max(picture.size) / 80, min(statistics.median(heights) / 4, 96)))


def _lay_out(page: Page, scale: int, font: _Font, size: int, line: int) -> list[_Label]:
    """Labels stand on their boxes; one that would cover another goes above it."""
    labels: list[_Label] = []
    for reading in page.readings:
        text = f"{reading.digit}{'' if reading.accepted else '?'}  {int(reading.confidence * 100)}%"
        width, height = int(font.getlength(text)) + 4 * line, int(size * 1.1) + 2 * line
        x, y, w, h = (value * scale for value in reading.box)
        frame = (x - line, y - line, x + w + line, y + h + line)
        left, bottom = x + w // 2 - width // 2, frame[1]
        place = (left, bottom - height, left + width, bottom)
        while any(_overlap(place, other.place) for other in labels):
            place = (place[0], place[1] - height, place[2], place[3] - height)
        labels.append(_Label(reading, text, place, frame))
    return labels


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _paper(picture: Image.Image) -> tuple[int, int, int]:
    """What the margin is filled with: the picture's commonest brightness."""
    counts = picture.histogram()
    tone = counts.index(max(counts))
    return tone, tone, tone


def _frame(
    pen: ImageDraw.ImageDraw, frame: tuple[int, int, int, int], accepted: bool, line: int
) -> None:
    if accepted:
        pen.rectangle(frame, outline=ACCEPTED, width=line)
        return
    x0, y0, x1, y1 = frame
    dash = 4 * line
    for x in range(x0, x1 + 1, 2 * dash):
        for y in (y0, y1 - line + 1):
            pen.rectangle((x, y, min(x + dash, x1), y + line - 1), fill=REFUSED)
    for y in range(y0, y1 + 1, 2 * dash):
        for x in (x0, x1 - line + 1):
            pen.rectangle((x, y, x + line - 1, min(y + dash, y1)), fill=REFUSED)
