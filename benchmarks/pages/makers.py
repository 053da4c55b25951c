"""Makers of pages: each takes the sources and a random generator and makes one page."""

from collections.abc import Callable

import numpy as np

from benchmarks.pages import camera, pen, print_and_rules, writing
from benchmarks.pages.camera import Shot
from benchmarks.pages.made import Cells, MadePage, Sources
from benchmarks.pages.pen import Ink
from benchmarks.pages.writing import Hand, Random
from digits.data.mnist import Bytes

HEIGHT = (40.0, 80.0)  # pixels, of a digit
NARROW = (36.0, 52.0)  # where many stand on a page
SCAN = Shot(turn=1.5, perspective=0, shadow=0.05, blur=(0.3, 0.6), noise=(1, 3), quality=(85, 95))
TABLE = Shot(turn=10, perspective=0.05)


def number(rng: Random, digits: int, first_may_be_zero: bool = True) -> str:
    text = "".join(str(rng.integers(10)) for _ in range(digits))
    if not first_may_be_zero and text[0] == "0":
        text = str(rng.integers(1, 10)) + text[1:]
    return text


def plain(sources: Sources, rng: Random) -> MadePage:
    """Five digits on white."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    text = number(rng, 5)
    return MadePage(camera.on_white(page([text], writer, rng), rng), text)


def sheet_on_table(light: bool, wood: bool, sources: Sources, rng: Random) -> MadePage:
    """Five digits on a sheet that lies whole on a table."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    text, shot = number(rng, 5), Shot()
    paper = camera.sheet(page([text], writer, rng, margin=(0.8, 3.0)), rng)
    shape = camera.room(paper, shot, (0.1, 0.5), rng)
    colours = camera.LIGHT_TABLES if light else camera.DARK_TABLES
    table = (
        camera.wooden_table(shape, rng, light) if wood else camera.plain_table(shape, colours, rng)
    )
    return MadePage(camera.taken(camera.laid(paper, table, shot, rng), shot, rng), text)


def dark_rim(sources: Sources, rng: Random) -> MadePage:
    """Five digits on a sheet with a dark rim of about 30 pixels on one to four sides."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    text, shot = number(rng, 5), Shot(turn=2, perspective=0.01)
    paper = camera.sheet(page([text], writer, rng, margin=(1.0, 2.5)), rng)
    rim = rng.uniform(20, 40, 4) * (rng.permutation(4) < rng.integers(1, 5))
    shape = camera.room(paper, shot, (0, 0), rng)
    shape = (shape[0] + 80, shape[1] + 80)
    table = camera.plain_table(shape, camera.DARK_TABLES, rng)
    scene = camera.laid(paper, table, shot, rng)
    inside = (
        np.flatnonzero(scene.mean(axis=(1, 2)) > 0.6),
        np.flatnonzero(scene.mean(axis=(0, 2)) > 0.6),
    )
    (top, bottom), (left, right) = ((int(of[0]), int(of[-1])) for of in inside)
    # Where no rim shall be seen, the picture ends within the sheet.
    ends = np.array([top, left, shape[0] - bottom, shape[1] - right]) - np.where(rim > 0, rim, -12)
    top, left, bottom, right = np.maximum(ends, 0).astype(int)
    scene = scene[top : shape[0] - bottom, left : shape[1] - right]
    return MadePage(camera.taken(scene, shot, rng), text)


def boxes(faint: bool, sources: Sources, rng: Random) -> MadePage:
    """A printed box for each of five digits, which sometimes touch its walls."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    text = number(rng, 5)
    ink, walls = print_and_rules.boxes(text, writer, rng)
    depth = rng.uniform(0.2, 0.4) if faint else rng.uniform(0.85, 1)
    return MadePage(_scanned(ink, rng, printed=walls * np.float32(depth)), text)


def box_around(sources: Sources, rng: Random) -> MadePage:
    """One box round a number of five digits, printed or drawn by hand."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    text = number(rng, 5)
    ink, box, by_hand = print_and_rules.box_around(text, writer, rng)
    if by_hand:
        return MadePage(_scanned(np.maximum(ink, box), rng), text)
    return MadePage(_scanned(ink, rng, printed=box), text)


def table(sources: Sources, rng: Random) -> MadePage:
    """A photographed table of 8 rows and 4 columns, some cells of it empty."""
    cells = tuple(
        tuple(
            "" if rng.random() < 0.15 else number(rng, int(rng.integers(1, 4)), False)
            for _ in range(4)
        )
        for _ in range(8)
    )
    writer = writing.hand(sources.digits, NARROW, rng)
    ink, rules = print_and_rules.table(cells, writer, rng)
    return _photographed(camera.sheet(ink, rng, rules), cells, rng)


def sudoku(sources: Sources, rng: Random) -> MadePage:
    """A photographed sudoku with about 30 printed digits."""
    cells = print_and_rules.puzzle(rng)
    printed = print_and_rules.sudoku(cells, sources.printed, rng)
    return _photographed(camera.sheet(np.zeros_like(printed), rng, printed), cells, rng)


SEPARATED: tuple[Callable[[Random], str], ...] = (
    lambda rng: f"{number(rng, 1)}.{number(rng, 2)}",
    lambda rng: f"{number(rng, 3, False)}.{number(rng, 2)}",
    lambda rng: f"-{number(rng, 3, False)}.{number(rng, 2)}",
    lambda rng: f"{number(rng, 1, False)}.{number(rng, 3)},{number(rng, 2)}",
    lambda rng: f"{number(rng, 2, False)},{number(rng, 2)}",
    lambda rng: f"{number(rng, 1, False)},{number(rng, 3)}.{number(rng, 2)}",
    lambda rng: f"{rng.integers(1, 29):02d}/{rng.integers(1, 13):02d}/{rng.integers(1950, 2030)}",
    lambda rng: f"{rng.integers(1, 29)}.{rng.integers(1, 13)}.{rng.integers(1950, 2030)}",
    lambda rng: f"-{number(rng, int(rng.integers(1, 4)), False)}",
    lambda rng: f"{number(rng, 3)}-{number(rng, 4)}",
)


def separators(sources: Sources, rng: Random) -> MadePage:
    """An amount, a decimal fraction, a date or a telephone number, perhaps with a minus sign."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    text = SEPARATED[rng.integers(len(SEPARATED))](rng)
    return MadePage(camera.on_white(page([text], writer, rng), rng), text)


SIGNED: tuple[Callable[[Random], str], ...] = (
    lambda rng: f"{rng.integers(24):02d}:{rng.integers(60):02d}",
    lambda rng: f"({number(rng, 3)})",
    lambda rng: f"{number(rng, 2, False)}+{number(rng, 2, False)}={number(rng, 2, False)}",
    lambda rng: f"+{number(rng, 4, False)}",
)


def signs(sources: Sources, rng: Random) -> MadePage:
    """A time, a number in parentheses, a sum."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    text = SIGNED[rng.integers(len(SIGNED))](rng)
    return MadePage(camera.on_white(page([text], writer, rng), rng), text)


def gaps(sources: Sources, rng: Random) -> MadePage:
    """Two or three numbers in a line with gaps one digit wide; every fifth page has none."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    count = 1 if rng.random() < 0.2 else int(rng.integers(2, 4))
    lengths = [int(rng.integers(1, 5)) for _ in range(count)] if count > 1 else [6]
    text = " ".join(number(rng, length) for length in lengths)
    return MadePage(camera.on_white(page([text], writer, rng), rng), text)


def touching(within: bool, sources: Sources, rng: Random) -> MadePage:
    """Two or three digits that touch, half of them zeros: alone, or within a number of five."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    together = int(rng.integers(2, 4))
    joined = "".join("0" if rng.random() < 0.5 else number(rng, 1) for _ in range(together))
    before = int(rng.integers(0, 6 - together)) if within else 0
    after = 5 - together - before if within else 0
    text = number(rng, before) + joined + number(rng, after)
    places = range(before + 1, before + together)
    ink = page([text], writer, rng, touching=places)
    return MadePage(camera.on_white(ink, rng), text)


def words(by_hand: bool, sources: Sources, rng: Random) -> MadePage:
    """A line of words in fonts aside, printed or as of handwriting: nothing to read."""
    fonts = sources.handwriting if by_hand else sources.printed
    count = int(rng.integers(3, 7)) if by_hand else int(rng.integers(1, 4))
    ink = print_and_rules.words(count, fonts, rng)
    return MadePage(camera.on_white(ink, rng), "")


def number_among_words(sources: Sources, rng: Random) -> MadePage:
    """A number of two to five digits, by hand, behind a printed word: the number alone counts."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    text = number(rng, int(rng.integers(2, 6)), False)
    ink, printed = print_and_rules.labelled(text, sources.printed, writer, rng)
    return MadePage(camera.on_white(np.maximum(ink, printed), rng), text)


def turned(quarters: tuple[int, ...], sources: Sources, rng: Random) -> MadePage:
    """One to three numbers of five digits on a page that lies on its side or upside down."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    lines = [number(rng, 5) for _ in range(rng.integers(1, 4))]
    picture = camera.on_white(page(lines, writer, rng), rng)
    quarter = quarters[rng.integers(len(quarters))]
    return MadePage(np.ascontiguousarray(np.rot90(picture, quarter)), "\n".join(lines))


def on_rules(kind: str, sources: Sources, rng: Random) -> MadePage:
    """One to three numbers of five digits on ruled or squared paper, or beside a margin rule."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    lines = [number(rng, 5) for _ in range(rng.integers(1, 4))]
    ink, rules, colour = print_and_rules.ruled(kind, lines, writer, rng)
    scene = camera.sheet(ink, rng)
    scene = scene * (1 - rules[..., None]) + np.minimum(scene, colour) * rules[..., None]
    scanned = Shot(turn=1.5, perspective=0, shadow=0.15, blur=(0.3, 0.7), noise=(1, 4))
    return MadePage(camera.taken(scene, scanned, rng), "\n".join(lines))


def long_number(sources: Sources, rng: Random) -> MadePage:
    """A number of 12 to 20 digits in one line."""
    writer = writing.hand(sources.digits, HEIGHT, rng)
    text = number(rng, int(rng.integers(12, 21)))
    return MadePage(camera.on_white(page([text], writer, rng), rng), text)


def six_lines(sources: Sources, rng: Random) -> MadePage:
    """Six numbers of three to seven digits, below each other."""
    writer = writing.hand(sources.digits, NARROW, rng)
    lines = [number(rng, int(rng.integers(3, 8))) for _ in range(6)]
    return MadePage(camera.on_white(page(lines, writer, rng), rng), "\n".join(lines))


def photo_of_12_megapixels(sources: Sources, rng: Random) -> MadePage:
    """Five digits on a sheet on a dark wooden table, 3000×4000 pixels."""
    writer = writing.hand(sources.digits, (260, 300), rng)
    text, shot = number(rng, 5), Shot(turn=10, blur=(1.5, 2.5))
    paper = camera.sheet(page([text], writer, rng, margin=(1.5, 2.0)), rng)
    table = camera.wooden_table((3000, 4000), rng, light=False)
    return MadePage(camera.taken(camera.laid(paper, table, shot, rng), shot, rng), text)


def page(
    lines: list[str],
    writer: Hand,
    rng: Random,
    margin: tuple[float, float] = (0.4, 1.5),
    touching: range = range(0),
) -> Ink:
    """Lines below each other, from about the same left edge, with margins in heights."""
    high = writer.height
    pitch = rng.uniform(1.5, 2.1) * high
    left, right, top, bottom = (rng.uniform(*margin) * high for _ in range(4))
    written = [writing.line(text, writer, rng, touching=touching) for text in lines]
    starts = [left + rng.uniform(0, 0.3) * high * (len(lines) > 1) for _ in lines]
    inks = [writing.pasted(line) for line in written]
    tops = [
        top + high * 0.3 + k * pitch + high + min(one.top for one in line)
        for k, line in enumerate(written)
    ]
    width = max(start + ink.shape[1] for start, ink in zip(starts, inks, strict=True)) + right
    height = max(at + len(ink) for at, ink in zip(tops, inks, strict=True)) + bottom
    page = np.zeros((int(height) + 1, int(width) + 1), np.float32)
    for ink, start, at in zip(inks, starts, tops, strict=True):
        pen.paste(page, ink, int(start), max(0, int(at)))
    return page


def _scanned(ink: Ink, rng: Random, printed: Ink | None = None) -> Bytes:
    """A sheet that lies nearly straight on a scanner, which shows nothing but paper round it."""
    paper = camera.sheet(ink, rng, printed)
    around = np.broadcast_to(paper[0, 0], (len(ink) + 40, ink.shape[1] + 40, 3))
    around = np.ascontiguousarray(around)
    turned = camera.laid(paper, around, SCAN, rng, shade=0)
    return camera.taken(turned, SCAN, rng)


def _photographed(paper: camera.Scene, cells: Cells, rng: Random) -> MadePage:
    """A sheet with a table, on a desk; in half of the pictures it fills the picture."""
    shape = camera.room(paper, TABLE, (0.02, 0.15), rng)
    if rng.random() < 0.5:
        scene = np.ascontiguousarray(np.broadcast_to(paper[0, 0], (*shape, 3)))
        scene = camera.laid(paper, scene, TABLE, rng, shade=0)
    else:
        colours = camera.DARK_TABLES if rng.random() < 0.7 else camera.LIGHT_TABLES
        scene = camera.laid(paper, camera.plain_table(shape, colours, rng), TABLE, rng)
    text = "\n".join(" ".join(filter(None, row)) for row in cells)
    return MadePage(camera.taken(scene, TABLE, rng), text, cells)
