"""The site is complete, the same at every build, and safe to write."""

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import brotli  # type: ignore[import-untyped] # it has no types
import pytest
from PIL import Image

from digits import bundle, npm
from digits.cli import main
from digits.errors import DigitsError
from digits.serving import browser_runtime, site

PLAIN = bundle.read()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A site without the runtime."""
    folder = tmp_path / "site"
    site.build(folder, PLAIN, runtime=False)
    return folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def kept(folder: Path) -> dict[str, str]:
    """The files that the service worker keeps: path -> integrity."""
    text = (folder / "sw.js").read_text()
    lists = re.findall(r"^const (FILES|BUILDS) = (\{.*?\});", text, re.DOTALL | re.MULTILINE)
    files, builds = (json.loads(found) for _, found in lists)
    for build in builds.values():
        files |= build
    return files


# Files.


def test_every_link_leads_to_a_file_and_none_to_another_host(site_folder: Path) -> None:
    files = names(site_folder)
    index = (site_folder / "index.html").read_text()
    links = re.findall(r'(?:href|src)="([^"]+)"', index)
    assert len(links) > 10
    assert {*links} <= files
    app = json.loads((site_folder / "manifest.webmanifest").read_text())
    assert {icon["src"] for icon in app["icons"]} <= files
    for folder in ("model", "runtime", "page"):
        name = re.search(rf'data-{folder}="([^"]+)"', index)
        assert name
        assert (site_folder / name[1]).is_dir()
    for path in (site_folder / re.search(r'data-page="([^"]+)"', index)[1]).rglob("*.js"):  # type: ignore[index] # it matched
        for imported in re.findall(r'^import .* from "(.*)";', path.read_text(), re.MULTILINE):
            assert (path.parent / imported).is_file()
    ours = [path for path in files if not path.startswith("runtime") and path.endswith("js")]
    assert not [path for path in ours if "://" in (site_folder / path).read_text()]


def test_every_file_but_those_that_browsers_ask_for_is_under_a_hash(site_folder: Path) -> None:
    every = [name for name in names(site_folder) if "/" not in name]
    plain = {name.removesuffix(".gz").removesuffix(".br") for name in every}
    assert plain == {*site.NAMED}
    for name in names(site_folder):
        if "/" in name:
            assert re.fullmatch(r"(page|model|runtime)-[0-9a-f]{16}/[\w./-]+", name)


def test_the_worker_keeps_every_file_as_it_is(site_folder: Path) -> None:
    files = kept(site_folder)
    left_out = {name for name in names(site_folder) if name.endswith((".gz", ".br", ".png"))}
    assert {*files} == names(site_folder) - left_out - {"sw.js", "index.html"} | {"./"}
    for name, integrity in files.items():
        content = (site_folder / ("index.html" if name == "./" else name)).read_bytes()
        assert integrity == "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_large_files_have_compressed_copies_with_the_same_content(
    site_folder: Path,
) -> None:
    for name in names(site_folder):
        path = site_folder / name
        if name.endswith(".gz"):
            assert gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()
        elif name.endswith(".br"):
            assert brotli.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()
        elif path.stat().st_size > 2000 and not name.endswith((".br", ".png")):
            assert path.with_name(f"{path.name}.gz").exists()
            if not name.startswith("runtime") or name.endswith(".wasm"):
                assert path.with_name(f"{path.name}.br").exists()


def test_comments_and_indentation_stay_at_home(site_folder: Path) -> None:
    (page,) = site_folder.glob("page-*")
    for path in site.WEB.rglob("*.js"):
        if path.name in site.NAMED:
            continue
        shipped = (page / path.relative_to(site.WEB)).read_text("utf-8").splitlines()
        source = path.read_text("utf-8")
        lines = [line.strip() for line in source.splitlines()]
        assert shipped == [line for line in lines if line and not line.startswith(SIGNS)]
        assert all(line.count("`") % 2 == 0 for line in shipped)  # no text goes over lines


SIGNS = ("//", "/*", "*")  # of comments


def test_is_small(site_folder: Path) -> None:
    page = [name for name in kept(site_folder) if not name.startswith(("runtime", "model"))]
    sizes = [
        (site_folder / f"{'index.html' if name == './' else name}.br").stat().st_size
        for name in [*page, "sw.js"]
    ]
    assert sum(sizes) < 45_000
    wasm = [path for path in names(site_folder) if path.endswith(".wasm.br")]
    assert len(wasm) == len(browser_runtime.BUILDS)
    assert all((site_folder / path).stat().st_size < 2_000_000 for path in wasm)
    (model,) = [path for path in names(site_folder) if path.endswith("digits.bin.br")]
    assert (site_folder / model).stat().st_size < 750_000


def test_builds_are_reproducible_and_only_changed_folders_are_renamed(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = {"core.js": b"core", "core.js.gz": b"zipped"}
    builds = browser_runtime.BUILDS
    runtime |= {f"{build}{end}": b"" for build in builds for end in (".js", ".wasm")}
    first = site.contents(PLAIN, runtime)
    assert first == site.contents(PLAIN, runtime)
    assert first["index.html.gz"] == site.contents(PLAIN, runtime)["index.html.gz"]

    def hashed(files: site.Files) -> set[str]:
        return {name.partition("/")[0] for name in files if "/" in name}

    model = PLAIN.model.replace(b"CONVERSION_METADATA", b"another\0METADATA\0\0\0")
    other = site.contents(replace(PLAIN, model=model), runtime)
    changed = hashed(other) ^ hashed(first)
    assert {name.partition("-")[0] for name in changed} == {"model"}
    assert other["sw.js"] != first["sw.js"]
    web = tmp_path / "web"
    shutil.copytree(site.WEB, web)
    with (web / "style" / "base.css").open("a") as file:
        file.write("p { color: red; }\n")
    monkeypatch.setattr(site, "WEB", web)
    changed = hashed(site.contents(PLAIN, runtime)) ^ hashed(first)
    assert {name.partition("-")[0] for name in changed} == {"page"}


def test_no_inline_script_or_style(bare: Path) -> None:
    index = (bare / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", index)
    assert "{{" not in index


def test_icons_have_the_sizes_in_the_manifest(bare: Path) -> None:
    app = json.loads((bare / "manifest.webmanifest").read_text())
    for icon in app["icons"]:
        if icon["src"].endswith(".png"):
            picture = Image.open(io.BytesIO((bare / icon["src"]).read_bytes()))
            assert f"{picture.width}x{picture.height}" == icon["sizes"]
            corner = picture.convert("RGBA").getpixel((0, 0))
            assert isinstance(corner, tuple)
            assert (corner[3] == 255) == ("maskable" in icon["src"])


# Text.


def test_all_text_is_in_words_js_and_all_of_it_is_used() -> None:
    words = re.search(r"WORDS = (\{.*?\n\});", (site.WEB / "page/words.js").read_text(), re.DOTALL)
    assert words
    names = {*json.loads(words[1])}
    pages = [(site.WEB / name).read_text() for name in ("index.html", "manifest.webmanifest")]
    used = {name for text in pages for name in re.findall(r"\{\{(\w+)\}\}", text)}
    used -= {"page", "model", "models", "runtime", "preloads", "size"}
    used |= {*re.findall(r'data-(?:say|label)="(\w+)"', pages[0])}
    code = "".join(path.read_text() for path in site.WEB.rglob("*.js") if path.stem != "words")
    assert used <= names
    for name in names - used:
        assert re.search(rf'["\s]{name}(":|"|:)', code), name
    for called in re.findall(r'say\(\s*"(\w+)"', code):
        assert called in names
    text = re.sub(r"<[^>]*>|\{\{\w+\}\}", "", pages[0])
    assert text.strip() == ""  # no other text between the tags


# The folder.


def test_replaces_an_earlier_site(bare: Path) -> None:
    (bare / "left over.js").write_text("")
    site.build(bare, PLAIN, runtime=False)
    assert not (bare / "left over.js").exists()
    assert [path.name for path in bare.parent.iterdir()] == ["site"]


def test_earlier_versions_stay_until_told_otherwise(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor who has the page of yesterday open still gets the rest of it."""
    before = {name for name in names(bare) if "/" in name}
    changed = replace(PLAIN, manifest=PLAIN.manifest | {"name": "another"})
    order: list[str] = []
    put = os.replace

    def watched(source: Path, target: Path) -> None:
        order.append(Path(target).name)
        put(source, target)

    monkeypatch.setattr(os, "replace", watched)
    kept = site.build(bare, changed, runtime=False)
    assert order[-1].startswith("index.html")
    assert [name.partition("-")[0] for name in kept] == ["model"]
    assert before <= {*names(bare)}
    assert f"model-{kept[0][6:]}" not in (bare / "index.html").read_text()
    assert site.build(bare, changed, runtime=False, drop_earlier=True) == []
    fresh = bare.with_name("fresh")
    site.build(fresh, changed, runtime=False)
    assert names(bare) == names(fresh)


def test_two_builds_at_once_leave_a_whole_site(bare: Path) -> None:
    others = [replace(PLAIN, manifest=PLAIN.manifest | {"name": str(i)}) for i in range(4)]
    with ThreadPoolExecutor(4) as builders:
        [*builders.map(lambda one: site.build(bare, one, runtime=False), others)]
    text = (bare / "index.html").read_text()
    for name in re.findall(r"(?:page|model)-[0-9a-f]{16}", text):
        assert (bare / name).is_dir()
    assert not list(bare.rglob("*.part"))


def test_refuses_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(DigitsError, match="holds something other than a site; choose another"):
        site.build(tmp_path, PLAIN, runtime=False)
    with pytest.raises(DigitsError, match="is a file; name a folder"):
        site.build(tmp_path / "thesis.txt", PLAIN, runtime=False)
    with pytest.raises(DigitsError, match="cannot be written"):
        site.build(tmp_path / "thesis.txt" / "site", PLAIN, runtime=False)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_earlier_site_stays_whole_if_the_next_cannot_be_written(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: (bare / name).read_bytes() for name in names(bare)}

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    changed = replace(PLAIN, manifest=PLAIN.manifest | {"name": "another"})
    with pytest.raises(DigitsError, match="No space left"):
        site.build(bare, changed, runtime=False)
    monkeypatch.undo()
    assert {name: (bare / name).read_bytes() for name in names(bare)} == before
    assert [path.name for path in bare.parent.iterdir()] == ["site"]


# The runtime for browsers.


def test_without_npm_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "cache"))
    assert main(["site", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "npm, which fetches the runtime for browsers, is not installed" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("script", "seconds", "message"),
    [
        ("echo 'npm error code ENOTFOUND' >&2; exit 1", 60, r"browsers \(code ENOTFOUND\); check"),
        ("exec sleep 600", 0.3, r"cannot fetch the runtime for browsers within 0\.3 s; check the"),
    ],
)
def test_npm_that_fails_or_hangs_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, seconds: float, message: str
) -> None:
    (tmp_path / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(npm, "SECONDS", seconds)
    with pytest.raises(DigitsError, match=message):
        browser_runtime.files(tmp_path / "cache")
    assert [*(tmp_path / "cache").iterdir()] == []


def test_the_lock_pins_by_content_and_names_no_registry() -> None:
    text = (site.WEB / "package-lock.json").read_text()
    packages = {name: one for name, one in json.loads(text)["packages"].items() if name}
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert "://" not in text
    wanted = json.loads((site.WEB / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version  # exactly


def test_the_command_says_where_the_site_is(
    site_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["site", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"The site is in {tmp_path / 'out'}: ")
    assert names(tmp_path / "out") == names(site_folder)


def test_a_cache_that_cannot_be_written_gets_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "npm").write_text("#!/bin/sh\n")
    (tmp_path / "npm").chmod(0o755)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "file" / "cache"))
    assert main(["site", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert re.search(r"cannot be kept in .* \(Not a directory\); set DIGITS_CACHE", said)
    assert "Traceback" not in said
