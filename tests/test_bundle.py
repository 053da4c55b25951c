"""A bundle is accepted only if all of it is what its manifest says."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits import bundle
from digits.cli import main
from digits.errors import DigitsError
from digits.runtime import Model, check

SHEET = Path(__file__).parent.parent / "docs/figures/sheet.jpg"
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


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": {"is_digit": float("nan")}},
        {"thresholds": {"is_digit": float("inf")}},
        {"thresholds": {"is_digit": -0.1}},
        {"thresholds": {"is_digit": 0.5, "other": float("nan")}},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"temperature": 0},
        {"temperature": "warm"},
    ],
)
def test_figures_that_cannot_be_meant_are_neither_read_nor_written(
    folder: Path, changes: dict[str, Any]
) -> None:
    change(folder, **changes)
    with pytest.raises(DigitsError, match=r"manifest\.json is damaged"):
        bundle.read(folder)
    with pytest.raises((DigitsError, ValueError)):
        bundle.write(folder.parent / "new", {bundle.MODEL: b"model"}, MANIFEST | changes)
    assert not (folder.parent / "new").exists()


@pytest.mark.parametrize("name", ["info", "read", "evaluate", "serve", "site", "export"])
def test_a_model_that_does_not_run_is_refused_by_name(
    folder: Path, name: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """All hashes fit."""
    pictures = tmp_path / "pictures"
    (pictures / "7").mkdir(parents=True)
    shutil.copy(SHEET, pictures / "7")
    more: dict[str, list[str]] = {
        "info": ["--model", str(folder)],
        "read": ["--model", str(folder), str(SHEET)],
        "evaluate": [str(folder), "--images", str(pictures)],
        "serve": ["--model", str(folder), "--no-browser", "--workers", "2"],
        "site": ["--model", str(folder), str(tmp_path / "site")],
        "export": ["--model", str(folder), "--out", str(tmp_path / "onnx")],
    }
    assert main([name, *more[name]]) == 2
    said = capfd.readouterr().err
    assert f"{folder / bundle.MODEL} does not run" in said
    assert "Traceback" not in said


def test_a_model_with_other_outputs_is_refused() -> None:
    class Other(Model):
        def run(self, signature: str, image: Any) -> Any:
            return super().run(signature, image) | {"is_digit": np.array([np.nan], np.float32)}

    with pytest.raises(DigitsError, match=r"Mine does not run.*signature canvas"):
        check(Other(bundle.read().model, "Mine"))


def test_the_old_bundle_is_there_until_the_new_one_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bool] = []
    write_bytes = Path.write_bytes

    def watched(self: Path, content: bytes) -> int:
        written.append(bundle.read(folder).model == b"model")
        return write_bytes(self, content)

    monkeypatch.setattr(Path, "write_bytes", watched)
    bundle.write(folder, {bundle.MODEL: b"newer"}, MANIFEST)
    assert written == [True, True]
    rename = Path.rename

    def broken(self: Path, target: Path) -> Path:
        if target == folder and self.name.endswith(".part") and not (self / "golden.npz").exists():
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.undo()
    bundle.write(folder, {bundle.MODEL: b"third", "golden.npz": b"golden"}, MANIFEST)
    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(OSError, match="Input/output"):
        bundle.write(folder, {bundle.MODEL: b"fourth"}, MANIFEST)
    assert bundle.read(folder).model == b"third"
    assert os.listdir(folder.parent) == ["b"]


def test_another_folder_is_there_for_a_moment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, other = Path.rename, folder.with_name("other")
    met: list[Path] = []

    def rename_as_another_does(self: Path, target: Path) -> Path:
        if target != folder or met:
            return rename(self, target)
        met.append(target)
        rename(other, folder)
        try:
            return rename(self, target)
        finally:
            rename(folder, other)

    bundle.write(other, {bundle.MODEL: b"other"}, MANIFEST)
    monkeypatch.setattr(Path, "rename", rename_as_another_does)
    bundle.write(folder, {bundle.MODEL: b"new"}, MANIFEST)
    assert met
    assert bundle.read(folder).model == b"new"
    assert sorted(os.listdir(folder.parent)) == ["b", "other"]


def test_two_writers_do_not_collide(folder: Path) -> None:
    def write(number: int) -> None:
        content = str(number).encode()
        files = {bundle.MODEL: content} | {f"{i}.bin": content for i in range(5)}
        bundle.write(folder, files, MANIFEST)

    with ThreadPoolExecutor(8) as writers:
        [*writers.map(write, range(40))]
    found = bundle.read(folder, every_file=True)
    assert {found.file(f"{i}.bin") for i in range(5)} == {found.model}
    assert os.listdir(folder.parent) == ["b"]
