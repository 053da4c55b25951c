"""web/ + a bundle -> a folder of files for any file host: the page, installable and offline.

    index.html, sw.js, manifest.webmanifest   what browsers ask for by name
    page-<hash>/      modules, style and icons
    model-<hash>/     the bundle's manifest.json, and digits.bin, which browser_model.py makes of
                      it; lines.bin, made of the model that ships, if the bundle reads no lines
    runtime-<hash>/   LiteRT.js

A folder with a hash in its name never changes. All links are relative. Beside each file that
compresses well lie NAME.gz and NAME.br, for servers that can send them.
"""

import base64
import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped] # it has no types

from digits import bundle as bundles
from digits.bundle import LINE_WIDTHS, Bundle
from digits.errors import DigitsError, explained
from digits.files import PARTIAL, replacing, write_folder
from digits.serving import browser_model, browser_runtime

WEB = browser_runtime.WEB
NAMED = ("index.html", "sw.js", "manifest.webmanifest")  # everything else is under a hash
HASHED = re.compile(r"(page|model|runtime)-[0-9a-f]{16}")
WORKER = "reading/worker.js"  # not a module
OF_PAGE = {".js", ".png", ".svg"}
STYLES = ("base", "answers", "layout")  # one file, in this order: each costs a request
COMPRESSED = {".html", ".js", ".css", ".json", ".webmanifest", ".svg", ".wasm", ".bin"}

SMALL = 100_000  # bytes
COMMENT = re.compile(r"^[ \t]*(?://.*\n|/\*(?:(?!\*/)[\s\S])*\*/\n|\n|(?=\S))", re.MULTILINE)

Files = dict[str, bytes]  # by path, relative to the site


def build(out: Path, bundle: Bundle, runtime: bool = True, drop_earlier: bool = False) -> list[str]:
    """Writes the site. Of an earlier one, folders with a hash stay, since visitors may have it
    open, unless `drop_earlier`; nothing else does.

    At any time, `index.html` finds all that it names. Without `runtime`, which runs the model in
    browsers, the page asks a server. Returns the names of the folders that stay. Raises DigitsError
    if npm is missing or fails, or `out` holds something else or cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise DigitsError(f"{out} is a file; name a folder for the site.")
    if out.is_dir() and any(out.iterdir()) and not all((out / name).exists() for name in NAMED):
        raise DigitsError(f"{out} holds something other than a site; choose another folder.")
    files = contents(bundle, browser_runtime.files() if runtime else {})
    with explained(f"{out} cannot be written", "choose another folder"):
        if not out.exists():
            out.parent.mkdir(parents=True, exist_ok=True)
            write_folder(out, files)
            return []
        _add(out, files)
        return _remove_others(out, files, drop_earlier)


def _add(out: Path, files: Files) -> None:
    """Writes the files of a site into the folder of an earlier one, `index.html` last."""
    by_folder: dict[str, Files] = {}
    for name, content in files.items():
        folder, _, rest = name.partition("/")
        if rest:
            by_folder.setdefault(folder, {})[rest] = content
    for folder, own in by_folder.items():
        there = {path.relative_to(out / folder).as_posix() for path in _files(out / folder)}
        if there != set(own):  # or it is the same, as its name says
            write_folder(out / folder, own)
    for name in sorted((name for name in files if "/" not in name), key=_order):
        with replacing(out / name) as file:
            file.write(files[name])


def _remove_others(out: Path, files: Files, drop_earlier: bool) -> list[str]:
    """Removes what is not of the site; returns the names of what stays all the same."""
    ours, kept = {name.partition("/")[0] for name in files}, []
    for path in out.iterdir():
        if path.name in ours or path.name.endswith(PARTIAL):  # of another writer
            continue
        if not drop_earlier and path.is_dir() and HASHED.fullmatch(path.name):
            kept.append(path.name)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return sorted(kept)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _order(name: str) -> bool:
    return name.startswith("index.html")


def contents(bundle: Bundle, runtime: Mapping[str, bytes]) -> Files:
    """All files of a site, compressed copies included; the same input gives the same bytes.

    `runtime` is from `browser_runtime.files`, or empty.
    """
    page = {
        path.relative_to(WEB).as_posix(): _bare(path)
        for path in sorted(WEB.rglob("*"))
        if path.suffix in OF_PAGE and path.name not in NAMED
    }
    page["style.css"] = b"".join(_bare(WEB / "style" / f"{name}.css") for name in STYLES)
    model = {"digits.bin": browser_model.packed(bundle.model)}
    if not LINE_WIDTHS.keys() <= bundle.manifest["contract"].keys():
        model["lines.bin"] = browser_model.packed(bundles.read().model)
    models = " ".join(model)
    large = sum(map(len, model.values()))
    model["manifest.json"] = json.dumps(bundle.manifest, ensure_ascii=False).encode()
    parts = {"page": page, "model": model, "runtime": runtime}
    folders = {part: f"{part}-{_digest(files)}/" if files else "" for part, files in parts.items()}
    asked = (WEB / "index.html").read_text("utf-8")
    scripts = [name for name in page if name.endswith(".js") and name != WORKER]
    scripts = [name for name in scripts if f'"{{{{page}}}}{name}"' not in asked]
    links = [f'<link rel="modulepreload" href="{folders["page"]}{name}">' for name in scripts]
    words = (WEB / "page" / "words.js").read_text("utf-8").partition("WORDS = ")[2]
    english = {
        name: of if isinstance(of, str) else of[0]
        for name, of in json.JSONDecoder().raw_decode(words)[0].items()
    }
    wasm = len(runtime.get(f"{browser_runtime.BUILDS[0]}.wasm", b""))
    values = english | folders | {"models": models}
    values["size"] = str(large + wasm)  # of what loads long
    values["preloads"] = "\n".join(links)
    files: Files = {}
    for name in ("index.html", "manifest.webmanifest"):
        text = re.sub(r"^ +", "", (WEB / name).read_text("utf-8"), flags=re.MULTILINE)
        files[name] = re.sub(r"\{\{(\w+)\}\}", lambda mark: values[mark[1]], text).encode()
    for part, under in folders.items():
        files |= {under + name: content for name, content in parts[part].items()}
    files["sw.js"] = _service_worker(files, folders["runtime"]).encode()
    copies: Files = {}
    for name, content in files.items():
        if Path(name).suffix in COMPRESSED and f"{name}.gz" not in files:
            copies[f"{name}.gz"] = gzip.compress(content, 9, mtime=0)
            # The best quality takes seconds for the model, and gains a hundredth.
            quality = 11 if len(content) < SMALL else 9
            copies[f"{name}.br"] = brotli.compress(content, quality=quality, lgwin=24)
    return files | copies


def _bare(path: Path) -> bytes:
    """A file of the page; a script or a style sheet without its comments, which are a third of it,
    and its indentation. Comments have lines of their own, and no text goes over lines."""
    if path.suffix not in (".js", ".css"):
        return path.read_bytes()
    return COMMENT.sub("", path.read_text("utf-8")).encode()


def _service_worker(files: Files, runtime: str) -> str:
    """sw.js with the list of the files that it keeps, and a stamp that changes with the list."""
    integrity = {
        name: "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()
        for name, content in files.items()
        if not name.endswith((".gz", ".br", ".png"))  # systems keep the icons of installed pages
    }
    integrity["./"] = integrity.pop("index.html")
    builds = {
        build: {
            path: integrity.pop(path) for path in (f"{runtime}{build}.js", f"{runtime}{build}.wasm")
        }
        for build in browser_runtime.BUILDS
        if runtime
    }
    text = _bare(WEB / "sw.js").decode()
    stamp = _digest({"": text.encode(), "files": json.dumps([integrity, builds]).encode()})
    values: dict[str, Any] = {"stamp": stamp, "files": integrity, "builds": builds}
    return re.sub(r'"\{\{(\w+)\}\}"', lambda mark: json.dumps(values[mark[1]]), text)


def _digest(files: Mapping[str, bytes]) -> str:
    """16 hexadecimal digits that change with any name or content."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]
