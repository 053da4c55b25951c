"""Lines written by one hand: digits whose places in MNIST are near each other, which are often of
one writer, of one height, width and spacing. They touch and overlap as people let them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digits.bundle import STRIP_HEIGHT, STRIP_WIDTH
from digits.data.lines import signs
from digits.data.lines.texts import OTHER, SIGNS, number
from digits.data.mnist import Bytes

WRITER = 150  # digits that are near each other in MNIST
FINE = 4  # times, by which what is drawn with a pen is enlarged
EDGE = 4  # columns at the sides of a strip that stay free, since training slants the strip
WORDS = 0.06  # of the lines, those that are letters alone

Ints = NDArray[np.int64]
Character = tuple[str, float]  # and the column in which its middle is
Placed = tuple[int, int, int, int]  # x, y, width and height of a glyph in a strip


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


def write_line(glyphs: Glyphs, rng: np.random.Generator) -> tuple[Bytes, list[Character]]:
    """A line by a random hand, uint8 of shape (32, 192), and its characters."""
    text, hand = _text(rng), Hand.random(glyphs, rng)
    strip = np.zeros((STRIP_HEIGHT, STRIP_WIDTH), np.uint8)
    room = STRIP_WIDTH - EDGE
    # The last inked column of each row.
    reached = np.full(STRIP_HEIGHT, EDGE + int(rng.integers(0, 12)), np.int64)
    written: list[Character] = []
    before: tuple[str, Placed] | None = None
    for part in _parts(text, hand, rng):
        if part == " ":
            reached += round(hand.height * rng.uniform(0.5, 1.3))
            continue
        ink, top, middles = hand.draw(part, rng)
        begins = np.where(ink.any(axis=1), ink.argmax(axis=1), 99)  # by row, of the glyph
        gap = round(hand.gap + rng.normal(0, 0.8))
        if part in ".,":
            gap = max(gap, 0)
        touching = before is not None and part[0] == before[0][-1] == "0"
        if touching and rng.random() < hand.joined:
            gap = -round(rng.uniform(0, 0.35) * ink.shape[1] / len(part))
        x = _place(reached, begins, top, gap)
        if written:  # never back beyond the middle of what was written before
            x = max(x, round(written[-1][1] - middles[0]) + 4)
        x = max(x, EDGE)
        if x + ink.shape[1] > room:
            break
        rows = slice(top, top + ink.shape[0])
        pixels = strip[rows, x : x + ink.shape[1]]
        np.maximum(pixels, ink, out=pixels)
        ends = ink.shape[1] - ink[:, ::-1].argmax(axis=1)
        reached[rows] = np.maximum(reached[rows], np.where(ink.any(axis=1), x + ends, 0))
        placed = (x, top, *ink.shape[::-1])
        joined = hand.joined if touching else hand.joined / 5
        if before is not None and (part + before[0]).isdigit() and rng.random() < joined:
            _join(strip, before[1], placed, rng)
        before = (part, placed)
        written += [(one, x + middle) for one, middle in zip(part, middles, strict=True)]
    return strip, written


def _text(rng: np.random.Generator) -> str:
    if rng.random() < WORDS:
        return OTHER * int(rng.integers(1, 9))
    text = number(rng)
    if rng.random() < 0.88:
        return text
    return f"{OTHER}{text}" if rng.random() < 0.4 else f"{text}{OTHER * int(rng.integers(1, 3))}"


def _parts(text: str, hand: Hand, rng: np.random.Generator) -> Iterator[str]:
    """A text's characters, with zeros that are written in one stroke together."""
    at = 0
    while at < len(text):
        zeros = len(text) - at - len(text[at:].lstrip("0"))
        together = zeros if zeros > 1 and rng.random() < hand.chained else 1
        yield text[at : at + together]
        at += together


def _place(reached: Ints, begins: Ints, top: int, gap: int) -> int:
    """Where a glyph goes so that it is `gap` columns from what stands on its left, in the row, or
    one of three neighbouring rows, in which they are nearest."""
    height = len(begins)
    padded = np.pad(reached, 3, mode="edge")
    near = np.max([padded[i : i + len(reached)] for i in (1, 3, 5)], axis=0)
    return int((near[top : top + height] - begins).max()) + gap


@dataclass(frozen=True)
class Hand:
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
    chained: float  # how many rows of zeros are written in one stroke
    pen: float  # the width of a stroke

    @classmethod
    def random(cls, glyphs: Glyphs, rng: np.random.Generator) -> Hand:
        """A random hand that writes with these glyphs."""
        height = rng.uniform(13, 21)
        return cls(
            glyphs,
            place=rng.random(),
            height=height,
            wide=rng.uniform(0.75, 1.35),
            gap=rng.uniform(-0.5, 6) if rng.random() < 0.85 else rng.uniform(6, 14),
            base=STRIP_HEIGHT / 2 + height / 2 + rng.normal(0, 1.2),
            unsteady=rng.uniform(0.02, 0.1),
            zeros=rng.uniform(0.45, 0.9) if rng.random() < 0.35 else 1.0,
            deep=rng.uniform(0.1, 0.35) if rng.random() < 0.2 else 0.0,
            joined=rng.uniform(0.3, 1) if rng.random() < 0.3 else 0.0,
            chained=rng.uniform(0.3, 1) if rng.random() < 0.3 else 0.0,
            pen=height * rng.uniform(0.08, 0.2),
        )

    def draw(self, part: str, rng: np.random.Generator) -> tuple[Bytes, int, list[float]]:
        """A character, or several zeros: its ink, uint8 of shape (h, w), the row of the strip that
        it begins at, and the columns of the ink in which the middles of its characters are."""
        if len(part) > 1:
            return self._zeros(len(part), rng)
        ink, row = self._sign(part, rng) if part in SIGNS else self._glyph(part, rng)
        return ink, row, [ink.shape[1] / 2]

    def _glyph(self, character: str, rng: np.random.Generator) -> tuple[Bytes, int]:
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
        strokes = [
            [(x * self.height, y * self.height) for x, y in stroke]
            for stroke in signs.STROKES[character](rng)
        ]
        ink, row, _ = self._inked(strokes, self.pen * rng.uniform(0.8, 1.3))
        return ink, row

    def _zeros(self, count: int, rng: np.random.Generator) -> tuple[Bytes, int, list[float]]:
        """Zeros in one stroke, round after round, as a pen draws loops that never leaves the
        paper."""
        high = self.height * self.zeros * (1 + rng.normal(0, self.unsteady)) / 2
        wide = high * self.wide * rng.uniform(0.6, 1.1)
        pitch = 2 * wide * rng.uniform(0.65, 1.15)
        begin, lean = rng.normal(-1.5, 0.4), rng.normal(0.1, 0.15)
        along = np.linspace(0, count + rng.uniform(-0.08, 0.15), 24 * count)
        uneven = 1 + rng.normal(0, self.unsteady + 0.04, count + 2)
        size = np.interp(along, np.arange(count + 2), uneven)
        x = wide * size * np.cos(begin - 2 * math.pi * along)
        y = high * size * np.sin(begin - 2 * math.pi * along)
        x += pitch * along - lean * y
        strokes = [list(zip(x.tolist(), (y + self.height - high).tolist(), strict=True))]
        ink, row, left = self._inked(strokes, self.pen * rng.uniform(0.8, 1.2))
        return ink, row, [pitch * (i + 0.5) - left for i in range(count)]

    def _inked(
        self, strokes: list[list[tuple[float, float]]], pen: float
    ) -> tuple[Bytes, int, float]:
        """Strokes, whose y is 0 at a digit's head, in ink; its first row, and the x that its first
        column is at."""
        pen = max(pen, 1.0)
        across, down = zip(*(point for stroke in strokes for point in stroke), strict=True)
        head = self.base - self.height
        left, above = min(across) - pen / 2, head + min(down) - pen / 2
        row = min(max(math.floor(above), 0), STRIP_HEIGHT - 2)
        width = math.ceil(max(across) + pen / 2 - left) + 1
        height = min(math.ceil(head + max(down) + pen / 2 - row) + 1, STRIP_HEIGHT - row)
        picture = Image.new("L", (FINE * width, FINE * max(height, 1)))
        pencil = ImageDraw.Draw(picture)
        for stroke in strokes:
            points = [(FINE * (x - left), FINE * (head + y - row)) for x, y in stroke]
            pencil.line(points, fill=255, width=max(1, round(FINE * pen)), joint="curve")
            for x, y in (points[0], points[-1]):
                pencil.circle((x, y), FINE * pen / 2, fill=255)
        return np.asarray(picture.reduce(FINE)), row, left


def _join(strip: Bytes, one: Placed, other: Placed, rng: np.random.Generator) -> None:
    """A stroke from the top of one glyph to the next's."""
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
