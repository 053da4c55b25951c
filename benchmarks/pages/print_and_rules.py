"""What is printed on paper: boxes, tables, ruled lines, words."""

import itertools
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.pages import pen, writing
from benchmarks.pages.camera import Colour
from benchmarks.pages.made import Cells
from benchmarks.pages.pen import Ink
from benchmarks.pages.writing import Hand, Random

# None of them could be taken for a number, as "Ill" could.
WORDS = """
about address answer apples bread bridge butter Berlin chapter city country date dear delivery
doctor evening family flower friend garden green happy house January kitchen lamp letter list
London market meeting Monday morning mother music name number order paper Paris people phone
please quick receipt river room school sheet signature station street summer teacher thank Tuesday
under village water weather window winter yellow yesterday Zürich Käse café über Straße mañana
""".split()  # noqa: SIM905 - a list literal would take a line for each word
RULE_COLOURS: tuple[Colour, ...] = ((0.6, 0.72, 0.88), (0.65, 0.66, 0.68), (0.45, 0.5, 0.62))
MARGIN_COLOURS: tuple[Colour, ...] = ((0.85, 0.4, 0.4), (0.35, 0.35, 0.38), (0.4, 0.45, 0.75))


def boxes(text: str, writer: Hand, rng: Random) -> tuple[Ink, Ink]:
    """A box for each character, side by side or apart. Returns the digits' ink and the walls."""
    high = writer.height
    tall, wide = rng.uniform(1.25, 1.7) * high, rng.uniform(1.15, 1.6) * high
    thick = int(rng.integers(2, 5))
    apart = 0.0 if rng.random() < 0.6 else rng.uniform(0.12, 0.4) * high
    margin = rng.uniform(0.4, 1.2) * high
    shape = (int(tall + 2 * margin), int(len(text) * (wide + apart) + 2 * margin))
    ink, walls = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for place, character in enumerate(text):
        left, top = margin + place * (wide + apart), margin
        frame(walls, left, top, wide, tall, thick)
        one = writing.digit(int(character), writer, rng)
        centre = (left + wide / 2, top + tall / 2) + rng.normal(size=2) * 0.07 * high
        x, y = centre - np.array(one.shape[::-1]) / 2
        pen.paste(ink, one, max(0, round(x)), max(0, round(y)))
    return ink, walls


def box_around(text: str, writer: Hand, rng: Random) -> tuple[Ink, Ink, bool]:
    """One box round a number. Returns the digits' ink, the box, and whether a hand drew it."""
    number = writing.pasted(writing.line(text, writer, rng))
    high, (tall, wide) = writer.height, number.shape
    left, top, right, bottom = rng.uniform(0.2, 0.7, 4) * high
    margin = int(rng.uniform(0.4, 1.2) * high)
    wide, tall = int(wide + left + right), int(tall + top + bottom)
    shape = (tall + 2 * margin, wide + 2 * margin)
    ink, box = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    pen.paste(ink, number, margin + int(left), margin + int(top))
    by_hand = bool(rng.random() < 0.5)
    if by_hand:
        corners = np.array([(0, 0), (wide, 0), (wide, tall), (0, tall), (0, 0)], float) + margin
        corners += rng.normal(size=(5, 2)) * 0.05 * high
        steps = np.linspace(0, 1, 9)[:, None]
        sides = [a + (b - a) * steps for a, b in itertools.pairwise(corners)]
        path = np.concatenate(sides)
        path += rng.normal(size=path.shape) * 0.01 * high
        drawn, x, y = pen.stroke([(float(a), float(b)) for a, b in path], writer.pen)
        _paste_clipped(box, drawn, x, y)
    else:
        frame(box, margin, margin, wide, tall, int(rng.integers(2, 5)))
    return ink, box, by_hand


def table(cells: Cells, writer: Hand, rng: Random) -> tuple[Ink, Ink]:
    """A table with printed rules. Returns the digits' ink and the rules."""
    high = writer.height
    tall = rng.uniform(1.5, 1.9) * high
    longest = [max(1, *(len(row[column]) for row in cells)) for column in range(len(cells[0]))]
    widths = [(0.85 * max(count, 2) + rng.uniform(0.7, 1.1)) * high for count in longest]
    lefts = np.concatenate([[0], np.cumsum(widths)])
    margin = rng.uniform(0.6, 1.5) * high
    shape = (int(len(cells) * tall + 2 * margin), int(lefts[-1] + 2 * margin))
    ink, rules = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    thick = int(rng.integers(2, 4))
    for row, texts in enumerate(cells):
        for column, text in enumerate(texts):
            left, top = margin + lefts[column], margin + row * tall
            frame(rules, left, top, widths[column], tall, thick)
            if text:
                number = writing.pasted(writing.line(text, writer, rng))
                room_x = widths[column] - number.shape[1] - 0.2 * high
                x = left + 0.1 * high + rng.uniform(0.2, 0.8) * max(room_x, 0)
                y = top + (tall - len(number)) / 2 + rng.normal() * 0.06 * high
                pen.paste(ink, number, int(x), max(0, int(y)))
    return ink, rules


def puzzle(rng: Random) -> Cells:
    """A sudoku of which about 30 of 81 cells are filled."""
    bands = [3 * band + row for band in rng.permutation(3) for row in rng.permutation(3)]
    stacks = [3 * stack + column for stack in rng.permutation(3) for column in rng.permutation(3)]
    digit = rng.permutation(9) + 1
    shown = rng.permutation(81) < rng.integers(26, 35)
    return tuple(
        tuple(
            str(digit[(3 * (row % 3) + row // 3 + column) % 9]) if shown[9 * i + j] else ""
            for j, column in enumerate(stacks)
        )
        for i, row in enumerate(bands)
    )


def sudoku(cells: Cells, fonts: list[list[Path]], rng: Random) -> Ink:
    """A printed sudoku: thin rules, thick ones round the grid and every third."""
    side, margin = int(rng.integers(48, 68)), int(rng.integers(20, 60))
    thin, thick = int(rng.integers(1, 3)), int(rng.integers(3, 6))
    whole = 9 * side + 2 * margin
    ink = np.zeros((whole, whole), np.float32)
    for k in range(10):
        width = thick if k % 3 == 0 else thin
        at = margin + k * side - width // 2
        ends = slice(margin - thick // 2, margin + 9 * side + thick - thick // 2)
        ink[at : at + width, ends] = ink[ends, at : at + width] = 1
    bold_enough = [[face for face in family if _weight(face) >= 300] for family in fonts]
    font = _font(_face(bold_enough, rng), round(side * rng.uniform(0.55, 0.75)))
    for i, row in enumerate(cells):
        for j, text in enumerate(row):
            if text:
                drawn = _printed(text, font)
                x, y = (margin + (at + 0.5) * side for at in (j, i))
                left, top = round(x - drawn.shape[1] / 2), round(y - len(drawn) / 2)
                pen.paste(ink, drawn, left, top)
    return ink


def words(count: int, fonts: list[list[Path]], rng: Random) -> Ink:
    """A line of words, with a margin."""
    chosen = [WORDS[rng.integers(len(WORDS))] for _ in range(count)]
    if rng.random() < 0.5:
        chosen[0] = chosen[0][0].upper() + chosen[0][1:]
    drawn = _printed(" ".join(chosen), _font(_face(fonts, rng), int(rng.integers(36, 80))))
    return np.pad(drawn, [tuple(rng.integers(15, 60, 2)) for _ in range(2)])


def labelled(text: str, fonts: list[list[Path]], writer: Hand, rng: Random) -> tuple[Ink, Ink]:
    """A number behind a printed word or two, and perhaps before another. Returns the number's ink
    and the print."""
    high = writer.height
    font = _font(_face(fonts, rng), round(rng.uniform(0.7, 1.1) * high))
    before = [WORDS[rng.integers(len(WORDS))] for _ in range(rng.integers(1, 3))]
    after = [WORDS[rng.integers(len(WORDS))]] * int(rng.random() < 0.3)
    number = writing.pasted(writing.line(text, writer, rng))
    apart, margin = round(rng.uniform(0.5, 0.9) * high), round(rng.uniform(0.4, 1.0) * high)
    pieces = [_printed(" ".join(before), font), number, *(_printed(word, font) for word in after)]
    tall = max(map(len, pieces)) + 2 * margin
    wide = sum(one.shape[1] + apart for one in pieces) - apart + 2 * margin
    ink, printed = np.zeros((tall, wide), np.float32), np.zeros((tall, wide), np.float32)
    left = margin
    for one in pieces:
        pen.paste(ink if one is number else printed, one, left, (tall - len(one)) // 2)
        left += one.shape[1] + apart
    return ink, printed


def ruled(kind: str, lines: list[str], writer: Hand, rng: Random) -> tuple[Ink, Ink, np.ndarray]:
    """Numbers on paper with printed rules.

    Args:
        kind: "ruled", "squared" (digits on and across the lines), or "margin" (ruled, with a rule
            down the left side).

    Returns:
        the digits' ink, the rules, and the colour of each pixel of a rule.
    """
    high = writer.height
    spacing = rng.uniform(0.5, 0.9) * high if kind == "squared" else rng.uniform(1.3, 1.8) * high
    pitch = spacing * np.ceil(1.4 * high / spacing)
    numbers = [writing.line(text, writer, rng) for text in lines]
    inks = [writing.pasted(number) for number in numbers]
    left, margin = rng.uniform(1.0, 2.0) * high, rng.uniform(0.5, 1.5) * high
    height = int(1.8 * high + len(lines) * pitch + margin)
    width = int(left + max(ink.shape[1] for ink in inks) + margin + 0.5 * high)
    ink, rules = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    colours = np.empty((height, width, 3), np.float32)
    colours[:] = RULE_COLOURS[rng.integers(len(RULE_COLOURS))]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    tilt, thick = rng.uniform(-0.012, 0.012), rng.uniform(1.0, 2.2)
    first = 1.6 * high
    rules = np.maximum(rules, _grating(y + tilt * x - first, spacing, thick))
    if kind == "squared":
        rules = np.maximum(rules, _grating(x - tilt * y - rng.uniform(0, spacing), spacing, thick))
    if kind == "margin":
        at, red = left - rng.uniform(0.25, 0.7) * high, rng.integers(len(MARGIN_COLOURS))
        down = np.clip(thick / 2 + 0.8 - np.abs(x - tilt * y - at), 0, 1)
        colours[down > 0] = MARGIN_COLOURS[red]
        rules = np.maximum(rules, down)
    # On the line, or anywhere between two, as people write on squared paper.
    off = rng.uniform(-0.35, 0.35) if kind == "squared" else rng.uniform(-0.12, 0.06)
    for k, (number, drawn) in enumerate(zip(numbers, inks, strict=True)):
        baseline = first + k * pitch + (off + 0.03 * rng.normal()) * high - tilt * left
        top = int(baseline) + min(one.top for one in number)
        pen.paste(ink, drawn, int(left + rng.uniform(0, 0.4) * high), max(0, top))
    return ink, rules, colours


def frame(walls: Ink, left: float, top: float, wide: float, tall: float, thick: int) -> None:
    """Draws a rectangle whose walls are `thick` pixels, centred on its edges."""
    x0, y0, x1, y1 = round(left), round(top), round(left + wide), round(top + tall)
    half = thick // 2
    for y in (y0, y1):
        walls[y - half : y - half + thick, x0 - half : x1 - half + thick] = 1
    for x in (x0, x1):
        walls[y0 - half : y1 - half + thick, x - half : x - half + thick] = 1


def _grating(at: Ink, spacing: float, thick: float) -> Ink:
    """Lines so many pixels thick where `at` is a multiple of the spacing, with grey edges."""
    distance = np.abs((at + spacing / 2) % spacing - spacing / 2)
    return np.clip(thick / 2 + 0.5 - distance, 0, 1).astype(np.float32)


def _paste_clipped(page: Ink, ink: Ink, left: int, top: int) -> None:
    rows = slice(max(0, -top), min(len(ink), len(page) - top))
    columns = slice(max(0, -left), min(ink.shape[1], page.shape[1] - left))
    pen.paste(page, ink[rows, columns], max(0, left), max(0, top))


def _face(fonts: list[list[Path]], rng: Random) -> Path:
    family = fonts[rng.integers(len(fonts))]
    return family[rng.integers(len(family))]


def _weight(face: Path) -> int:
    """From the name of the file: bitter-latin-300-normal."""
    return int(face.stem.rsplit("-", 2)[1])


def _printed(text: str, font: ImageFont.FreeTypeFont) -> Ink:
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
    drawn = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(drawn).text((4 - left, 4 - top), text, 255, font)
    return pen.cropped(np.asarray(drawn, np.float32) / 255)


@lru_cache(256)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)
