"""Pages of handwriting with known digits, composed from MNIST's validation digits.

They serve to develop how the reading side cuts and joins ink, without looking at the test digits or
at other people's handwriting.
"""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]
Random = np.random.Generator


@dataclass(frozen=True)
class Paper:
    """What the digits are written on, and how it is photographed.

    Attributes:
        light: how much darker the darkest corner is, 0 to 1.
        noise: standard deviation, in grey levels.
        rules: distance between ruled lines, in digit heights; 0 for none.
        squares: whether there are vertical rules too.
        pattern: contrast of a printed pattern, in grey levels.
        dark: whether the ink is darker than the paper.
        ink: contrast between paper and ink, in grey levels.
        jpeg: quality of the compression; 0 for none.
    """

    light: float = 0.0
    noise: float = 0.0
    rules: float = 0.0
    squares: bool = False
    pattern: float = 0.0
    dark: bool = True
    ink: float = 200.0
    jpeg: int = 0


PAPERS = {
    "screen": Paper(ink=255, dark=False),
    "scan": Paper(noise=3, jpeg=85),
    "photo": Paper(light=0.5, noise=5, ink=130, jpeg=75),
    "ruled": Paper(rules=1.6, noise=3, light=0.2),
    "squared": Paper(rules=0.8, squares=True, noise=3, light=0.2),
    "cheque": Paper(pattern=25, noise=5, ink=110, jpeg=80),
    "chalk": Paper(dark=False, noise=8, light=0.3, ink=150, jpeg=80),
}


def compose(
    random: Random,
    images: Grey,
    labels: Grey,
    rows: int,
    columns: int,
    height: float,
    gap: float,
    touching: float = 0.0,
    slope: float = 0.0,
) -> tuple[NDArray[np.float32], list[str]]:
    """Writes lines of digits on a page.

    Args:
        images: uint8 of shape (n, 28, 28), MNIST's.
        labels: uint8 of shape (n,).
        rows, columns: how many lines, and how many digits a line, or fewer where they do not fit.
        height: mean height of a digit, in pixels.
        gap: least space between digits that do not touch, in digit heights.
        touching: share of neighbours that touch.
        slope: of the lines, pixels upward per pixel to the right.

    Returns:
        the ink, float32 from 0 to 1, with a margin, and the digits of each line.
    """
    pitch = 1.9 * height
    margin = int(height)
    width = int(columns * height * (1.1 + max(gap, 0)) + 2 * margin)
    rise = int(abs(slope) * width) + 1
    page = np.zeros((int(rows * pitch + 2 * margin + 2 * rise), width), np.float32)
    texts = []
    for row in range(rows):
        x = float(margin)
        text = ""
        ended = None
        for _ in range(columns):
            i = int(random.integers(len(images)))
            ink = images[i][np.ix_(*(images[i].any(axis=axis) for axis in (1, 0)))]
            scale = height / 20 * random.uniform(0.85, 1.15)
            size = [max(2, round(side * scale)) for side in ink.shape]
            grown = Image.fromarray(ink).resize((size[1], size[0]), Image.Resampling.BICUBIC)
            digit = (np.asarray(grown) / 255).astype(np.float32)
            top = margin + rise + row * pitch + (height - size[0]) / 2 - slope * (x - width / 2)
            y = int(top + random.normal() * 0.05 * height)
            space = height * (gap + abs(random.normal()) * 0.1)
            if random.random() < touching:
                space = -height * random.uniform(0, 0.06)
            left = _touching(ended, digit, y, space) if ended is not None else int(x)
            if left + size[1] > width - 2 or y < 0 or y + size[0] > len(page):
                break
            where = page[y : y + size[0], left : left + size[1]]
            np.maximum(where, digit, out=where)
            text += str(labels[i])
            ended = (digit, y, left)
            x = left + size[1]
        texts.append(text)
    return page, texts


def _touching(
    last: tuple[NDArray[np.float32], int, int], digit: NDArray[np.float32], y: int, space: float
) -> int:
    """The column of a digit whose strokes are `space` pixels from those of the last digit, in the
    row where they are closest."""
    before, top, left = last
    rows = range(max(top, y), min(top + len(before), y + len(digit)))
    reach = []
    for row in rows:
        one, other = before[row - top] > 0.4, digit[row - y] > 0.4
        if one.any() and other.any():
            reach.append(left + np.flatnonzero(one)[-1] + 1 - np.flatnonzero(other)[0])
    return round(max(reach, default=left + before.shape[1]) + space)


def photograph(random: Random, ink: NDArray[np.float32], paper: Paper, height: float) -> Grey:
    """Photographs ink on paper.

    Args:
        ink: float32 of shape (h, w), 0 to 1.
        height: of a digit, in pixels, in proportion to which rules and patterns are drawn.

    Returns:
        uint8 of shape (h, w).
    """
    rows, columns = ink.shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    depth = ink * paper.ink
    if paper.rules:
        spacing, tilt = paper.rules * height, random.uniform(-0.01, 0.01)
        pen = max(1.0, height / 30)
        lines = (y + tilt * x + random.uniform(0, spacing)) % spacing < pen
        if paper.squares:
            lines |= (x - tilt * y + random.uniform(0, spacing)) % spacing < pen
        depth = np.maximum(depth, lines * paper.ink * 0.55)
    if paper.pattern:
        waves = sum(
            np.sin((x * np.cos(a) + y * np.sin(a)) * 6.3 / (height * s) + 2 * np.sin(y / height))
            for a, s in zip(random.uniform(0, 3, 3), random.uniform(0.15, 0.4, 3), strict=True)
        )
        depth = depth + paper.pattern * (np.abs(waves) < 0.25) * (ink < 0.5)
    grey = 235 - depth if paper.dark else 20 + depth * (235 / 255 if paper.ink < 255 else 1)
    if paper.ink == 255 and not paper.dark:
        grey = depth
    if paper.light:
        angle = random.uniform(0, 6.28)
        along = (x / columns - 0.5) * np.cos(angle) + (y / rows - 0.5) * np.sin(angle)
        grey = grey * (1 - paper.light * (0.5 + along / 1.42))
    if paper.noise:
        grey = grey + random.normal(0, paper.noise, grey.shape)
    picture = np.clip(np.round(grey), 0, 255).astype(np.uint8)
    if paper.jpeg:
        written = io.BytesIO()
        Image.fromarray(picture).save(written, "JPEG", quality=paper.jpeg)
        picture = np.asarray(Image.open(written))
    return picture
