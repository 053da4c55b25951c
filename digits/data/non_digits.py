"""Non-digits to train on: letters and signs, touching digits, turned digits, scribbles.

They are made from MNIST's training digits and the fonts that come with Matplotlib, so that anyone
can make them again.
"""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.data.mnist import Bytes
from digits.data.strokes import CANVAS, Points, rounded, write

WRITTEN = Path(__file__).parent / "written_letters.txt"
LABEL = 10  # of the network's eleven outputs

# Without those that look like a digit in some handwriting or font (O o I l i j S s Z z B b g q Y y)
# and signs that are a plain stroke, like a 1.
LETTERS = "ACDEFGHJKLMNPQRTUVWXacdefhkmnprtuvwx"
SIGNS = "+=?&%#@*$€£§<^~{}-.:;\"'"
FURTHER = "ΓΔΞΠΣΨΩαεηκλμνξπρτχψωДЖИЙКЛПЦШЩЫЮЯджикмнпцшщюя"
SHARES = {"printed": 0.3, "written": 0.35, "neighbours": 0.12, "turned": 0.1, "scribbles": 0.13}
FONTS = (
    "DejaVuSans", "DejaVuSans-Oblique", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Italic",
    "DejaVuSerif-Bold", "DejaVuSansMono", "DejaVuSansMono-Oblique", "STIXGeneral",
    "STIXGeneralItalic", "STIXGeneralBol", "cmr10", "cmss10", "cmtt10", "cmti10" ,
)  # fmt: skip


def draw_non_digits(count: int, images: Bytes, labels: Bytes, seed: int) -> Bytes:
    """Makes non-digits, each on a canvas of its own, not yet in MNIST's frame: uint8 of shape
    (count, 64, 64), ink 255 on 0.

    The training digits, `images` uint8 of shape (n, 28, 28) and `labels` uint8 of shape (n,), are
    turned or put side by side. The same seed gives the same bytes.
    """
    rng = np.random.default_rng([seed, 1])
    kinds = rng.choice(list(SHARES), size=count, p=list(SHARES.values()))
    canvases = np.zeros((count, CANVAS, CANVAS), np.uint8)
    glyphs = _glyphs()
    turnable = images[np.isin(labels, (2, 3, 4, 5, 6, 7, 9))]
    for canvas, kind in zip(canvases, kinds, strict=True):
        if kind == "printed":
            canvas[:] = _printed(glyphs, rng)
        elif kind == "written":
            canvas[:] = write(_written(rng), rng)
        elif kind == "neighbours":
            _neighbours(canvas, images, rng)
        elif kind == "turned":
            turned = np.rot90(turnable[rng.integers(len(turnable))], rng.choice((1, 3)))
            canvas[18:46, 18:46] = turned
        else:
            canvas[:] = _scribble(rng)
    return canvases


def _glyphs() -> list[tuple[str, Path]]:
    """Every character in every font that has it, letters twice."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [
        (character, folder / f"{name}.ttf")
        for name in FONTS
        # Computer Modern has other signs in the places of these.
        for character in LETTERS * 2 + ("" if name.startswith("cm") else SIGNS + FURTHER)
    ]


def _printed(glyphs: list[tuple[str, Path]], rng: np.random.Generator) -> Bytes:
    character, path = glyphs[rng.integers(len(glyphs))]
    font = ImageFont.truetype(path, int(rng.integers(24, 44)))
    picture = Image.new("L", (CANVAS, CANVAS))
    middle, bold = (CANVAS / 2, CANVAS / 2), int(rng.integers(0, 3))
    ImageDraw.Draw(picture).text(middle, character, 255, font, anchor="mm", stroke_width=bold)
    return np.asarray(picture)


@cache
def _written_letters() -> list[list[Points]]:
    """Handwritten letters and signs, each as strokes, from lines such as
    "A  0,1 .5,0 1,1|.2,.6 .8,.6": x,y with y down."""
    lines = WRITTEN.read_text("utf-8").splitlines()
    strokes = [line[12:].split("|") for line in lines]
    return [[np.array([p.split(",") for p in s.split()], float) for s in one] for one in strokes]


def _written(rng: np.random.Generator) -> list[Points]:
    letters = _written_letters()
    strokes = letters[rng.integers(len(letters))]
    unsteady = rng.uniform(0.01, 0.07)
    times = int(rng.integers(0, 4))
    return [rounded(s + rng.normal(0, unsteady, s.shape), times) for s in strokes]


def _neighbours(canvas: Bytes, images: Bytes, rng: np.random.Generator) -> None:
    """Two or three touching digits, which must not be read as one."""
    right = 2
    for _ in range(rng.choice((2, 2, 2, 3))):
        digit = images[rng.integers(len(images))]
        digit = digit[:, digit.any(axis=0)]
        left = max(2, right - int(rng.integers(0, 4)))
        right = min(CANVAS, left + digit.shape[1])
        top = 18 + int(rng.integers(-3, 4))
        part = canvas[top : top + 28, left:right]
        np.maximum(part, digit[:, : right - left], out=part)


def _scribble(rng: np.random.Generator) -> Bytes:
    """Random curves, polygons, bars and spots."""
    picture = Image.new("L", (CANVAS, CANVAS))
    drawing = ImageDraw.Draw(picture)
    kind = rng.integers(6)
    width = int(rng.integers(2, 7))
    if kind < 3:  # a wandering line
        steps = int(rng.integers(8, 60))
        turns = rng.normal(0, rng.uniform(0.2, 1.2), steps).cumsum() + rng.uniform(0, 6.3)
        stride = rng.uniform(2, 8)
        points = np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1) * stride, axis=0)
        points -= points.min(axis=0)
        if kind == 2:
            points = points % (CANVAS - 8) + 4
        else:
            points = points / max(points.max(), 1) * (CANVAS - 12) + 6
        drawing.line([tuple(point) for point in points], fill=255, width=width, joint="curve")
    elif kind == 3:  # straight lines in all directions
        for _ in range(rng.integers(2, 7)):
            drawing.line(rng.uniform(4, CANVAS - 4, 4).tolist(), fill=255, width=width)
    elif kind == 4:  # a filled or an angular shape, a bar, a spot
        corners = rng.uniform(6, CANVAS - 6, (int(rng.integers(3, 7)), 2))
        if rng.random() < 0.5:
            drawing.polygon([tuple(c) for c in corners], fill=255)
        elif rng.random() < 0.5:
            drawing.ellipse([20, 20, *rng.uniform(26, 56, 2)], fill=255)
        else:
            drawing.rectangle([4, 20, 60, 20 + rng.uniform(2, 18)], fill=255)
    else:  # grains
        coarse = int(rng.choice((1, 2, 4)))
        grains = rng.random((CANVAS // coarse, CANVAS // coarse)) < rng.uniform(0.005, 0.5)
        level = rng.integers(100, 256)
        large = grains.repeat(coarse, axis=0).repeat(coarse, axis=1)
        return (large * level).astype(np.uint8)
    return np.asarray(picture)
