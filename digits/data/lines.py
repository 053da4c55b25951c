"""Lines of writing, drawn for training: numbers with what stands between their digits, and words.

A line has one hand: digits whose places in MNIST are near each other, which are often of one
writer, of one height, width and spacing. Digits touch and overlap as people let them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from digits.bundle import STRIP_HEIGHT, STRIP_WIDTH
from digits.data.mnist import Bytes
from digits.data.strokes import CANVAS, rounded, write

SIGNS = ".,-/:()+="
OTHER = "?"  # any character that is neither a digit nor one of the signs
CHARACTERS = "0123456789" + SIGNS + OTHER
MOST = 24  # characters of a line
WRITER = 150  # digits that are near each other in MNIST
FINE = 4  # times, by which what is drawn with a pen is enlarged
EDGE = 4  # columns at the sides of a strip that stay free, since training slants the strip
MEASURED = 64  # size of a font, in pixels, at which its digits are measured

VOWELS, CONSONANTS = "aeiouy", "bcdfghjklmnpqrstvwxz"
MARKS = "$€£%&#@!*"

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Glyphs:
    """What lines are composed of, each in MNIST's frame.

    `images` is uint8 of shape (n, 28, 28), ink 255 on 0; `of` has the indices of each digit's
    images, with those of one writer near each other, and those of letters under `OTHER`; `boxes`
    is int64 of shape (n, 4): left, top, right and bottom of the ink.
    """

    images: Bytes
    of: dict[str, Ints]
    boxes: Ints


@dataclass(frozen=True)
class Lines:
    """Strips of writing, uint8 of shape (n, 32, 192), ink 255 on 0; the indices in `CHARACTERS` of
    what is written, int32 of shape (n, MOST), filled up with -1; and the column in which the middle
    of each of them is, float32 of the same shape."""

    strips: Bytes
    labels: NDArray[np.int32]
    columns: NDArray[np.float32]

    @property
    def texts(self) -> list[str]:
        """What is written in each strip."""
        return ["".join(CHARACTERS[i] for i in row if i >= 0) for row in self.labels.tolist()]


def glyphs_of(digits: list[tuple[Bytes, Bytes]], letters: Bytes) -> Glyphs:
    """Glyphs of digits, images and labels of several kinds, and of letters.

    Each kind counts as much as its number of images.
    """
    images = np.concatenate([*(images for images, _ in digits), letters])
    labels = np.concatenate([*(labels for _, labels in digits), np.full(len(letters), 10)])
    inked = images.any(axis=(1, 2))
    images, labels = images[inked], labels[inked]
    rows, columns = np.asarray(images.max(axis=2) > 0), np.asarray(images.max(axis=1) > 0)
    side = images.shape[1]
    right, bottom = side - columns[:, ::-1].argmax(axis=1), side - rows[:, ::-1].argmax(axis=1)
    boxes = np.stack([columns.argmax(axis=1), rows.argmax(axis=1), right, bottom], axis=1)
    names = [*"0123456789", OTHER]
    return Glyphs(images, {of: np.flatnonzero(labels == i) for i, of in enumerate(names)}, boxes)


def nines_like_p(count: int, rng: np.random.Generator) -> Bytes:
    """Nines whose stem is on the left of their loop, as many South Americans write them: canvases,
    uint8 of shape (count, 64, 64). Among other digits they are no letters."""
    canvases = np.zeros((count, CANVAS, CANVAS), np.uint8)
    for canvas in canvases:
        wide, deep, closed = (
            rng.uniform(0.25, 0.55),
            rng.uniform(0.35, 0.6),
            rng.uniform(-0.05, 0.2),
        )
        start, foot = rng.uniform(-0.1, 0.15), rng.normal(0, 0.08)
        loop = [
            [start, rng.uniform(0.05, 0.35)],
            [0.4 * wide, -0.03],
            [wide, 0.05],
            [wide, 0.8 * deep],
            [closed, deep],
        ]
        stem = [[rng.uniform(-0.05, 0.12), rng.uniform(0.0, 0.25)], [0.02, 0.5], [foot, 1]]
        places = (np.array(stroke) for stroke in (loop, stem))
        strokes = [rounded(one + rng.normal(0, 0.02, one.shape), 3) for one in places]
        canvas[:] = write(strokes, rng)
    return canvases


def draw_lines(count: int, glyphs: Glyphs, fonts: list[list[Path]], seed: list[int]) -> Lines:
    """Draws lines, three in four of them from glyphs, the others in a font.

    The same seed gives the same bytes.
    """
    rng = np.random.default_rng(seed)
    strips = np.zeros((count, STRIP_HEIGHT, STRIP_WIDTH), np.uint8)
    labels = np.full((count, MOST), -1, np.int32)
    columns = np.zeros((count, MOST), np.float32)
    for i in tqdm(range(count), "drawing lines", disable=None, leave=False):
        written: list[tuple[str, float]] = []
        while not written:
            if rng.random() < 0.75:
                strips[i], written = _by_hand(glyphs, rng)
            else:
                strips[i], written = _in_font(fonts, rng)
        written = written[:MOST]
        labels[i, : len(written)] = [CHARACTERS.index(character) for character, _ in written]
        columns[i, : len(written)] = [column for _, column in written]
        _spoil(strips[i], rng)
    return Lines(strips, labels, columns)


def number(rng: np.random.Generator) -> str:
    """What people write as a number: digits alone, amounts, decimals, dates, times, sums.

    A space is a gap.
    """
    kind = rng.random()
    if kind < 0.5:
        return _digits(rng, 1, 11)
    if kind < 0.72:  # an amount: thousands apart, cents, a line or two against forgery at its end
        apart, cents = (("."), (","))[:: 1 if rng.random() < 0.5 else -1]
        text = _digits(rng, 1, 4)
        for _ in range(rng.integers(0, 3)):
            text += apart + ("000" if rng.random() < 0.3 else _digits(rng, 3, 4))
        if rng.random() < 0.35:
            text += cents + _digits(rng, 2, 3)
        return text + str(rng.choice(["", "", ".", ".-", "-", "=", ",-", " -", " ="]))
    if kind < 0.8:
        sign = "-" if rng.random() < 0.4 else ""
        return sign + _digits(rng, 1, 4) + str(rng.choice([".", ","])) + _digits(rng, 1, 4)
    if kind < 0.88:
        between = str(rng.choice(["/", "-", ".", ":"]))
        return between.join(_digits(rng, 1, 3) for _ in range(rng.integers(2, 4)))
    if kind < 0.94:
        sign = str(rng.choice(["+", "-", "/", ":", "="]))
        return _digits(rng, 1, 4) + sign + _digits(rng, 1, 4) + ("=" if rng.random() < 0.5 else "")
    if kind < 0.97:
        return "(" + _digits(rng, 1, 5) + ")" + _digits(rng, 0, 4)
    return " ".join(_digits(rng, 1, 4) for _ in range(rng.integers(2, 5)))


def _digits(rng: np.random.Generator, least: int, end: int) -> str:
    count = int(rng.integers(least, end))
    text = "".join(rng.choice(list("0123456789"), count))
    if rng.random() < 0.3:  # round sums
        zeros = int(rng.integers(0, count + 1))
        text = text[: count - zeros] + "0" * zeros
    return text


def word(rng: np.random.Generator) -> str:
    """Letters that could be a word, in small letters, capitals or with a capital."""
    letters = [
        str(rng.choice(list(VOWELS if (i + begin) % 2 else CONSONANTS)))
        for begin in [int(rng.integers(2))]
        for i in range(rng.integers(2, 9))
    ]
    text = "".join(letters)
    return (text, text.capitalize(), text.upper())[rng.integers(3)]


def _by_hand(glyphs: Glyphs, rng: np.random.Generator) -> tuple[Bytes, list[tuple[str, float]]]:
    """A line of glyphs, and each of its characters with its middle column."""
    text = number(rng)
    if rng.random() < 0.12:
        text = (
            f"{OTHER}{text}" if rng.random() < 0.4 else f"{text}{OTHER * int(rng.integers(1, 3))}"
        )
    hand = _Hand.random(glyphs, rng)
    strip = np.zeros((STRIP_HEIGHT, STRIP_WIDTH), np.uint8)
    reached = np.full(STRIP_HEIGHT, -9, np.int64)  # the last inked column of each row
    room = STRIP_WIDTH - EDGE
    left = EDGE + int(rng.integers(0, 12))
    reached[:] = left
    written: list[tuple[str, float]] = []
    before = None
    for character in text:
        if character == " ":
            reached += round(hand.height * rng.uniform(0.5, 1.3))
            continue
        ink, top = hand.draw(character, rng)
        begins = np.where(ink.any(axis=1), ink.argmax(axis=1), 99)  # by row, of the glyph
        gap = round(hand.gap + rng.normal(0, 0.8))
        if character in ".,":
            gap = max(gap, 0)
        x = _place(reached, begins, top, gap)
        if before is not None:  # never back beyond the middle of what was written before
            x = max(x, round(written[-1][1] - ink.shape[1] / 2) + 4)
        x = max(x, EDGE)
        if x + ink.shape[1] > room:
            break
        rows = slice(top, top + ink.shape[0])
        part = strip[rows, x : x + ink.shape[1]]
        np.maximum(part, ink, out=part)
        ends = ink.shape[1] - ink[:, ::-1].argmax(axis=1)
        reached[rows] = np.maximum(reached[rows], np.where(ink.any(axis=1), x + ends, 0))
        if before is not None and character == before[0] == "0" and rng.random() < hand.joined:
            _join(strip, before[1:], (x, top, *ink.shape[::-1]), rng)
        before = (character, x, top, *ink.shape[::-1])
        written.append((character, x + ink.shape[1] / 2))
    return _moved(strip, written, room, rng)


def _place(reached: Ints, begins: Ints, top: int, gap: int) -> int:
    """Where a glyph goes so that it is `gap` columns from what stands on its left, in the row, or
    one of three neighbouring rows, in which they are nearest."""
    height = len(begins)
    padded = np.pad(reached, 3, mode="edge")
    near = np.max([padded[i : i + len(reached)] for i in (1, 3, 5)], axis=0)
    return int((near[top : top + height] - begins).max()) + gap


def _moved(
    strip: Bytes, written: list[tuple[str, float]], room: int, rng: np.random.Generator
) -> tuple[Bytes, list[tuple[str, float]]]:
    """The line at a random place: in the middle of the strip, at one of its ends, or anywhere."""
    inked = np.flatnonzero(strip.any(axis=0))
    if not len(inked):
        return strip, []
    least, most = EDGE - int(inked[0]), room - 1 - int(inked[-1])
    if least >= most:
        return strip, written
    by = (0, least, most, int(rng.integers(least, most + 1)))[rng.integers(4)]
    return np.roll(strip, by, axis=1), [(character, column + by) for character, column in written]


@dataclass(frozen=True)
class _Hand:
    """How one line is written. Lengths are in pixels of the strip."""

    glyphs: Glyphs
    place: float  # of the writer's digits among all, 0 to 1
    height: float  # of a digit
    wide: float  # a digit's width to its width in MNIST
    gap: float
    base: float  # the row below the digits' feet
    unsteady: float  # standard deviation of height and place, to a digit's height
    zeros: float  # the height of a zero to that of other digits
    deep: float  # how far 4, 7 and 9 go below the line, to a digit's height
    joined: float  # how many neighbouring zeros are joined by a stroke
    pen: float  # the width of a stroke

    @classmethod
    def random(cls, glyphs: Glyphs, rng: np.random.Generator) -> _Hand:
        height = rng.uniform(13, 21)
        return cls(
            glyphs,
            place=rng.random(),
            height=height,
            wide=rng.uniform(0.75, 1.35),
            gap=rng.uniform(-0.5, 6) if rng.random() < 0.85 else rng.uniform(6, 14),
            base=STRIP_HEIGHT / 2 + height / 2 + rng.normal(0, 1.2),
            unsteady=rng.uniform(0.02, 0.1),
            zeros=rng.uniform(0.55, 0.9) if rng.random() < 0.3 else 1.0,
            deep=rng.uniform(0.1, 0.35) if rng.random() < 0.2 else 0.0,
            joined=rng.uniform(0.3, 1) if rng.random() < 0.2 else 0.0,
            pen=height * rng.uniform(0.08, 0.2),
        )

    def draw(self, character: str, rng: np.random.Generator) -> tuple[Bytes, int]:
        """The ink of a character, uint8 of shape (h, w), and the row of the strip it begins at."""
        if character in SIGNS:
            return self._sign(character, rng)
        height = self.height * (1 + rng.normal(0, self.unsteady))
        base = self.base + self.height * rng.normal(0, self.unsteady * 0.7)
        if character == "0":
            height *= self.zeros
        elif character in "479" and self.deep:
            base += self.height * self.deep
        elif character == OTHER:
            height *= rng.uniform(0.6, 1.2)
        of = self.glyphs.of[character]
        near = int(self.place * len(of)) + int(rng.integers(-WRITER // 20, WRITER // 20 + 1))
        index = of[near % len(of)] if rng.random() < 0.8 else of[rng.integers(len(of))]
        left, top, right, bottom = self.glyphs.boxes[index].tolist()
        wide = height * (right - left) / (bottom - top) * self.wide * rng.uniform(0.88, 1.14)
        wide = min(max(wide, 2.0), 1.5 * self.height)
        high = min(max(round(height), 4), STRIP_HEIGHT)
        picture = Image.fromarray(self.glyphs.images[index]).resize(
            (max(2, round(wide)), high), Image.Resampling.BILINEAR, (left, top, right, bottom)
        )
        row = min(max(round(base - height), 0), STRIP_HEIGHT - high)
        return np.asarray(picture), row

    def _sign(self, character: str, rng: np.random.Generator) -> tuple[Bytes, int]:
        h, pen = self.height, max(self.pen * rng.uniform(0.8, 1.3), 1.0)
        strokes = [[(x * h, y * h) for x, y in stroke] for stroke in _SIGNS[character](rng)]
        across, down = zip(*(point for stroke in strokes for point in stroke), strict=True)
        left, above = min(across) - pen / 2, self.base - h + min(down) - pen / 2
        row = min(max(math.floor(above), 0), STRIP_HEIGHT - 2)
        width = math.ceil(max(across) + pen / 2 - left) + 1
        height = min(math.ceil(self.base - h + max(down) + pen / 2 - row) + 1, STRIP_HEIGHT - row)
        picture = Image.new("L", (FINE * width, FINE * height))
        pencil = ImageDraw.Draw(picture)
        for stroke in strokes:
            points = [(FINE * (x - left), FINE * (self.base - h + y - row)) for x, y in stroke]
            _stroke(pencil, points, FINE * pen)
        return np.asarray(picture.reduce(FINE)), row


def _stroke(pencil: ImageDraw.ImageDraw, points: list[tuple[float, float]], width: float) -> None:
    pencil.line(points, fill=255, width=max(1, round(width)), joint="curve")
    for x, y in (points[0], points[-1]):
        pencil.circle((x, y), width / 2, fill=255)


Strokes = list[
    list[tuple[float, float]]
]  # x to the right; y from 0, a digit's head, to 1, its foot


def _point(rng: np.random.Generator) -> Strokes:
    y = rng.uniform(0.86, 1.0) if rng.random() < 0.9 else rng.uniform(0.45, 0.6)
    return [[(0, y), (rng.normal(0, 0.03), y + rng.normal(0, 0.03))]]


def _comma(rng: np.random.Generator) -> Strokes:
    y, long = rng.uniform(0.85, 1.0), rng.uniform(0.18, 0.4)
    return [[(0, y), (0.02, y + long / 2), (-rng.uniform(0.02, 0.2), y + long)]]


def _minus(rng: np.random.Generator) -> Strokes:
    y, long = rng.uniform(0.35, 0.75), rng.uniform(0.25, 1.0)
    if rng.random() < 0.2:
        y = rng.uniform(0.75, 1.0)
    return [[(0, y), (long / 2, y + rng.normal(0, 0.03)), (long, y + rng.normal(0, 0.05))]]


def _slash(rng: np.random.Generator) -> Strokes:
    lean = rng.uniform(0.2, 0.75)
    return [[(lean, rng.uniform(-0.25, 0.05)), (0, rng.uniform(0.95, 1.25))]]


def _colon(rng: np.random.Generator) -> Strokes:
    upper, lower = rng.uniform(0.2, 0.5), rng.uniform(0.75, 1.0)
    return [[(0, upper), (0.01, upper)], [(rng.normal(0, 0.04), lower), (0.01, lower)]]


def _bracket(rng: np.random.Generator, side: int) -> Strokes:
    deep, top, foot = rng.uniform(0.1, 0.35), rng.uniform(-0.25, 0.0), rng.uniform(1.0, 1.25)
    t = np.linspace(0, 1, 9)
    bow = side * deep * 4 * t * (1 - t)
    return [[(float(x), float(top + (foot - top) * y)) for x, y in zip(bow, t, strict=True)]]


def _plus(rng: np.random.Generator) -> Strokes:
    y, half = rng.uniform(0.45, 0.65), rng.uniform(0.2, 0.38)
    lean = rng.normal(0, 0.05)
    return [[(-half, y + lean), (half, y - lean)], [(lean, y - half), (-lean, y + half)]]


def _equals(rng: np.random.Generator) -> Strokes:
    y, apart, long = rng.uniform(0.2, 0.5), rng.uniform(0.15, 0.35), rng.uniform(0.3, 0.9)
    tilt = rng.normal(0, 0.06)
    second = [(rng.normal(0, 0.05), y + apart), (long * rng.uniform(0.8, 1.1), y + apart + tilt)]
    return [[(0, y), (long, y + tilt)], second]


_SIGNS: dict[str, Callable[[np.random.Generator], Strokes]] = {
    ".": _point,
    ",": _comma,
    "-": _minus,
    "/": _slash,
    ":": _colon,
    "(": lambda rng: _bracket(rng, -1),
    ")": lambda rng: _bracket(rng, 1),
    "+": _plus,
    "=": _equals,
}


def _join(
    strip: Bytes,
    one: tuple[int, int, int, int],
    other: tuple[int, int, int, int],
    rng: np.random.Generator,
) -> None:
    """A stroke from the top of one glyph, in a box of x, y, width and height, to the next's."""
    (x, y, width, height), (right, top, wide, high) = one, other
    picture = Image.fromarray(strip)
    begin = (x + width * rng.uniform(0.5, 0.9), y + height * rng.uniform(0, 0.35))
    end = (right + wide * rng.uniform(0.1, 0.5), top + high * rng.uniform(0, 0.35))
    middle = ((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2 + rng.normal(0, 1))
    pencil = ImageDraw.Draw(picture)
    pencil.line(
        [begin, middle, end], fill=int(rng.integers(150, 256)), width=int(rng.integers(1, 4))
    )
    strip[:] = np.asarray(picture)


def _in_font(
    fonts: list[list[Path]], rng: np.random.Generator
) -> tuple[Bytes, list[tuple[str, float]]]:
    """A line in a random font: a number, words, or both."""
    kind = rng.random()
    if kind < 0.55:
        text = number(rng)
    elif kind < 0.8:
        text = " ".join(word(rng) for _ in range(rng.integers(1, 4)))
    else:
        parts = [word(rng), number(rng)]
        if rng.random() < 0.3:
            parts[0] = str(rng.choice(list(MARKS)))
        text = " ".join(parts[:: 1 if rng.random() < 0.6 else -1])
    family = fonts[rng.integers(len(fonts))]
    path = family[rng.integers(len(family))]
    height = rng.uniform(13, 21)
    _, head, _, foot = _font(path, MEASURED).getbbox("0")
    font = _font(path, round(MEASURED * height / max(foot - head, 8)))
    picture = Image.new("L", (STRIP_WIDTH, STRIP_HEIGHT))
    pencil = ImageDraw.Draw(picture)
    bold = rng.uniform(0, 0.8) * (rng.random() < 0.4)
    apart = rng.uniform(-0.5, 3) * (rng.random() < 0.5)
    x, base = EDGE + rng.uniform(1, 10), STRIP_HEIGHT / 2 + height / 2 + rng.normal(0, 1.2)
    written: list[tuple[str, float]] = []
    for character in text:
        wide = font.getlength(character)
        if x + wide > STRIP_WIDTH - EDGE:
            break
        if character != " ":
            pencil.text((x, base), character, 255, font, anchor="ls", stroke_width=bold)
            label = character if character in CHARACTERS else OTHER
            written.append((label, x + wide / 2))
        x += wide + apart
    return _moved(np.asarray(picture).copy(), written, STRIP_WIDTH - EDGE, rng)


@lru_cache(4096)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def _spoil(strip: Bytes, rng: np.random.Generator) -> None:
    """What else is in a strip: rules, remains of other lines and of boxes, specks."""
    chances = rng.random(5)
    if chances[0] < 0.12:  # a rule, or what is left of one
        row, slope = rng.uniform(0, STRIP_HEIGHT), rng.normal(0, 0.01)
        begin, end = np.sort(rng.integers(0, STRIP_WIDTH, 2))
        if rng.random() < 0.5:
            begin, end = 0, STRIP_WIDTH
        picture = Image.fromarray(strip)
        line = (int(begin), row + slope * begin, int(end), row + slope * end)
        grey = int(rng.integers(80, 256))
        ImageDraw.Draw(picture).line(line, fill=grey, width=int(rng.integers(1, 3)))
        np.maximum(strip, np.asarray(picture), out=strip)
    if chances[1] < 0.12:  # feet of the line above, or heads of the line below
        rows = int(rng.integers(1, 5))
        place = slice(0, rows) if rng.random() < 0.5 else slice(STRIP_HEIGHT - rows, STRIP_HEIGHT)
        runs = np.repeat(rng.random(STRIP_WIDTH // 4) < 0.3, 4)
        np.maximum(strip[place], np.where(runs, np.uint8(255), np.uint8(0)), out=strip[place])
    if chances[2] < 0.1:  # the wall of a box
        column = int(rng.integers(0, EDGE)) if rng.random() < 0.5 else STRIP_WIDTH - 1 - EDGE
        strip[rng.integers(0, 12) : rng.integers(20, 33), column : column + 2] = 255
    if chances[3] < 0.3:  # specks
        for _ in range(rng.integers(1, 12)):
            y, x = rng.integers(0, STRIP_HEIGHT), rng.integers(0, STRIP_WIDTH)
            high, wide = rng.integers(1, 3, 2)
            strip[y : y + high, x : x + wide] = rng.integers(60, 256)
    if chances[4] < 0.3:  # a hard edge instead of a grey one
        strip[:] = np.where(strip > rng.integers(60, 160), np.uint8(255), np.uint8(0))
