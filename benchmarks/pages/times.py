"""Times of whole reads: an amount beside an earlier checkout, a large photo, many files."""

import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from benchmarks import ROOT
from benchmarks.handwriting import composed_pages
from benchmarks.harness import installation
from benchmarks.harness.json_lines import Line, Lines
from benchmarks.inference import launched
from benchmarks.pages import made, makers, writing
from benchmarks.pages.made import Sources
from digits.data.mnist import Bytes
from digits.errors import DigitsError

AMOUNTS = 100
AMOUNT_HEIGHT = (28.0, 60.0)  # pixels, of a digit, as in scans of cheques
MANY = 2000
WORKERS = 2
TURNS = 3

# One core, so that no library computes on several threads.
PINNED = """
import json, os, sys, time
from pathlib import Path
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import digits
from digits.reading.reader import Reader
bundle, files = sys.argv[1] or None, sys.argv[2:]
reader = Reader(bundle)
"""
READ_MANY = f"""{PINNED}
for file in files[:10]:
    reader.read(file)
seconds = []
for file in files:
    started = time.perf_counter()
    reader.read(file)
    seconds.append(time.perf_counter() - started)
print(json.dumps([digits.__file__, seconds]))
"""
READ_ONE = f"""{PINNED}
started = time.perf_counter()
reader.read(files[0])
Path(files[1]).write_text(json.dumps(time.perf_counter() - started))
"""


def measure(sources: Sources, earlier: Path, bundle: Path | None) -> list[Line]:
    """Measures all of them.

    Args:
        earlier: a checkout of this project, which reads with the bundle that it ships.
        bundle: that this checkout reads with; None is the one that ships.

    Raises:
        DigitsError: there is no checkout in `earlier`, or a process failed.
    """
    if not (earlier / "digits" / "reading" / "reader.py").exists():
        raise DigitsError(f"{earlier} holds no digits/reading/reader.py; name a checkout.")
    versions = installation.versions("numpy", "pillow", "ai-edge-litert")
    return [
        amounts(sources, earlier.resolve(), bundle),
        photo(sources, bundle),
        workers(sources, bundle),
        {"what": "machine", "cores": os.cpu_count(), "versions": versions},
    ]


def amounts(sources: Sources, earlier: Path, bundle: Path | None) -> Line:
    """Amounts on patterned paper, from file to text, warm, on one core, beside an earlier checkout.

    The two take turns. Times are medians over amounts and turns.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = _written(Path(folder), (_amount(sources, rng) for rng in _generators("amounts")))
        seconds: dict[Path, list[float]] = {ROOT: [], earlier: []}
        for _ in range(TURNS):
            for checkout, found in seconds.items():
                found += read_by(checkout, bundle if checkout == ROOT else None, files)
    ours, others = (1000 * statistics.median(found) for found in seconds.values())
    return {
        "what": "amount",
        "n": AMOUNTS,
        "milliseconds": ours,
        "earlier_milliseconds": others,
        "ratio": ours / others,
    }


def read_by(checkout: Path, bundle: Path | None, files: list[str]) -> list[float]:
    """The seconds that a checkout's reader takes for each file, in a process of its own.

    Raises:
        DigitsError: it failed, or another checkout's package was imported.
    """
    done = subprocess.run(
        [sys.executable, "-c", READ_MANY, str(bundle or ""), *files],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DigitsError(f"The reader in {checkout} failed: {done.stderr[-500:]}")
    package, seconds = json.loads(done.stdout)
    if not Path(package).is_relative_to(checkout):
        raise DigitsError(f"{package} was imported in place of the package in {checkout}.")
    return seconds


def photo(sources: Sources, bundle: Path | None) -> Line:
    """A photo of 12 megapixels, as a JPEG file, on one core: its read and that process's peak."""
    found, peaks = [], []
    with tempfile.TemporaryDirectory() as folder:
        picture, result = Path(folder) / "photo.jpg", Path(folder) / "seconds.json"
        (rng,) = made.generators("photo", 1)
        page = makers.photo_of_12_megapixels(sources, rng)
        Image.fromarray(page.picture).save(picture, quality=90)
        for _ in range(TURNS):
            command = [sys.executable, "-c", READ_ONE, str(bundle or ""), str(picture)]
            peaks.append(launched([*command, str(result)])[1])
            found.append(json.loads(result.read_text()))
    height, width = page.picture.shape[:2]
    return {
        "what": "photo",
        "pixels": [width, height],
        "seconds": statistics.median(found),
        "peak_memory_mb": max(peaks),
    }


def workers(sources: Sources, bundle: Path | None, count: int = MANY) -> Line:
    """`digits read --json` of many files, with and without `--workers`, which take turns."""
    digits = Path(sysconfig.get_path("scripts")) / "digits"
    if not digits.exists():
        raise DigitsError("The command digits is not installed; run: pip install -e .")
    command = [str(digits), "read", "--json", *(["--model", str(bundle)] if bundle else [])]
    alone, together = [], []
    with tempfile.TemporaryDirectory() as folder:
        pages = (makers.plain(sources, rng).picture for rng in made.generators("workers", count))
        files = _written(Path(folder), pages)
        for _ in range(TURNS):
            alone.append(launched([*command, *files])[0])
            together.append(launched([*command, "--workers", str(WORKERS), *files])[0])
    one, several = statistics.median(alone), statistics.median(together)
    return {
        "what": "workers",
        "workers": WORKERS,
        "pictures": count,
        "seconds_alone": one,
        "seconds": several,
        "times": one / several,
    }


def summary(lines: Lines) -> str:
    """The table: each figure that is measured, and what it must be."""
    texts = {
        "amount": "an amount, file to text    {milliseconds:7.2f} ms   {ratio:.2f} of the earlier "
        "checkout's, at most 1.0, goal 0.4",
        "photo": "a photo of 12 megapixels   {seconds:7.2f} s    at most 1.0, goal 0.4; peak "
        "memory {peak_memory_mb:.0f} MB, at most 400",
        "workers": "{pictures} pictures, {workers} workers  {seconds:7.1f} s    {times:.2f} times "
        "as fast as without, at least 1.7, goal 1.9",
    }
    return "\n".join(texts[line["what"]].format(**line) for line in lines if line["what"] in texts)


def _generators(name: str) -> Iterable[writing.Random]:
    return made.generators(name, AMOUNTS)


def _amount(sources: Sources, rng: writing.Random) -> Bytes:
    writer = writing.hand(sources.digits, AMOUNT_HEIGHT, rng)
    text = makers.SEPARATED[rng.integers(len(makers.SEPARATED))](rng)
    ink = makers.page([text], writer, rng)
    return composed_pages.photograph(rng, ink, composed_pages.PAPERS["cheque"], writer.height)


def _written(folder: Path, pictures: Iterable[Bytes]) -> list[str]:
    files = []
    for number, picture in enumerate(pictures):
        files.append(str(folder / f"{number:04d}.png"))
        Image.fromarray(picture).save(files[-1])
    return files
