"""LiteRT.js, the runtime that runs the model in browsers: fetched by npm once, then cached.

web/package-lock.json pins it by content.
"""

import gzip
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from digits.errors import DigitsError
from digits.files import PARTIAL, cache_folder
from digits.terminal import note

WEB = Path(__file__).parent / "web"
BUILDS = ("litert_wasm_internal", "litert_wasm_compat_internal")  # the second: no relaxed SIMD
CORE, HELPER = "node_modules/@litertjs/core", "node_modules/@litertjs/wasm-utils"
IMPORTED = '"@litertjs/wasm-utils"'  # how core.js imports its helper; browsers cannot find that
NPM_SECONDS = 300

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
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    folder = (cache or cache_folder()) / f"runtime-{lock[:16]}"
    if not folder.is_dir():
        _fetch(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _fetch(folder: Path) -> None:
    """Makes the folder of the runtime, whole or not at all."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise DigitsError(
            "npm, which fetches the runtime for browsers, is not installed; install Node.js, which "
            "includes it, from nodejs.org or from your system's packages."
        )
    note("Fetching the runtime for browsers with npm, once.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, suffix=PARTIAL) as temporary:
        project = Path(temporary)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(WEB / name, project / name)
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        _run([npm, "ci", *flags], project, "npm cannot fetch the runtime for browsers")
        made = project / "runtime"
        made.mkdir()
        _collect(project, made)
        wasm = [str(made / f"{build}.wasm") for build in BUILDS]
        _run([node, "-e", BROTLI, *wasm], project, "The runtime for browsers cannot be compressed")
        if not folder.exists():  # another process may have been faster
            made.rename(folder)


def _collect(project: Path, made: Path) -> None:
    """Copies the files that browsers load out of node_modules, with a .gz beside each."""
    core = (project / CORE / "dist/index.js").read_text("utf-8")
    if core.count(IMPORTED) != 1:
        raise DigitsError("This version of LiteRT.js is not supported; restore package-lock.json.")
    (made / "core.js").write_text(core.replace(IMPORTED, '"./helper.js"'), "utf-8")
    shutil.copy(project / HELPER / "dist/index.js", made / "helper.js")
    for build in BUILDS:
        for suffix in (".js", ".wasm"):
            shutil.copy(project / CORE / "wasm" / f"{build}{suffix}", made)
    for path in sorted(made.iterdir()):
        if path.suffix == ".js":  # source maps are not shipped, so browsers must not ask for them
            text = re.sub(r"//# sourceMappingURL=.*\n?", "", path.read_text("utf-8"))
            path.write_text(text, "utf-8")
        compressed = gzip.compress(path.read_bytes(), 9, mtime=0)
        path.with_name(f"{path.name}.gz").write_bytes(compressed)


def _run(arguments: list[str], folder: Path, failed: str) -> None:
    try:
        done = subprocess.run(
            arguments, cwd=folder, capture_output=True, text=True, timeout=NPM_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise DigitsError(f"{failed} within {NPM_SECONDS} s; check the network.") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = lines[0].removeprefix("npm error ") if lines else f"status {done.returncode}"
        raise DigitsError(f"{failed} ({reason:.120}); check the network, and try again.")
