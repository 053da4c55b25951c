"""Draws characters of fonts, for training: any weight, any size, as a digit would be framed."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.data.mnist import Bytes
from digits.data.strokes import CANVAS

# Letters and signs that look like a digit in none of the fonts: without I l O o S s Z z b g i q.
LETTERS = "ABCDEFGHJKLMNPQRTUVWXYacdefhjkmnprtuvwxy+=?&%#@$<>{}"
MEASURED = 64  # size of the font, in pixels, at which a character is measured
LONGER = (34, 54)  # pixels, the longer side of a character as it is drawn
NARROWER = (0.35, 1.0)  # of its width that a character keeps, of four in ten
THICKER = 2.5  # pixels that are added to a stroke at most, both sides together


def draw(characters: str, fonts: list[list[Path]], rng: np.random.Generator) -> Bytes:
    """Draws each character in a random font.

    Args:
        characters: one for each picture.
        fonts: the files of each family; families are equally frequent.
        rng: a random generator.

    Returns:
        uint8 of shape (len(characters), 64, 64), ink 255 on 0, not yet in MNIST's frame.
    """
    canvases = np.zeros((len(characters), CANVAS, CANVAS), np.uint8)
    for canvas, character in zip(canvases, characters, strict=True):
        family = fonts[rng.integers(len(fonts))]
        canvas[:] = _drawn(character, family[rng.integers(len(family))], rng)
    return canvases


def _drawn(character: str, path: Path, rng: np.random.Generator) -> Bytes:
    left, top, right, bottom = _font(path, MEASURED).getbbox(character)
    longer, thicker = rng.uniform(*LONGER), rng.uniform(0, THICKER) * (rng.random() < 0.5)
    size = round(MEASURED * (longer - thicker) / max(right - left, bottom - top, 1))
    picture = Image.new("L", (2 * CANVAS, 2 * CANVAS))
    ImageDraw.Draw(picture).text(
        (CANVAS, CANVAS), character, 255, _font(path, size), anchor="mm", stroke_width=thicker / 2
    )
    if rng.random() < 0.4:
        narrower = 1 / rng.uniform(*NARROWER)
        to_source = (narrower, 0, CANVAS * (1 - narrower), 0, 1, 0)
        method = Image.Transform.AFFINE
        picture = picture.transform(picture.size, method, to_source, Image.Resampling.BILINEAR)
    left, top, right, bottom = picture.getbbox() or (0, 0, CANVAS, CANVAS)
    across, down = (left + right - CANVAS) // 2, (top + bottom - CANVAS) // 2
    return np.asarray(picture.crop((across, down, across + CANVAS, down + CANVAS)))


@lru_cache(4096)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)
