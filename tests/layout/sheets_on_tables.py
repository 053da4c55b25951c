"""Pictures of a sheet of paper on a table, made for the tests."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from digits.pictures.grey import Grey

Floats = NDArray[np.float64]

WIDE, HIGH = 640, 480  # of the picture
SHEET = 500, 360  # of the sheet before it is laid down
MARKS = ((0.15, 0.2), (0.85, 0.25), (0.5, 0.5), (0.2, 0.8), (0.8, 0.75))  # crosses, as shares


def homography(corners: Floats) -> Floats:
    """Takes a point of the sheet to the picture."""
    rows, values = [], []
    width, height = SHEET
    square = ((0, 0), (width, 0), (width, height), (0, height))
    for (x, y), (u, v) in zip(square, corners, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1).reshape(3, 3)


def mapped(matrix: NDArray[Any], x: float, y: float) -> tuple[float, float]:
    u, v, w = matrix @ (x, y, 1)
    return float(u / w), float(v / w)


def placed(turn: float, scale: float = 1, shift: tuple[float, float] = (0, 0)) -> Floats:
    """The corners of a sheet that lies in the middle, turned by some degrees."""
    angle = np.deg2rad(turn)
    half = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * np.array(SHEET) / 2 * scale
    turned = half @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return turned + np.array([WIDE / 2 + shift[0], HIGH / 2 + shift[1]])


def tilted(corners: Floats, by: float) -> Floats:
    """The corners as a camera sees them that looks from below: the upper side is shorter."""
    middle = corners.mean(axis=0)
    nearer = 1 + by * (corners[:, 1:] - middle[1]) / HIGH
    return np.asarray(middle + (corners - middle) * nearer)


def written_sheet(level: float, ink: float, ruled: bool = False) -> Image.Image:
    sheet = Image.new("L", SHEET, round(level))
    draw = ImageDraw.Draw(sheet)
    if ruled:
        for rule in range(30, SHEET[1], 30):
            draw.line((0, rule, SHEET[0], rule), round(0.85 * level), 1)
    for u, v in MARKS:
        x, y = u * SHEET[0], v * SHEET[1]
        draw.line((x - 12, y, x + 12, y), round(ink), 5)
        draw.line((x, y - 12, x, y + 12), round(ink), 5)
    return sheet


def laid(corners: Floats, sheet: Image.Image, table: Floats) -> Floats:
    """The sheet on the table, its edges as sharp as the pixels let them be."""
    factors = np.linalg.inv(homography(corners) @ np.diag([1, 1, 1])).ravel()
    factors = (factors / factors[8])[:8].tolist()
    way, bicubic = Image.Transform.PERSPECTIVE, Image.Resampling.BICUBIC
    seen = sheet.transform((WIDE, HIGH), way, factors, bicubic)
    white = Image.new("L", SHEET, 255).transform((WIDE, HIGH), way, factors, bicubic)
    share = np.asarray(white, float) / 255
    return np.asarray(seen, float) * (share > 0) * share + table * (1 - share)


def photographed(scene: Floats) -> Grey:
    grain = np.random.default_rng(3).normal(0, 2.5, scene.shape)
    blurred = Image.fromarray(np.clip(scene + grain, 0, 255).astype(np.uint8))
    return np.array(blurred.filter(ImageFilter.GaussianBlur(0.7)))


def plain(level: float) -> Floats:
    return np.full((HIGH, WIDE), level)


def wood(level: float) -> Floats:
    x, y = np.arange(WIDE)[None], np.arange(HIGH)[:, None]
    fibres = 9 * np.sin(y / 4 + 3 * np.sin(x / 130)) + 4 * np.sin(y * 1.7 + x / 50)
    boards = -25.0 * np.asarray(y % 120 < 3, float)
    return level + fibres + boards


def shadow(scene: Floats, left: bool = True) -> Floats:
    """Light that is halved on one side of a slanted line."""
    x, y = np.arange(WIDE)[None], np.arange(HIGH)[:, None]
    depth = 1 / (1 + np.exp((x - 0.55 * WIDE + 0.3 * (y - HIGH / 2)) / 8))
    return np.asarray(scene * (1 - 0.45 * (depth if left else 1 - depth)))


def finger(scene: Floats, end: tuple[float, float]) -> Floats:
    """A finger that comes from below."""
    mask = Image.new("L", (WIDE, HIGH))
    draw = ImageDraw.Draw(mask)
    x, y = end
    draw.line((x + 30, HIGH + 40, x, y), 255, 44)
    draw.ellipse((x - 22, y - 22, x + 22, y + 22), 255)
    share = np.asarray(mask.filter(ImageFilter.GaussianBlur(1.5)), float) / 255
    return np.asarray(scene * (1 - share) + 140 * share)
