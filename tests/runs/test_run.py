"""Is the folder of a run made without overwriting anything, and found again?"""

import json
import os
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from digits.errors import DigitsError
from digits.runs import run as runs
from digits.runs.recipes import RECIPES, Recipe

RECIPE = RECIPES["fast"]


def test_a_fresh_folder_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = runs.create(RECIPE).folder, runs.create(RECIPE).folder
    assert first != second
    assert first.parent == second.parent == Path("runs")
    assert first.name.startswith("fast-")


def test_a_run_is_reopened_with_its_recipe(tmp_path: Path) -> None:
    recipe = Recipe(name="mine", epochs=3, learning_rate=0.004, precision="float32", seed=9)
    created = runs.create(recipe, tmp_path / "new" / "run")
    assert created == runs.Run(tmp_path / "new" / "run", recipe)
    assert repr(created).endswith("run', recipe mine, not finished)")
    assert runs.reopen(created.folder) == runs.find(created.folder) == created


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DigitsError, match="already holds files"):
        runs.create(RECIPE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DigitsError, match=r"cannot be written \((File exists|Not a directory)\)"):
        runs.create(RECIPE, tmp_path / "file")
    with pytest.raises(DigitsError, match="cannot be written"):
        runs.create(RECIPE, tmp_path / "file" / "run")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DigitsError, match="cannot be written"):
        runs.create(RECIPE, tmp_path / "run")


def test_a_read_only_file_system(tmp_path: Path) -> None:
    """Not even root can make a folder in /proc."""
    with pytest.raises(DigitsError, match="cannot be written"):
        runs.create(RECIPE, Path("/proc/run"))


def test_a_nearly_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100 << 20, 97 << 20, 3 << 20))
    with pytest.raises(DigitsError, match=r"has 3 MB left and a run needs 64 MB"):
        runs.create(RECIPE, tmp_path / "run")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted in this sandbox")
    try:
        with pytest.raises(DigitsError, match=r"has \d MB left"):
            runs.create(RECIPE, tmp_path / "run")
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_no_run_there(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match="no run in"):
        runs.reopen(tmp_path)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"recipe": {"speed": 1}}', '{"recipe": {"epochs": "many"}}', "\xff\xfe"],
)
def test_a_damaged_run(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(DigitsError, match="is damaged"):
        runs.reopen(tmp_path)


def test_half_written_files_of_a_killed_run_are_cleared(tmp_path: Path) -> None:
    folder = runs.create(RECIPE, tmp_path / "run").folder
    (folder / "state.npz-1a2b.part").write_bytes(b"half")
    runs.reopen(folder)
    assert [path.name for path in folder.iterdir()] == ["run.json"]


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    runs.write_json(tmp_path / "a.json", {"é": 1.5})
    before = (tmp_path / "a.json").read_text()
    assert json.loads(before) == {"é": 1.5}
    with pytest.raises(TypeError):
        runs.write_json(tmp_path / "a.json", {"bad": object()})
    assert (tmp_path / "a.json").read_text() == before
    assert len(list(tmp_path.iterdir())) == 1
