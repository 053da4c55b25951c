"""Pictures without a digit, and characters, by other code and in other fonts than training uses.

Each kind is a function that takes a random generator and returns one picture, uint8 of shape
(h, w). Drawings are bright on 0, as the textbook CNN expects them.
"""

from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from benchmarks.handwriting import pen_strokes
from digits.errors import DigitsError

Picture = NDArray[np.uint8]
SIDE = 256  # pixels, of a picture with a drawing
# Training uses the fonts that come with Matplotlib; none of these does.
FONTS = (
    "font-amatic-sc",
    "font-caladea",
    "font-fredoka-one",
    "font-hanken-grotesk",
    "font-intuitive",
    "font-manrope",
    "font-source-serif-pro",
)
# Without the letters shaped like a digit: B/8, I and l/1, O/0, S/5, Z/2, b/6, g and q/9; and
# without i, which Amatic SC, a font of capitals, draws as I.
LETTERS = "ACDEFGHJKLMNPQRTUVWXYacdefhjkmnprtuvwxy"


def font_files() -> list[list[Path]]:
    """The files of each of `FONTS`: a file for each weight, upright and italic.

    Raises:
        DigitsError: a font is not installed.
    """
    found: list[list[Path]] = []
    for name in FONTS:
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            raise DigitsError(
                f"The font {name} is not installed; run: pip install {' '.join(FONTS)}"
            ) from None
        faces = {
            file.stem: Path(str(file.locate())) for file in files if file.suffix in (".ttf", ".otf")
        }
        found.append([faces[stem] for stem in sorted(faces) if "Variable" not in stem])
    return found


def characters(fonts: list[list[Path]], of: str) -> Callable[[np.random.Generator], Picture]:
    """Draws one of some characters, in any size and position, slanted by up to 20° and thickened by
    up to 5 %."""

    def character(rng: np.random.Generator) -> Picture:
        size = int(rng.integers(80, 200))
        faces = fonts[rng.integers(len(fonts))]
        font = ImageFont.truetype(faces[rng.integers(len(faces))], size)
        thicker = int(rng.integers(0, 1 + size // 20))
        drawn = Image.new("L", (2 * SIDE, 2 * SIDE))
        ImageDraw.Draw(drawn).text(
            (SIDE, SIDE),
            of[rng.integers(len(of))],
            fill=255,
            font=font,
            anchor="mm",
            stroke_width=thicker,
        )
        slant = np.tan(np.deg2rad(rng.uniform(-20, 20)))
        slanted = drawn.transform(
            drawn.size,
            Image.Transform.AFFINE,
            (1, slant, -slant * SIDE, 0, 1, 0),
            Image.Resampling.BICUBIC,
        )
        return _placed(np.asarray(slanted.crop(slanted.getbbox())), rng)

    return character


def scribble(rng: np.random.Generator) -> Picture:
    """One to three smooth curves with too many turns for a digit, with any pen."""
    time = np.linspace(0, 1, 200)[:, None, None]
    curves = []
    for _ in range(rng.integers(1, 4)):
        waves = np.arange(1, rng.integers(5, 10))
        heights = rng.normal(size=(len(waves), 2)) / np.sqrt(waves)[:, None]
        phases = rng.uniform(0, 2 * np.pi, (len(waves), 2))
        winding = heights * np.sin(2 * np.pi * waves[:, None] * time + phases)
        curves.append(winding.sum(axis=1) + rng.normal(size=2))
    return pen_strokes.place(curves, rng)


def blank(rng: np.random.Generator) -> Picture:
    """Paper of a single grey level, of any size."""
    return np.full(
        rng.integers(20, 300, 2), rng.choice([0, 255, int(rng.integers(1, 255))]), np.uint8
    )


def uniform(rng: np.random.Generator) -> Picture:
    """Every pixel of a random grey level."""
    return rng.integers(0, 256, _size(rng)).astype(np.uint8)


def gaussian(rng: np.random.Generator) -> Picture:
    """Dark, grey or light paper with the noise of a sensor."""
    noise = rng.normal(rng.choice([20, 128, 235]), rng.uniform(5, 40), _size(rng))
    return np.clip(noise, 0, 255).astype(np.uint8)


def salt_and_pepper(rng: np.random.Generator) -> Picture:
    """Black, with up to a third of the pixels white."""
    share = rng.uniform(0.01, 0.33)
    return np.where(rng.random(_size(rng)) < share, 255, 0).astype(np.uint8)


def blobs(rng: np.random.Generator) -> Picture:
    """Smooth clouds all over the picture."""
    size = _size(rng)
    cloud = ndimage.gaussian_filter(rng.normal(size=size), rng.uniform(0.02, 0.1) * min(size))
    cloud -= cloud.min()
    return (255 * cloud / cloud.max()).astype(np.uint8)


def texture(rng: np.random.Generator) -> Picture:
    """Ruled, squared, woven or dotted: two gratings of any direction, added or multiplied."""
    height, width = _size(rng)
    y, x = np.mgrid[:height, :width]

    def grating() -> NDArray[np.floating]:
        angle, period = rng.uniform(0, np.pi), rng.uniform(0.05, 0.3) * min(height, width)
        along = (x * np.cos(angle) + y * np.sin(angle)) / period
        return np.sin(2 * np.pi * (along + rng.random()))

    woven = grating() * grating() if rng.random() < 0.5 else (grating() + grating()) / 2
    if rng.random() < 0.5:
        woven = np.where(woven > rng.uniform(0, 0.6), 1.0, -1.0)
    return (127.5 * (woven + 1)).astype(np.uint8)


NOISE = (uniform, gaussian, salt_and_pepper, blobs, texture)


def _size(rng: np.random.Generator) -> tuple[int, int]:
    height, width = rng.integers(28, 257, 2)
    return int(height), int(width)


def _placed(ink: Picture, rng: np.random.Generator) -> Picture:
    """Puts a drawing anywhere on a picture, and shrinks it if it does not fit."""
    if max(ink.shape) > SIDE - 4:
        smaller = Image.fromarray(ink)
        smaller.thumbnail((SIDE - 4, SIDE - 4))
        ink = np.asarray(smaller)
    picture = np.zeros((SIDE, SIDE), np.uint8)
    height, width = ink.shape
    top, left = rng.integers(2, SIDE - 1 - height), rng.integers(2, SIDE - 1 - width)
    picture[top : top + height, left : left + width] = ink
    return picture
