"""Lines set in fonts: numbers, words, or both."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.bundle import STRIP_HEIGHT, STRIP_WIDTH
from digits.data.lines.hands import EDGE, Character
from digits.data.lines.texts import CHARACTERS, MARKS, OTHER, number, word
from digits.data.mnist import Bytes

MEASURED = 64  # size of a font, in pixels, at which its digits are measured
WIDE = (0.75, 1.3)  # times the font's width


def set_line(fonts: list[list[Path]], rng: np.random.Generator) -> tuple[Bytes, list[Character]]:
    """A line in a random font, uint8 of shape (32, 192), and its characters."""
    kind = rng.random()
    if kind < 0.4:
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
    wide = rng.uniform(*WIDE)
    picture = Image.new("L", (round(STRIP_WIDTH / wide), STRIP_HEIGHT))
    pencil = ImageDraw.Draw(picture)
    bold = rng.uniform(0, 0.8) * (rng.random() < 0.4)
    apart = rng.uniform(-0.5, 3) * (rng.random() < 0.5)
    x, base = EDGE + rng.uniform(1, 10), STRIP_HEIGHT / 2 + height / 2 + rng.normal(0, 1.2)
    written: list[Character] = []
    for character in text:
        width = font.getlength(character)
        if x + width > picture.width - EDGE:
            break
        if character != " ":
            pencil.text((x, base), character, 255, font, anchor="ls", stroke_width=bold)
            label = character if character in CHARACTERS else OTHER
            written.append((label, (x + width / 2) * wide))
        x += width + apart
    return np.asarray(picture.resize((STRIP_WIDTH, STRIP_HEIGHT))).copy(), written


@lru_cache(4096)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)
