"""Paper, tables and the camera: from ink to the picture that is taken of it.

A scene is float32 of shape (h, w, 3), the share of light that each point reflects, 0 to 1.
"""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from benchmarks.pages.pen import Ink
from digits.data.mnist import Bytes

Random = np.random.Generator
Scene = NDArray[np.float32]
Colour = tuple[float, float, float]

PENS: tuple[Colour, ...] = ((0.08, 0.08, 0.1), (0.1, 0.16, 0.45), (0.3, 0.3, 0.32))  # one a pencil
PAPERS: tuple[Colour, ...] = ((0.95, 0.95, 0.94), (0.94, 0.92, 0.86), (0.9, 0.91, 0.93))
DARK_TABLES: tuple[Colour, ...] = ((0.12, 0.12, 0.13), (0.3, 0.2, 0.13), (0.22, 0.26, 0.3))
LIGHT_TABLES: tuple[Colour, ...] = ((0.74, 0.66, 0.55), (0.7, 0.7, 0.7), (0.62, 0.66, 0.7))


@dataclass(frozen=True)
class Shot:
    """How a sheet is photographed.

    Attributes:
        turn: of the sheet, degrees, at most.
        perspective: how far its corners are moved, of its shorter side, at most.
        shadow: how much darker the darkest place is, 0 to 1, at most.
        blur: standard deviation, pixels, from and to.
        noise: standard deviation, grey levels, from and to.
        quality: of the JPEG file, from and to.
    """

    turn: float = 20.0
    perspective: float = 0.06
    shadow: float = 0.4
    blur: tuple[float, float] = (0.4, 1.0)
    noise: tuple[float, float] = (2.0, 6.0)
    quality: tuple[int, int] = (75, 92)


def on_white(ink: Ink, rng: Random) -> Bytes:
    """Ink on white, as a drawing program or a clean scan gives it: uint8 of shape (h, w)."""
    black = rng.uniform(0, 70)
    return np.round(255 - ink * (255 - black)).astype(np.uint8)


def sheet(ink: Ink, rng: Random, printed: Ink | None = None) -> Scene:
    """Ink on paper.

    Args:
        ink: of a pen, whose colour is one of `PENS`.
        printed: black print on the same paper, of the same shape.
    """
    paper, pen = (np.array(of[rng.integers(len(of))], np.float32) for of in (PAPERS, PENS))
    scene = paper * (1 - ink[..., None]) + pen * ink[..., None]
    if printed is not None:
        scene = scene * (1 - printed[..., None]) + 0.1 * printed[..., None]
    return scene.astype(np.float32)


def plain_table(shape: tuple[int, int], colours: tuple[Colour, ...], rng: Random) -> Scene:
    """A table of one colour, not quite even."""
    colour = np.array(colours[rng.integers(len(colours))], np.float32)
    uneven = ndimage.gaussian_filter(rng.normal(size=(shape[0] // 8 + 1, shape[1] // 8 + 1)), 6)
    uneven = np.kron(uneven / max(np.abs(uneven).max(), 1e-6), np.ones((8, 8)))
    uneven = ndimage.gaussian_filter(uneven[: shape[0], : shape[1]], 4)
    return (colour * (1 + 0.08 * uneven[..., None])).astype(np.float32)


def wooden_table(shape: tuple[int, int], rng: Random, light: bool) -> Scene:
    """Wood: long fibres along one side, darker where a year's growth ends, and boards' joints."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    bend = 30 * np.sin(x / rng.uniform(250, 500) + rng.uniform(0, 6)) + 0.05 * x
    rings = 0.5 + 0.5 * np.sin((y + bend) / rng.uniform(5, 14))
    rings *= 0.5 + 0.5 * np.sin((y + bend) / rng.uniform(40, 90) + 1)
    fibres = ndimage.gaussian_filter(rng.normal(size=shape), (0.7, 25))
    fibres /= fibres.std()
    grain = 1 - 0.28 * rings + 0.05 * fibres
    board = rng.uniform(140, 260)
    grain = np.where((y + rng.uniform(0, board)) % board < 3, 0.45 * grain, grain)
    colour = np.array((0.72, 0.58, 0.42) if light else (0.42, 0.27, 0.16), np.float32)
    wood = np.clip(colour * grain[..., None], 0, 1).astype(np.float32)
    return wood


def laid(paper: Scene, table: Scene, shot: Shot, rng: Random, shade: float = 0.35) -> Scene:
    """A sheet that lies on a table, seen from above at a slight angle.

    Args:
        paper: the sheet; it lies whole in the picture if the table is as large as `room` says.
        shade: how much darker the table is in the sheet's own shadow.
    """
    height, width = paper.shape[:2]
    rows, columns = table.shape[:2]
    turn = np.deg2rad(rng.uniform(-shot.turn, shot.turn))
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    centred = corners - (width / 2, height / 2)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    seen = centred @ rotation
    seen += rng.uniform(-1, 1, (4, 2)) * shot.perspective * min(height, width)
    low, high = seen.min(axis=0), seen.max(axis=0)
    free = np.maximum(np.array((columns, rows)) - (high - low), 0)
    seen += rng.uniform(0.3, 0.7, 2) * free - low
    backward = _homography(seen, corners)
    cast = _warped(np.ones(paper.shape[:2], np.float32), backward, (rows, columns))
    lain = np.stack([_warped(paper[..., i], backward, (rows, columns)) for i in range(3)], axis=-1)
    edge = ndimage.shift(ndimage.gaussian_filter(cast, 4), (3, 3), order=1)
    under = table * (1 - shade * np.clip(edge - cast, 0, 1)[..., None])  # the sheet's own shadow
    cast = cast[..., None]
    return (under * (1 - cast) + np.where(cast > 0, lain, 0)).astype(np.float32)


def room(paper: Scene, shot: Shot, margin: tuple[float, float], rng: Random) -> tuple[int, int]:
    """Rows and columns of a picture that holds a sheet as it may be turned, and a margin of the
    table on each side, of the sheet's shorter side, from and to."""
    height, width = paper.shape[:2]
    turn = np.deg2rad(shot.turn)
    free = 2 * rng.uniform(*margin) * min(height, width)
    rows = height * np.cos(turn) + width * np.sin(turn) + free
    columns = width * np.cos(turn) + height * np.sin(turn) + free
    return int(rows), int(columns)


def taken(scene: Scene, shot: Shot, rng: Random) -> Bytes:
    """The photograph of a scene: light, a shadow, blur, noise, JPEG.

    Returns:
        uint8 of shape (h, w, 3).
    """
    rows, columns = scene.shape[:2]
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    y, x = y / rows - 0.5, x / columns - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    light = 1 - rng.uniform(0, shot.shadow) * (0.5 + along / 1.42)
    if rng.random() < 0.5:  # the shadow of a hand or a head, with a soft edge
        angle, at = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
        bow = 0.15 * np.sin(4 * (x * np.sin(angle) - y * np.cos(angle)) + rng.uniform(0, 6))
        edge = x * np.cos(angle) + y * np.sin(angle) - at + bow
        light *= 1 - rng.uniform(0, shot.shadow) / (1 + np.exp(-edge / rng.uniform(0.01, 0.06)))
    tint = 1 + rng.uniform(-0.025, 0.025, 3)
    seen = ndimage.gaussian_filter(scene * light[..., None], (*[rng.uniform(*shot.blur)] * 2, 0))
    noise = rng.normal(size=scene.shape) * rng.uniform(*shot.noise)
    grey = 255 * seen**0.85 * tint + noise
    picture = np.clip(np.round(grey), 0, 255).astype(np.uint8)
    written = io.BytesIO()
    quality = int(rng.integers(*shot.quality))
    Image.fromarray(picture).save(written, "JPEG", quality=quality)
    return np.asarray(Image.open(written))


def _homography(source: NDArray[np.floating], target: NDArray[np.floating]) -> list[float]:
    """The eight coefficients of the projection that takes four points to four others."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(values))]


def _warped(layer: Ink, backward: list[float], shape: tuple[int, int]) -> Ink:
    image = Image.fromarray(np.ascontiguousarray(layer, np.float32))
    perspective = Image.Transform.PERSPECTIVE
    warped = image.transform(shape[::-1], perspective, backward, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(warped, np.float32), 0, 1)
