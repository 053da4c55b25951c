"""LiteRT.js, the runtime that runs the model in browsers: fetched by npm once, then cached.

web/package-lock.json pins it by content. Its version says how files are kept, too: change it with
`_collect`, and what is in caches is fetched again.
"""

import gzip
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import brotli  # type: ignore[import-untyped] # it has no types

from digits import npm
from digits.errors import DigitsError

WEB = Path(__file__).parent / "web"
WHAT = "runtime for browsers"
BUILDS = ("litert_wasm_internal", "litert_wasm_compat_internal")  # the second: no relaxed SIMD
CORE, HELPER = "@litertjs/core", "@litertjs/wasm-utils"
IMPORTED = '"@litertjs/wasm-utils"'  # how core.js imports its helper; browsers cannot find that


def files(cache: Path | None = None) -> dict[str, bytes]:
    """The runtime's files by name, compressed copies included, from the cache or from npm.

    Raises:
        DigitsError: npm is missing, or cannot fetch what package-lock.json names.
    """
    folder = npm.fetched(WHAT, WEB, _collect, cache)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def is_cached() -> bool:
    """Whether `files` needs no npm."""
    return npm.is_fetched(WHAT, WEB)


def _collect(packages: Path, made: Path) -> None:
    """Copies the files that browsers load, with .gz and .br beside each."""
    core = (packages / CORE / "dist/index.js").read_text("utf-8")
    if core.count(IMPORTED) != 1:
        raise DigitsError("This version of LiteRT.js is not supported; restore package-lock.json.")
    (made / "core.js").write_text(core.replace(IMPORTED, '"./helper.js"'), "utf-8")
    shutil.copy(packages / HELPER / "dist/index.js", made / "helper.js")
    for build in BUILDS:
        for suffix in (".js", ".wasm"):
            shutil.copy(packages / CORE / "wasm" / f"{build}{suffix}", made)
    for path in made.glob("*.js"):  # source maps are not shipped, so browsers must not ask for them
        text = re.sub(r"//# sourceMappingURL=.*\n?", "", path.read_text("utf-8"))
        path.write_text(text, "utf-8")
    with ThreadPoolExecutor(len(BUILDS)) as threads:
        list(threads.map(_compress, [*made.iterdir()]))


def _compress(path: Path) -> None:
    content = path.read_bytes()
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    # The best quality takes half a minute for each build, once, and saves each visitor 0.3 MB.
    path.with_name(f"{path.name}.br").write_bytes(brotli.compress(content, quality=11, lgwin=24))
