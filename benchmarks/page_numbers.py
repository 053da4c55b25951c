"""Numbers written on the page: how many are read as they are, and how long a reading takes."""

import math
import statistics
from typing import Any

import numpy as np
from playwright.sync_api import Page

from benchmarks.handwriting import pen_numbers, pen_strokes
from benchmarks.harness import browser as browsing
from benchmarks.harness.json_lines import Line
from digits.reading.reader import Reader

SEED = 1
PEN = 16 / 500  # the page's default pen; 1 is the shorter side of the drawing area


def written(page: Page, file: Any, count: int) -> Line:
    """Writes numbers of 2 to 6 recorded digits on the page, all strokes at once.

    `right` counts those that are shown as they are, `python` those that `digits read` reads so from
    a picture of the same strokes, and `equal` those that both read alike.
    """
    box = page.locator("#board").bounding_box()
    assert box
    area, pen = (box["width"], box["height"]), PEN * min(box["width"], box["height"])
    characters = list(pen_strokes.characters(file))
    rng = np.random.default_rng(SEED)
    made = pen_numbers.numbers(characters, file["labels"], count, area, pen, rng)
    strokes = [[stroke.tolist() for stroke in number.strokes] for number in made]
    shown = page.evaluate(WRITE, [strokes, pen])
    reader = Reader()
    size = math.ceil(area[0]), math.ceil(area[1])
    read = [reader.read(255 - pen_strokes.draw(one.strokes, pen, size)).text for one in made]
    texts = [one.text for one in made]
    return {
        "what": "numbers",
        "numbers": count,
        "right": sum(a == b for a, b in zip(shown, texts, strict=True)),
        "python": sum(a == b for a, b in zip(read, texts, strict=True)),
        "equal": sum(a == b for a, b in zip(shown, read, strict=True)),
    }


WRITE = f"""async ([numbers, width]) => {{
  const {{ write, clear, ready }} = {browsing.MAIN};
  await ready;
  const shown = [];
  let id = 1e6;
  for (const strokes of numbers) {{
    const placed = (points) => points.map(([x, y]) => ({{ x, y, width }}));
    write(strokes.map((points) => ({{ id: id++, points: placed(points) }})));
    const busy = () => document.getElementById("reading").ariaBusy === "true";
    while (busy()) await new Promise((done) => setTimeout(done, 5));
    const lines = [...document.querySelectorAll("#number .line")];
    shown.push(lines.map((line) => line.textContent).join("\\n"));
    clear();
  }}
  return shown;
}}"""


def warm(page: Page, samples: int) -> Line:
    """The milliseconds to read a number of six digits of which the last one is new."""
    milliseconds = page.evaluate(WARM_NUMBER, samples)
    quartiles = np.quantile(milliseconds, (0.25, 0.75)).tolist()
    median = statistics.median(milliseconds)
    return {"what": "warm_number", "milliseconds": median, "quartiles": quartiles, "calls": samples}


WARM_NUMBER = f"""async (samples) => {{
  const reader = await ({browsing.MAIN}).ready;
  const {{ reading }} = await import({browsing.CANVAS_URL}.replace("canvas.js", "reading.js"));
  const read = reading(reader);
  const seven = (x, id) => ({{ id, points: [[0, 0], [60, 0], [20, 130]].map(
    ([right, down]) => ({{ x: x + right, y: 80 + down, width: 14 }})) }});
  const first = [0, 1, 2, 3, 4].map((i) => seven(40 + 100 * i, i + 1));
  const milliseconds = [];
  for (let i = -5; i < samples; i += 1) {{
    const started = performance.now();
    await read([...first, seven(540, 100 + i)]);
    if (i >= 0) milliseconds.push(performance.now() - started);
  }}
  return milliseconds;
}}"""
