"""A bundle is accepted only if all of it is what its manifest says."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from digits import bundle
from digits.errors import DigitsError

MANIFEST = {"thresholds": {"is_digit": 0.5}, "metrics": {}, "recipe": {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bundle.write(tmp_path / "b", {bundle.MODEL: b"model", "golden.npz": b"golden"}, MANIFEST)
    return tmp_path / "b"


def change(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_was_written_is_read(folder: Path) -> None:
    found = bundle.read(folder, every_file=True)
    assert (found.model, found.threshold, found.folder) == (b"model", 0.5, folder)
    assert set(found.manifest["files"]) == {bundle.MODEL, "golden.npz"}


@pytest.mark.parametrize("name", [bundle.MODEL, "golden.npz"])
def test_a_flipped_bit_is_refused_by_name(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(DigitsError, match=f"{name}.*SHA-256 differs"):
        bundle.read(folder, every_file=True)


@pytest.mark.parametrize("name", [bundle.MODEL, "golden.npz"])
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DigitsError, match=name):
        bundle.read(folder, every_file=True)


def test_a_newer_format_is_refused(folder: Path) -> None:
    change(folder, format=bundle.FORMAT + 1)
    with pytest.raises(DigitsError, match=r"format 2.*update"):
        bundle.read(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", "."])
def test_a_path_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    files = json.loads((folder / "manifest.json").read_text())["files"]
    (folder.parent / "secret").write_bytes(b"")
    change(folder, files=files | {name: "0"})
    with pytest.raises(DigitsError, match="outside"):
        bundle.read(folder)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": "1"}',
        '{"format": 1}',
        "\x00" * 99,
        '{"format": 1, "files": 3}',
    ],
)
def test_a_damaged_manifest_is_refused(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content)
    with pytest.raises(DigitsError, match=r"manifest\.json"):
        bundle.read(folder)


@pytest.mark.parametrize("where", ["nowhere", "b/digits.tflite"])
def test_a_folder_without_a_bundle_is_refused(folder: Path, where: str) -> None:
    with pytest.raises(DigitsError, match="no bundle"):
        bundle.read(folder.parent / where)


def test_a_run_may_be_named_in_place_of_its_bundle(folder: Path) -> None:
    run = folder.parent / "run"
    run.mkdir()
    folder.rename(run / "bundle")
    assert bundle.read(run) == bundle.read(run / "bundle")


def test_a_new_bundle_replaces_an_old_one(folder: Path) -> None:
    bundle.write(folder, {bundle.MODEL: b"newer"}, MANIFEST)
    assert bundle.read(folder).model == b"newer"
    assert sorted(os.listdir(folder)) == [bundle.MODEL, "manifest.json"]
    assert os.listdir(folder.parent) == ["b"]


def test_nothing_else_is_ever_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(DigitsError, match="not a bundle"):
        bundle.write(tmp_path, {bundle.MODEL: b"model"}, MANIFEST)
    assert (tmp_path / "thesis.txt").read_text() == "all of it"
