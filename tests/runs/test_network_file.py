"""Is a network of one's own kept as it was, and is a mistake in its file told with its line?"""

import hashlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from digits.errors import DigitsError
from digits.runs import network_file, recipes, sweep, sweep_spec
from digits.runs.recipes import Recipe
from digits.runs.run import Run, create, reopen
from digits.runs.scheduler import Engine, train_all
from digits.studies import ensemble

FILE = "def build():\n    return 1\n"
NAME = f"net-build-{hashlib.sha256(FILE.encode()).hexdigest()[:6]}"  # in names of runs


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`net.py` in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.py"
    path.write_text(FILE)
    return path


def own(**fields: Any) -> Recipe:
    return recipes.named("fast", {"network": "net.py:build"} | fields)


def test_the_recipe_has_the_hash_of_the_file(file: Path) -> None:
    first = own()
    assert len(first.network_sha256) == 64
    assert own() == first
    file.write_text(FILE + "\n")
    assert own() != first
    assert recipes.named(first, {"network": "cnn"}).network_sha256 == ""


def test_the_command_line_names_the_file() -> None:
    arguments = recipes.command_line(own(network="net.py:build", seed=3))
    assert "--recipe fast --network net.py:build" in arguments


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("net.py", r"FILE.py:FUNCTION, not 'net.py'"),
        ("net:build", r"FILE.py:FUNCTION, not 'net:build'"),
        ("gone.py:build", r"There is no file gone.py with a network"),
        (".py:build", r"FILE.py:FUNCTION, not '.py:build'"),
    ],
)
def test_what_names_no_file_is_refused(network: str, reason: str) -> None:
    with pytest.raises(DigitsError, match=reason):
        recipes.named("default", {"network": network})


def test_a_run_goes_on_with_its_own_copy(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = create(own(), tmp_path / "run")
    assert run.network_file.read_text() == FILE
    assert reopen(run.folder) == run
    assert capsys.readouterr().err == ""
    file.write_text("def build():\n    return 2\n")
    assert reopen(run.folder) == run
    assert "net.py has changed since the run began" in capsys.readouterr().err
    file.unlink()
    assert reopen(run.folder) == run
    assert capsys.readouterr().err == ""


def test_a_copy_that_was_changed_is_refused(tmp_path: Path) -> None:
    run = create(own(), tmp_path / "run")
    run.network_file.write_text("def build():\n    return 2\n")
    with pytest.raises(DigitsError, match="is not the file that the run began with"):
        reopen(run.folder)
    run.network_file.unlink()
    with pytest.raises(DigitsError, match="There is no file"):
        reopen(run.folder)


def test_a_file_that_changes_before_the_run_begins_is_refused(file: Path, tmp_path: Path) -> None:
    recipe = own()
    file.write_text("def build():\n    return 2\n")
    with pytest.raises(DigitsError, match="was changed since this command began"):
        create(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_sweep_keeps_the_file_before_the_first_run_is_trained(file: Path, tmp_path: Path) -> None:
    planned = sweep.plan([own(seed=seed) for seed in (1, 2)], tmp_path / "sweep")
    assert [run.name for run in planned] == [f"fast-{NAME}-seed-1", f"fast-{NAME}-seed-2"]

    def start(run: Run) -> Any:
        file.write_text("changed\n")
        (run.folder / "history.csv").write_text("")
        return lambda: 2

    train_all(planned, Engine(lambda: 1, start))
    assert [run.network_file.read_text() for run in planned] == [FILE, FILE]


def test_a_sweep_says_that_a_file_has_changed(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for run in sweep.plan([own(), Recipe()], tmp_path / "sweep"):
        create(run.recipe, run.folder)
    file.write_text("def build():\n    return 2\n")
    (again, default) = sweep.plan([own(), Recipe()], tmp_path / "sweep")
    assert again.name.startswith("fast-net-build-")
    assert default.folder.exists()
    assert "net.py has changed since 1 of the runs" in capsys.readouterr().err


def test_an_ensemble_says_that_its_file_has_changed(file: Path, tmp_path: Path) -> None:
    begun = ensemble.begin(own(), 2, tmp_path / "several")
    assert ensemble.begin(own(), 2, tmp_path / "several") == begun
    file.write_text("def build():\n    return 2\n")
    with pytest.raises(DigitsError, match=r"net.py has changed .* by --resume"):
        ensemble.begin(own(), 2, tmp_path / "several")


def test_names_of_runs_fit_a_folder() -> None:
    recipe = replace(own(), network="../elsewhere/net.py:build")
    assert sweep_spec.name_of(recipe) == f"fast-{NAME}-seed-1"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "def build(:\n",
            r"net.py, line 1: SyntaxError: invalid syntax; the line is: def build\(:$",
        ),
        (
            "import os\n1 / 0\n",
            r"net.py, line 2: ZeroDivisionError: division by zero; the line is: 1 / 0$",
        ),
        ("import my_layers\n", r"line 1: ModuleNotFoundError: .*; a run keeps this one file"),
        ("raise SystemExit(3)\n", r"net.py, line 1: SystemExit: 3;"),
        ("import json\njson.loads('')\n", r"net.py, line 2: JSONDecodeError"),
        ("def other(): pass\n", r"net.py has no function build; it has other\."),
        ("build = 3\n", r"net.py has no function build; it has none\."),
    ],
)
def test_mistakes_in_the_file_are_told_with_their_line(source: str, reason: str) -> None:
    with pytest.raises(DigitsError, match=reason):
        network_file.load("net.py:build", source.encode())


def test_hints_of_a_dataclass_are_looked_up_in_the_file() -> None:
    source = """from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Widths:
    first: int = 8

def build(): return Widths()
"""
    assert network_file.load("net.py:build", source.encode())().first == 8


def test_a_function_is_named_by_its_file(file: Path) -> None:
    module = ModuleType("net")
    exec(compile(file.read_text(), str(file), "exec"), vars(module))
    assert network_file.named_by(module.build) == "net.py:build"
    file.write_text("def build():\n    return 2\n")
    with pytest.raises(DigitsError, match="was changed since build was imported"):
        network_file.named_by(module.build)


def test_a_function_without_a_file_is_refused() -> None:
    cell: dict[str, Any] = {}
    exec("def build():\n    return 1\n", cell)

    def inner() -> None: ...

    for function in (cell["build"], inner, lambda: None, len):
        with pytest.raises(DigitsError, match="%%writefile"):
            network_file.named_by(function)
