"""How large the page is, how fast it reads, and whether it reads as Python does.

    python -m benchmarks.page                  writes benchmarks/results/page.jsonl
    python -m benchmarks.page --no-lighthouse  without the audit, which npm has to fetch
    python -m benchmarks.page --quick          little of everything, to see that it runs
    python -m benchmarks.page --summary        prints the table of what is there

The site is built anew and served on loopback, compressed, with the headers of `digits serve`, to
headless Chromium. Cold starts are of a new browser each, the site's files being in the host's page
cache. DIGITS_HANDWRITING names the folder of other people's handwriting, whose pen strokes are
written on the page again, event by event.
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

from benchmarks import RESULTS_FOLDER
from benchmarks.handwriting_data import evaluation_sets, pen_strokes
from benchmarks.harness import browser as browsing
from benchmarks.harness import installation
from benchmarks.harness.browser import Host
from benchmarks.harness.json_lines import read_lines
from benchmarks.textbook.model import signature
from digits import bundle
from digits.bundle import Bundle
from digits.errors import DigitsError
from digits.serving import site

RESULTS = RESULTS_FOLDER / "page.jsonl"
SEED = 1
LIGHTHOUSE = "lighthouse@12"
CATEGORIES = ("performance", "accessibility", "best-practices")
HEIGHT = (0.35, 0.85)  # of the drawing area, of a digit written on it, from middle to middle

Line = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, help="default: the one that comes with the package")
    parser.add_argument("--no-lighthouse", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines")
    parser.add_argument("--summary", action="store_true", help="print the table and end")
    arguments = parser.parse_args()
    if not arguments.summary:
        try:
            lines = run(arguments.bundle, not arguments.no_lighthouse, arguments.quick)
        except DigitsError as error:
            print(error, file=sys.stderr)
            return 2
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(summary(read_lines(arguments.out)))
    return 0


def run(folder: Path | None, audit: bool, quick: bool) -> list[Line]:
    """Measures everything; a line for each thing."""
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
                lines.append(golden(page, shipped))
                version = browser.version
            if audit:
                lines.append(lighthouse(host.url))
    versions = installation.versions("playwright", "ai-edge-litert") | {"chromium": version}
    return [*lines, {"what": "machine", "cores": os.cpu_count(), "versions": versions}]


def first_visit(page: Page, host: Host) -> Line:
    """Bytes over the wire until the page reads and is kept for being offline."""
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
    """Milliseconds from navigation to the first answer, of a new browser each time."""
    milliseconds = []
    for _ in range(count):
        with browsing.chromium() as browser:
            page = browser.new_page()
            browsing.open_page(page, host)
            mark = "performance.getEntriesByName('ready')[0].startTime"
            milliseconds.append(float(page.evaluate(mark)))
    return {"what": "cold", "milliseconds": statistics.median(milliseconds), "all": milliseconds}


def warm(page: Page, samples: int, each: int = 20) -> Line:
    """Microseconds from canvas to answer; samples of several, as a page's clock is coarse."""
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
    """The largest difference of a probability to that of LiteRT in Python, on golden canvases."""
    canvases = np.load(shipped.folder / "golden.npz")["canvas_input"]
    differences, _ = compare(page, shipped, canvases)
    return {"what": "golden", "canvases": len(canvases), "difference": max(differences)}


def compare(
    page: Page, shipped: Bundle, canvases: NDArray[np.uint8]
) -> tuple[list[float], list[bool]]:
    """For each canvas the largest difference between the page's probabilities and Python's, and
    whether both take it for the same digit and both accept it or refuse it."""
    ours = signature(shipped.model, "canvas")
    differences, equal = [], []
    for canvas, theirs in zip(canvases, browsing.ask(page, canvases), strict=True):
        (expected, is_digit), given = ours(canvas), np.array(theirs["probabilities"])
        accepted = is_digit >= shipped.threshold
        differences.append(float(np.abs(expected - given).max()))
        equal.append(bool(expected.argmax() == given.argmax()) and accepted == theirs["accepted"])
    return differences, equal


def pendigits(page: Page, shipped: Bundle, file: Any, count: int) -> Line:
    """Digits that 30 writers wrote, spread evenly over them, written on the page with the mouse:
    every point an event, with the pen that the page gives first. Right is one digit, the right one;
    of these, shown are those that are accepted, too."""
    box = page.locator("#board").bounding_box()
    assert box
    rng = np.random.default_rng(SEED)
    chosen = {*np.linspace(0, len(file["labels"]) - 1, count).round().astype(int).tolist()}
    right, single, shown, canvases = 0, 0, 0, []
    for i, character in enumerate(pen_strokes.characters(file)):
        if i not in chosen:
            continue
        browsing.draw(page, list(placed(character, rng, box["width"], box["height"])))
        likeliest = page.evaluate(LIKELIEST)
        single += len(likeliest) == 1
        right += likeliest == [file["labels"][i]]
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


LIKELIEST = f"async () => ({browsing.MAIN}).shown().map(({{ digit }}) => digit)"


def placed(
    character: pen_strokes.Strokes, rng: np.random.Generator, width: float, height: float
) -> Iterator[list[tuple[float, float]]]:
    """A character at a random size and place on a drawing area, all of it inside."""
    points = np.concatenate(character)
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    tall = rng.uniform(*HEIGHT) * height
    scale = min(tall / max(size[1], 1e-9), HEIGHT[1] * height / max(size[0], 1e-9))
    margin = 16
    room = np.array([width, height]) - 2 * margin - size * scale
    start = margin + rng.uniform(0, 1, 2) * room
    for stroke in character:
        moved = (stroke - corner) * scale + start
        # A recorder writes the same point again while the pen rests.
        steps = [moved[0], *(b for a, b in itertools.pairwise(moved) if (a != b).any())]
        yield [(float(x), float(y)) for x, y in steps]


def lighthouse(url: str) -> Line:
    """Google's audit of the page, by npm's `lighthouse`: of each category the points of 100.

    Raises:
        DigitsError: npm is missing, or the audit fails.
    """
    npx = shutil.which("npx")
    if npx is None:
        raise DigitsError("npm is not installed; install Node.js, or give --no-lighthouse.")
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
            last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise DigitsError(f"Lighthouse failed ({last:.120}); or give --no-lighthouse.")
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


def summary(lines: list[Line]) -> str:
    """The table: each figure, and what it must be."""
    if not lines:
        return "There are no results yet; run python -m benchmarks.page."
    of = {line["what"]: line for line in lines}
    first, pen, warmed = of["first_visit"], of["pendigits"], of["warm"]["microseconds"]
    share = pen["right"] / pen["digits"]
    text = [
        f"first visit            {first['bytes'] / 1e6:9.2f} MB   at most 3.6, goal 3.0; "
        f"{first['requests']} requests",
        f"without runtime, model {first['page_bytes'] / 1e3:9.1f} kB   at most 60, goal 30; and "
        f"{first['page_headers'] / 1e3:.1f} kB of headers",
        f"canvas to answer       {warmed / 1e3:9.2f} ms   at most 2, goal 0.5",
        f"cold start             {of['cold']['milliseconds'] / 1e3:9.2f} s    at most 1.0, "
        "goal 0.5",
        f"difference to Python   {of['golden']['difference']:9.1e}      at most 1e-4, on "
        f"{of['golden']['canvases']} golden canvases; {pen['difference']:.1e} on "
        f"{pen['digits']} drawn",
        f"pen strokes            {share:9.1%}      at least 97 %, goal 99 %; {pen['digits']} "
        f"digits, {pen['single']} taken for one, {pen['shown']} right and accepted, "
        f"{pen['equal']} as Python reads the page's canvas",
    ]
    if audit := of.get("lighthouse"):
        points = " / ".join(str(audit[name]) for name in CATEGORIES)
        text.append(f"Lighthouse             {points:>9}      at least 95 / 100 / 100")
    return "\n".join(text)


if __name__ == "__main__":
    sys.exit(main())
