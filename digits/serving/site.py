"""web/ + a bundle -> a folder of files for any file host: the page, installable and offline.

    index.html, sw.js, manifest.webmanifest   what browsers ask for by name
    page-<hash>/      modules, style and icons
    model-<hash>/     the bundle's digits.tflite and manifest.json
    runtime-<hash>/   LiteRT.js

A folder with a hash in its name never changes. All links are relative. Beside each file that is
worth it lies NAME.gz, and beside the runtime's NAME.br, for servers that can send them.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from digits import bundle as bundles
from digits.bundle import Bundle
from digits.data.strokes import Points, rounded
from digits.errors import DigitsError
from digits.files import PARTIAL, cache_folder
from digits.terminal import SHIPPED, note, say

WEB = Path(__file__).parent / "web"
NAMED = ("index.html", "sw.js", "manifest.webmanifest")  # everything else is under a hash
WORKER = "worker.js"  # is no module
COMPRESSED = {".html", ".js", ".css", ".json", ".webmanifest", ".svg", ".wasm", ".tflite"}
BUILDS = ("litert_wasm_internal", "litert_wasm_compat_internal")  # the second: no relaxed SIMD
CORE, HELPER = "node_modules/@litertjs/core", "node_modules/@litertjs/wasm-utils"
IMPORTED = '"@litertjs/wasm-utils"'  # how core.js names its helper, which a browser cannot find
NPM_SECONDS = 300

Files = dict[str, bytes]


def command(argv: Sequence[str], prog: str) -> int:
    """The command `digits site`.

    Returns:
        the exit status, 0.

    Raises:
        DigitsError: a mistake in the arguments, no npm, or a folder that cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Write the web page that reads handwriting on its user's device, as a folder "
        "for any file host. The first time, npm fetches the runtime for browsers.",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder, new or of an earlier site")
    parser.add_argument("--model", type=Path, metavar="BUNDLE", help=SHIPPED)
    arguments = parser.parse_args(argv)
    out: Path = arguments.out
    build(out, bundles.read(arguments.model or bundles.SHIPPED))
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    say(
        f"The site is in {out}, {size / 1e6:.0f} MB with its compressed copies; put the folder on "
        f"any file host, or look at it: python -m http.server -d {out}"
    )
    return 0


def build(out: Path, bundle: Bundle, runtime: bool = True) -> None:
    """Writes the site, whole or not at all, in place of an earlier one.

    Args:
        out: the site's folder.
        bundle: the model that it reads with.
        runtime: with what runs the model in browsers; without it the page asks a server.

    Raises:
        DigitsError: npm is missing or fails, or `out` holds something else or cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise DigitsError(f"{out} is a file; name a folder for the site.")
    if out.is_dir() and any(out.iterdir()) and not all((out / name).exists() for name in NAMED):
        raise DigitsError(f"{out} holds something that is no site; choose another folder.")
    files = contents(bundle, runtime_files() if runtime else {})
    temporary = out.with_name(out.name + PARTIAL)
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        for name, content in files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(content)
        if out.exists():
            shutil.rmtree(out)
        temporary.rename(out)
    except OSError as error:
        raise DigitsError(
            f"{out} cannot be written ({error.strerror or error}); choose another folder."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def contents(bundle: Bundle, runtime: Mapping[str, bytes]) -> Files:
    """All files of a site by path, compressed copies included; the same input, the same bytes."""
    manifest = json.dumps(bundle.manifest, ensure_ascii=False).encode()
    parts = {
        "page": _page_files(),
        "model": {bundles.MODEL: bundle.model, "manifest.json": manifest},
        "runtime": dict(runtime),
    }
    folders = {name: f"{name}-{_digest(files)}/" if files else "" for name, files in parts.items()}
    hashed = {
        folders[part] + name: content
        for part, files in parts.items()
        for name, content in files.items()
    }
    modules = [
        f"{folders['page']}{name}"
        for name in parts["page"]
        if name.endswith(".js") and name != WORKER
    ]
    links = [f'<link rel="modulepreload" href="{path}">' for path in modules]
    words = _words() | folders | {"preloads": "\n    ".join(links)}
    index, app = (_filled((WEB / n).read_text("utf-8"), words) for n in (NAMED[0], NAMED[2]))
    named = {"index.html": index.encode(), "manifest.webmanifest": app.encode()}
    named["sw.js"] = _worker(named, hashed, folders["runtime"]).encode()
    files = named | hashed
    return files | {
        f"{name}.gz": gzip.compress(content, 9, mtime=0)
        for name, content in files.items()
        if Path(name).suffix in COMPRESSED and f"{name}.gz" not in files
    }


def _page_files() -> Files:
    files = {
        path.name: path.read_bytes()
        for path in sorted(WEB.iterdir())
        if path.suffix in (".js", ".css") and path.name not in NAMED
    }
    return files | icons()


def _words() -> dict[str, str]:
    """The words of the page, out of words.js."""
    text = (WEB / "words.js").read_text("utf-8")
    found = re.search(r"WORDS = (\{.*?\n\});", text, re.DOTALL)
    assert found
    return json.loads(found[1])


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The text with values for every {{name}} in it."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], text)


def _worker(named: Files, hashed: Files, runtime: str) -> str:
    """sw.js with the list of what it keeps, and a stamp that is another for every other list."""
    kept = {
        name: content
        for name, content in (named | hashed).items()
        if not name.endswith((".gz", ".br", ".png"))  # systems keep the icons of what they install
    }
    integrity = {
        name: "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()
        for name, content in kept.items()
    }
    integrity["./"] = integrity.pop("index.html")
    builds = {
        build: {
            path: integrity.pop(path) for path in (f"{runtime}{build}.js", f"{runtime}{build}.wasm")
        }
        for build in BUILDS
        if runtime
    }
    text = (WEB / "sw.js").read_text("utf-8")
    stamp = _digest({"": text.encode(), "files": json.dumps([integrity, builds]).encode()})
    values: dict[str, Any] = {"stamp": stamp, "files": integrity, "builds": builds}
    for name, value in values.items():
        text = text.replace(f'"{{{{{name}}}}}"', json.dumps(value, indent=2))
    return text


def _digest(files: Mapping[str, bytes]) -> str:
    """16 hexadecimal digits of the names and contents."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]


# Icons.

# A seven in two strokes, on a sheet of 100 by 100.
SEVEN = (((27, 27), (72, 26), (70, 30), (53, 53), (45, 78)), ((38, 53), (66, 51)))
SHEET, INK = "#1459b8", "#fffefa"
PEN = 9


def icons() -> Files:
    """The app's icon as SVG and as PNGs: round corners, and one with none, for masks."""
    lines = [rounded(np.array(stroke, np.float64), 3) for stroke in SEVEN]
    paths = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line.tolist()) for line in lines)
    files = {
        "icon.svg": (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
            f'<rect width="100" height="100" rx="22" fill="{SHEET}"/><path d="{paths}" fill="none" '
            f'stroke="{INK}" stroke-width="{PEN}" stroke-linecap="round" '
            'stroke-linejoin="round"/></svg>\n'
        ).encode()
    }
    for name, side, corner, size in (
        ("icon-192.png", 192, 22, 1.0),
        ("icon-512.png", 512, 22, 1.0),
        ("icon-maskable-512.png", 512, 0, 0.75),
    ):
        scale = 4 * side / 100  # four times as many pixels, for smooth edges
        picture = Image.new("RGBA", (4 * side, 4 * side))
        drawing = ImageDraw.Draw(picture)
        whole = (0, 0, 4 * side - 1, 4 * side - 1)
        drawing.rounded_rectangle(whole, radius=corner * scale, fill=SHEET)
        radius = PEN * size * scale / 2
        for line in lines:
            for x, y in ((_dense(line) - 50) * size + 50) * scale:
                drawing.circle((x, y), radius, fill=INK)
        file = io.BytesIO()
        # 32 colours are enough for two with their edges, and a third of the bytes.
        palette = picture.reduce(4).quantize(32, Image.Quantize.FASTOCTREE)
        palette.save(file, "PNG", optimize=True)
        files[name] = file.getvalue()
    return files


def _dense(line: Points) -> Points:
    """The points of a line with others between them, so close that round dots make a line."""
    at = np.arange(0, len(line) - 1, 0.02)
    return np.stack([np.interp(at, np.arange(len(line)), side) for side in line.T], axis=1)


# The runtime.


def runtime_files(cache: Path | None = None) -> Files:
    """LiteRT.js by path, compressed copies included: from the cache, or fetched by npm into it.

    Args:
        cache: folder of the project's cache; default `cache_folder()`.

    Raises:
        DigitsError: npm is missing, or cannot fetch what package-lock.json names.
    """
    lock = _digest({"package-lock.json": (WEB / "package-lock.json").read_bytes()})
    folder = (cache or cache_folder()) / f"runtime-{lock}"
    if not folder.is_dir():
        _fetch(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _fetch(folder: Path) -> None:
    """Makes the runtime's folder, whole or not at all."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise DigitsError(
            "npm is not installed, which fetches the runtime for browsers; install Node.js, "
            "which brings it, from nodejs.org or your system's packages."
        )
    note("Fetching the runtime for browsers with npm, once.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, suffix=PARTIAL) as temporary:
        place = Path(temporary)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(WEB / name, place / name)
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        _run([npm, "ci", *flags], place, "npm cannot fetch the runtime for browsers")
        made = place / "runtime"
        made.mkdir()
        core = (place / CORE / "dist/index.js").read_text("utf-8")
        if core.count(IMPORTED) != 1:
            raise DigitsError("This version of LiteRT.js is not known; restore package-lock.json.")
        (made / "core.js").write_text(core.replace(IMPORTED, '"./helper.js"'), "utf-8")
        shutil.copy(place / HELPER / "dist/index.js", made / "helper.js")
        for build in BUILDS:
            for suffix in (".js", ".wasm"):
                shutil.copy(place / CORE / "wasm" / f"{build}{suffix}", made)
        for path in sorted(made.iterdir()):
            # Maps of the sources are not shipped; without the line nobody looks for them.
            if path.suffix == ".js":
                text = re.sub(r"//# sourceMappingURL=.*\n?", "", path.read_text("utf-8"))
                path.write_text(text, "utf-8")
            compressed = gzip.compress(path.read_bytes(), 9, mtime=0)
            path.with_name(f"{path.name}.gz").write_bytes(compressed)
        names = [str(made / f"{build}.wasm") for build in BUILDS]
        _run([node, "-e", BROTLI, *names], place, "The runtime cannot be compressed")
        if not folder.exists():  # another process may have been quicker
            made.rename(folder)


# Node has Brotli, Python has not. Quality 11 instead of 9 takes seven times as long for an eighth
# less.
BROTLI = """
const { readFileSync, writeFileSync } = require("fs");
const { brotliCompressSync, constants } = require("zlib");
for (const name of process.argv.slice(1)) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
  writeFileSync(name + ".br", brotliCompressSync(readFileSync(name), { params }));
}
"""


def _run(arguments: list[str], folder: Path, failed: str) -> None:
    try:
        done = subprocess.run(
            arguments, cwd=folder, capture_output=True, text=True, timeout=NPM_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise DigitsError(f"{failed}: it took longer than {NPM_SECONDS} s; try again.") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = lines[0].removeprefix("npm error ") if lines else f"status {done.returncode}"
        raise DigitsError(f"{failed} ({reason:.120}); look to the network, and try again.")
