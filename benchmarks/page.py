"""The page's size and speed, and whether it reads as Python does.

    python -m benchmarks.page                  writes benchmarks/results/page.jsonl
    python -m benchmarks.page --no-lighthouse  without the audit, for which npm downloads Lighthouse
    python -m benchmarks.page --quick          a short try of everything
    python -m benchmarks.page --summary        prints the table

The site is built anew and served on loopback, compressed and with the headers of `digits serve`, to
headless Chromium. Each cold start is that of a new browser, with the site's files in the host's
page cache. DIGITS_HANDWRITING names the folder of other people's handwriting; its pen strokes are
drawn on the page again, event by event.
"""

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from benchmarks import RESULTS_FOLDER, page_numbers
from benchmarks.handwriting import evaluation_sets, pen_strokes
from benchmarks.harness import browser as browsing
from benchmarks.harness import command_line, installation
from benchmarks.harness.browser import Host
from benchmarks.harness.json_lines import Line, Lines
from digits import bundle
from digits.bundle import Bundle
from digits.errors import DigitsError
from digits.runtime import Model
from digits.serving import site

RESULTS = RESULTS_FOLDER / "page.jsonl"
SEED = 1
LIGHTHOUSE = "lighthouse@12"
CATEGORIES = ("performance", "accessibility", "best-practices")
HEIGHT = (
    0.35,
    0.85,
)  # of a digit, between the centre lines of its strokes; 1 is the drawing area's
MARGIN = 16  # pixels around a digit in the drawing area


def main() -> int:
    parser = command_line.parser(__doc__, RESULTS)
    parser.add_argument(
        "--bundle", type=Path, metavar="DIR", help="default: the one that comes with the package"
    )
    parser.add_argument("--no-lighthouse", action="store_true", help="leave out the audit")
    parser.add_argument("--quick", action="store_true", help="measure little, to see that it runs")

    def run(arguments: argparse.Namespace) -> list[Line]:
        return measure(arguments.bundle, not arguments.no_lighthouse, arguments.quick)

    return command_line.main(parser, run, summary)


def measure(folder: Path | None, audit: bool, quick: bool) -> list[Line]:
    """Measures everything.

    Args:
        folder: of the bundle; None is the one that ships.
        audit: whether Lighthouse is run.
        quick: measures little of everything.

    Returns:
        a line for each thing measured.
    """
    shipped = bundle.read(folder or bundle.SHIPPED)
    digits = np.load(evaluation_sets.folder() / "pendigits_strokes.npz")
    lines = []
    with tempfile.TemporaryDirectory() as temporary:
        built = Path(temporary) / "site"
        site.build(built, shipped)
        with browsing.hosted(built) as host:
            lines.append(cold_starts(host, 2 if quick else 9))
            with browsing.chromium() as browser:
                page = browser.new_page(viewport={"width": 1200, "height": 800})
                lines.append(first_visit(page, host))
                lines.append(warm(page, 5 if quick else 200))
                lines.append(pendigits(page, shipped, digits, 5 if quick else 300))
                lines.append(page_numbers.written(page, digits, 5 if quick else 200))
                lines.append(page_numbers.warm(page, 5 if quick else 200))
                lines.append(golden(page, shipped))
                version = browser.version
            if audit:
                lines.append(lighthouse(host.url))
    versions = installation.versions("playwright", "ai-edge-litert") | {"chromium": version}
    return [*lines, {"what": "machine", "cores": os.cpu_count(), "versions": versions}]


def first_visit(page: Page, host: Host) -> Line:
    """The bytes over the wire until the page can read and is stored for offline use."""
    host.sent.clear()
    browsing.open_page(page, host)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    sent = list(host.sent)
    page_alone = [one for one in sent if not one.path.startswith(("/runtime-", "/model-"))]
    return {
        "what": "first_visit",
        "bytes": sum(one.head + one.content for one in sent),
        "page_bytes": sum(one.content for one in page_alone),
        "page_headers": sum(one.head for one in page_alone),
        "requests": len(sent),
    }


def cold_starts(host: Host, count: int) -> Line:
    """The milliseconds from navigation to the first answer, with a new browser each time."""
    milliseconds = []
    for _ in range(count):
        with browsing.chromium() as browser:
            page = browser.new_page()
            browsing.open_page(page, host)
            mark = "performance.getEntriesByName('ready')[0].startTime"
            milliseconds.append(float(page.evaluate(mark)))
    return {"what": "cold", "milliseconds": statistics.median(milliseconds), "all": milliseconds}


def warm(page: Page, samples: int, each: int = 20) -> Line:
    """The microseconds from canvas to answer; a sample has many calls: a page's clock is coarse."""
    seconds = page.evaluate(WARM, [samples, each])
    return {
        "what": "warm",
        "microseconds": 1e6 * statistics.median(seconds),
        "quartiles": [1e6 * x for x in np.quantile(seconds, (0.25, 0.75)).tolist()],
        "calls": samples * each,
    }


WARM = f"""async ([samples, each]) => {{
  const reader = await ({browsing.MAIN}).ready;
  const canvas = new Uint8Array(256 * 256);
  for (let y = 60; y < 200; y += 1) canvas.fill(255 - y, 256 * y + 120 - y / 4, 256 * y + 140);
  const seconds = [];
  for (let i = -5; i < samples; i += 1) {{
    const started = performance.now();
    for (let j = 0; j < each; j += 1) await reader.read(canvas);
    if (i >= 0) seconds.push((performance.now() - started) / each / 1000);
  }}
  return seconds;
}}"""


def golden(page: Page, shipped: Bundle) -> Line:
    """The largest difference between probabilities on the page and in Python, on golden inputs."""
    canvases = np.load(shipped.folder / "golden.npz")["canvas_input"]
    differences, _ = compare(page, shipped, canvases)
    return {"what": "golden", "canvases": len(canvases), "difference": max(differences)}


def compare(
    page: Page, shipped: Bundle, canvases: NDArray[np.uint8]
) -> tuple[list[float], list[bool]]:
    """Reads canvases on the page and in Python.

    Returns:
        for each canvas the largest difference between their probabilities, and whether both read
        the same digit and both accept it or both reject it.
    """
    model = Model(shipped.model)
    differences, equal = [], []
    for canvas, theirs in zip(canvases, browsing.ask(page, canvases), strict=True):
        outputs, given = model.run("canvas", canvas), np.array(theirs["probabilities"])
        expected = outputs["probabilities"][0]
        accepted = float(outputs["is_digit"][0]) >= shipped.threshold
        differences.append(float(np.abs(expected - given).max()))
        equal.append(bool(expected.argmax() == given.argmax()) and accepted == theirs["accepted"])
    return differences, equal


def pendigits(page: Page, shipped: Bundle, file: Any, count: int) -> Line:
    """Draws recorded digits on the page with the mouse: a sample spread evenly over 30 writers.

    Every point is a mouse event; the pen is the page's default. `right` counts drawings that are
    read as a single digit, and the correct one; `shown` counts those that are accepted as well.
    """
    box = page.locator("#board").bounding_box()
    assert box
    rng = np.random.default_rng(SEED)
    chosen = {*np.linspace(0, len(file["labels"]) - 1, count).round().astype(int).tolist()}
    right, single, shown, canvases = 0, 0, 0, []
    for i, character in enumerate(pen_strokes.characters(file)):
        if i not in chosen:
            continue
        browsing.draw(page, list(scattered(character, rng, box["width"], box["height"])))
        digits = page.evaluate(MOST_LIKELY)
        single += len(digits) == 1
        right += digits == [file["labels"][i]]
        shown += page.locator("#number").inner_text() == str(file["labels"][i])
        canvases.append(browsing.own_canvas(page))
        page.keyboard.press("Escape")
    differences, equal = compare(page, shipped, np.stack(canvases))
    return {
        "what": "pendigits",
        "digits": len(canvases),
        "right": right,
        "single": single,
        "shown": shown,
        "equal": sum(equal),
        "difference": max(differences),
    }


MOST_LIKELY = f"async () => ({browsing.MAIN}).shown().map(({{ digit }}) => digit)"


def scattered(
    character: pen_strokes.Strokes, rng: np.random.Generator, width: float, height: float
) -> Iterator[list[tuple[float, float]]]:
    """A character of random size, at a random position within the drawing area."""
    tall, tallest = rng.uniform(*HEIGHT) * height, HEIGHT[1] * height
    for moved in pen_strokes.scatter(character, tall, tallest, (width, height), MARGIN, rng):
        # A recorder repeats the same point while the pen rests.
        steps = [moved[0], *(b for a, b in itertools.pairwise(moved) if (a != b).any())]
        yield [(float(x), float(y)) for x, y in steps]


def lighthouse(url: str) -> Line:
    """Google's audit of the page, by npm's `lighthouse`: the points of 100 in each category.

    Raises:
        DigitsError: npm is missing, or the audit fails.
    """
    npx = shutil.which("npx")
    if npx is None:
        raise DigitsError("npm is not installed; install Node.js, or use --no-lighthouse.")
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "report.json"
        flags = ["--headless=new", *browsing.arguments()]
        done = subprocess.run(
            [
                npx,
                "--yes",
                LIGHTHOUSE,
                url,
                "--quiet",
                "--output=json",
                f"--output-path={out}",
                f"--only-categories={','.join(CATEGORIES)}",
                f"--chrome-flags={' '.join(flags)}",
            ],
            env=os.environ | {"CHROME_PATH": browsing.executable()},
            capture_output=True,
            text=True,
        )
        if done.returncode or not out.exists():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise DigitsError(f"Lighthouse failed: {last:.120}. To leave it out: --no-lighthouse.")
        report = json.loads(out.read_text())
    line: Line = {"what": "lighthouse", "version": report["lighthouseVersion"]}
    for name in CATEGORIES:
        category = report["categories"][name]
        line[name] = round(100 * category["score"])
    line["lost"] = [
        name
        for name, audit in report["audits"].items()
        if audit["score"] is not None and audit["score"] < 0.9
    ]
    return line


def summary(lines: Lines) -> str:
    """The table: each figure, and what it must be."""
    of = {line["what"]: line for line in lines}
    first, pen, warmed = of["first_visit"], of["pendigits"], of["warm"]["microseconds"]
    share = pen["right"] / pen["digits"]
    text = [
        f"first visit            {first['bytes'] / 1e6:9.2f} MB   at most 3.2, goal 2.9; "
        f"{first['requests']} requests",
        f"without runtime, model {first['page_bytes'] / 1e3:9.1f} kB   at most 45, goal 35; and "
        f"{first['page_headers'] / 1e3:.1f} kB of headers",
        f"canvas to answer       {warmed / 1e3:9.2f} ms   at most 1.0, goal 0.5",
        f"cold start             {of['cold']['milliseconds'] / 1e3:9.2f} s    at most 0.8, "
        "goal 0.5",
        f"difference from Python {of['golden']['difference']:9.1e}      at most 1e-4, on "
        f"{of['golden']['canvases']} golden canvases; {pen['difference']:.1e} on "
        f"{pen['digits']} drawn digits",
        f"pen strokes            {share:9.1%}      at least 98.5%, goal 99%; of {pen['digits']} "
        f"digits {pen['single']} are read as one digit, {pen['shown']} are right and accepted, "
        f"{pen['equal']} are read as in Python",
    ]
    if six := of.get("warm_number"):
        text.append(f"a number of six        {six['milliseconds']:9.2f} ms   at most 4, goal 2")
    if written := of.get("numbers"):
        count = written["numbers"]
        text.append(
            f"numbers of 2 to 6      {written['right'] / count:9.1%}      at least 95%, goal 98%; "
            f"Python reads {written['python'] / count:.1%} of them in pictures, "
            f"{written['equal'] / count:.1%} are read alike"
        )
    if audit := of.get("lighthouse"):
        points = " / ".join(str(audit[name]) for name in CATEGORIES)
        text.append(f"Lighthouse             {points:>9}      100 / 100 / 100")
    return "\n".join(text)


if __name__ == "__main__":
    sys.exit(main())
