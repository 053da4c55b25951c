"""Pictures within a picture, as programs show them on a page: dark tiles with light digits, say,
or a digit in false colours -> the same digits dark on the page.
"""

import numpy as np

from digits.pictures.box import Box
from digits.pictures.grey import Grey
from digits.pictures.masks import Mask, components

SMALLEST = 20  # pixels along each side of a tile
EVEN = 6  # levels by which the page, and the rim of a tile, differ from themselves
DIFFERENT = 24  # levels by which a tile differs from the page, and its ink from the tile, at least
RIM = (2, 4)  # pixels from a tile's side, where nothing but its paper is
SHARE = 0.97  # of the pixels of an even page's border, and of a tile's rim, that are alike
FILLED = 0.5  # of the rows and columns of a tile, what is not page
SOLID = 0.85  # of its box, what ink fills at most in one of its parts: digits have holes that do
MOST = 400


def flattened(grey: Grey) -> Grey:
    """The picture, uint8 of shape (h, w), with the paper of each tile made as bright as the page.

    A tile is an upright rectangle of one tone on a page of another, with something on it that does
    not reach its rim. Pages are even only where a program made them; any other picture is returned
    as it is, the same array.
    """
    page = _even(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    if page is None or min(grey.shape) < SMALLEST:
        return grey
    other = np.abs(grey.astype(np.int16) - page) >= DIFFERENT
    # Finding parts takes longer than counting: most pictures have too few pixels for a tile.
    if (other.sum(axis=1) >= FILLED * SMALLEST).sum() < SMALLEST:
        return grey
    parts = components(other)
    large = np.flatnonzero((parts.boxes[:, 2:] >= SMALLEST).all(axis=1))[:MOST]
    flat = grey
    for x, y, width, height in parts.boxes[large].tolist():
        part = Box(x, y, width, height)
        tile = _rectangle(part, other)
        made = _on_page(grey[tile.window], page) if tile else None
        if tile and made is not None:
            if flat is grey:
                flat = grey.copy()
            flat[tile.window] = made
            if part.x < tile.x - 1 and part.bottom > tile.bottom + 1:
                _frame(flat, tile, _opposite(page))  # where its ticks are, as a plot has it
    return flat


def _even(tones: Grey) -> int | None:
    """The tone of pixels that are nearly all alike; None if they are not."""
    tone = int(np.median(tones)) if tones.size else 0
    alike = np.abs(tones.astype(np.int16) - tone) <= EVEN
    return tone if tones.size and alike.mean() >= SHARE else None


def _rectangle(box: Box, other: Mask) -> Box | None:
    """The rectangle in a part's box that is filled: without ticks that stand out of it."""
    window = other[box.window]
    rows = np.flatnonzero(window.mean(axis=1) >= FILLED)
    columns = np.flatnonzero(window.mean(axis=0) >= FILLED)
    if len(rows) < SMALLEST or len(columns) < SMALLEST:
        return None
    width, height = int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
    return Box(box.x + int(columns[0]), box.y + int(rows[0]), width, height)


def _on_page(tile: Grey, page: int) -> Grey | None:
    """A tile's ink on the page; None if it is no tile."""
    near, far = RIM
    inner = tile[near:-near, near:-near]
    band = np.ones(inner.shape, np.bool_)
    band[far - near : near - far, far - near : near - far] = False
    paper = _even(inner[band])
    if paper is None or abs(paper - page) < DIFFERENT:
        return None
    inked = np.abs(tile.astype(np.int16) - paper)
    inked[:far], inked[-far:], inked[:, :far], inked[:, -far:] = 0, 0, 0, 0
    most = int(inked.max())
    if most < DIFFERENT:
        return None
    parts = components(inked > most / 2)
    if (parts.sizes > SOLID * parts.boxes[:, 2:].prod(axis=1)).all():
        return None
    share = inked.astype(np.float32) / most
    return np.rint(page + share * (_opposite(page) - page)).astype(np.uint8)


def _opposite(page: int) -> int:
    """The tone of ink on a page."""
    return 0 if page > 127 else 255


def _frame(grey: Grey, tile: Box, tone: int) -> None:
    part = grey[tile.window]
    part[0], part[-1], part[:, 0], part[:, -1] = tone, tone, tone, tone
