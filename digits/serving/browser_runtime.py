"""LiteRT.js, the runtime that runs the model in browsers: fetched by npm once, then cached.

web/package-lock.json pins it by content.
"""

import gzip
import re
import shutil
from pathlib import Path

from digits import npm
from digits.errors import DigitsError

WEB = Path(__file__).parent / "web"
WHAT = "runtime for browsers"
BUILDS = ("litert_wasm_internal", "litert_wasm_compat_internal")  # the second: no relaxed SIMD
CORE, HELPER = "@litertjs/core", "@litertjs/wasm-utils"
IMPORTED = '"@litertjs/wasm-utils"'  # how core.js imports its helper; browsers cannot find that

# Node has Brotli, Python does not. Quality 11 takes seven times as long as 9 and saves an eighth.
BROTLI = """
const { readFileSync, writeFileSync } = require("fs");
const { brotliCompressSync, constants } = require("zlib");
for (const name of process.argv.slice(1)) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
  writeFileSync(name + ".br", brotliCompressSync(readFileSync(name), { params }));
}
"""


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
    """Copies the files that browsers load, with a .gz beside each, and a .br beside the largest."""
    core = (packages / CORE / "dist/index.js").read_text("utf-8")
    if core.count(IMPORTED) != 1:
        raise DigitsError("This version of LiteRT.js is not supported; restore package-lock.json.")
    (made / "core.js").write_text(core.replace(IMPORTED, '"./helper.js"'), "utf-8")
    shutil.copy(packages / HELPER / "dist/index.js", made / "helper.js")
    for build in BUILDS:
        for suffix in (".js", ".wasm"):
            shutil.copy(packages / CORE / "wasm" / f"{build}{suffix}", made)
    for path in sorted(made.iterdir()):
        if path.suffix == ".js":  # source maps are not shipped, so browsers must not ask for them
            text = re.sub(r"//# sourceMappingURL=.*\n?", "", path.read_text("utf-8"))
            path.write_text(text, "utf-8")
        compressed = gzip.compress(path.read_bytes(), 9, mtime=0)
        path.with_name(f"{path.name}.gz").write_bytes(compressed)
    wasm = [str(made / f"{build}.wasm") for build in BUILDS]
    npm.run(["node", "-e", BROTLI, *wasm], made, "The runtime for browsers cannot be compressed")
