"""Do the commands and examples in README.md and docs/ work as they stand there?"""

import argparse
import itertools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from digits.cli import COMMANDS, main
from digits.runs import recipes

ROOT = Path(__file__).parent.parent
PAGES = [
    path
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    if path.name != "log.md"
]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# What runs each command as the pages do, apart from those that print what the page shows.
RUN_BY = {
    "python mnist_model.py": "test_main_job.py",
    "digits read": "commands/test_read.py",
    "digits info": "commands/test_info.py",
    "digits evaluate": "studies/test_measure.py",
    "digits evaluate --suspects": "studies/test_suspects.py",
    "digits serve": "serving/test_limits.py",
    "digits site": "serving/test_site.py",
    "digits train --ensemble": "studies/test_ensemble.py",
    "digits train --network": "training/test_own_networks.py",
    "digits train --workers": "runs/test_workers.py",
    "digits models": "commands/test_models_command.py",
    "digits sweep": "runs/test_sweep.py",
    "digits compare": "studies/test_comparison.py",
    "digits export": "training/test_onnx_files.py",
    "digits teach": "studies/test_teaching.py",
    "digits label": "studies/test_teaching.py",
    "digits show": "studies/test_gallery.py",
}


def blocks(language: str) -> Iterator[tuple[str, str, str]]:
    """The fenced blocks in a language: the page's name, the text, and what comes after it."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block[2] == language:
                lines = [line.removeprefix(block[1]) for line in block[3].splitlines()]
                yield page.name, "\n".join(lines), text[block.end() :]


def commands() -> list[tuple[str, str]]:
    """Every command in the pages with the name of its page; a line may hold several."""
    return [
        (page, command.strip())
        for page, text, _ in blocks("bash")
        for line in text.splitlines()
        for command in re.split(r"&&|\|", re.sub(r"\s+#.*", "", line))
        if command.strip()
    ]


def of(program: str) -> list[Any]:
    return [pytest.param(c, id=f"{page}: {c}") for page, c in commands() if c.startswith(program)]


class Parsed(Exception):  # noqa: N818 - no error
    """Ends a command once its arguments are parsed."""


@pytest.fixture
def only_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_args

    def parse_and_end(self: argparse.ArgumentParser, *arguments: Any) -> NoReturn:
        raise Parsed(parse(self, *arguments))

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_end)


@pytest.mark.usefixtures("only_parsing")
@pytest.mark.parametrize("command", [*of("digits "), *of("python mnist_model.py")])
def test_commands_are_what_the_parsers_take(command: str) -> None:
    words = shlex.split(command.partition("<")[0])
    arguments = words[1:] if words[0] == "digits" else ["train", *words[2:]]
    if "--help" in arguments:
        with pytest.raises(SystemExit, match=r"^0$"):
            main(arguments)
        return
    with pytest.raises(Parsed) as parsed:
        main(arguments)
    (found,) = parsed.value.args
    if hasattr(found, "recipe"):
        recipes.from_flags(found)  # names a recipe that there is, and values in their ranges


@pytest.mark.parametrize("command", of("digits "))
def test_a_test_runs_every_command_of_the_pages(command: str) -> None:
    name, *rest = command.split()[1:]
    flags = ("--suspects", "--ensemble", "--network", "--workers")
    flag = next((flag for flag in flags if flag in rest), "")
    file = RUN_BY[f"digits {name} {flag if name in ('evaluate', 'train') else ''}".strip()]
    text = (ROOT / "tests" / file).read_text()
    assert (flag and flag in text) or name in text


def test_every_command_has_an_example() -> None:
    shown = {command.split()[1] for _, command in commands() if command.startswith("digits ")}
    assert set(COMMANDS) <= shown


SHOWN = {
    text: re.match(r"\n\n```text\n(.*?)^```", after, re.MULTILINE | re.DOTALL)
    for _, text, after in blocks("bash")
}


@pytest.mark.parametrize("command", [text for text, output in SHOWN.items() if output])
def test_commands_print_what_the_page_shows(command: str) -> None:
    output = SHOWN[command]
    assert output is not None
    words = shlex.split(command.removeprefix("digits "))
    run = [sys.executable, "-m", "digits.cli", *words]
    found = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
    assert (found.stdout, found.stderr, found.returncode) == (output[1], "", 0)


EXAMPLES = [path.read_text() for path in sorted((ROOT / "docs" / "examples").glob("*.py"))]
# Whole programs; others show a part of a file, or need a run of one's own.
PROGRAMS = [
    pytest.param(text, id=f"{page} {number}")
    for number, (page, text, _) in enumerate(blocks("python"))
    if "import" in text and "runs/" not in re.sub("#.*", "", text)
    if f"{text}\n" not in EXAMPLES
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_run(program: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr


def test_pages_show_the_examples_as_they_are() -> None:
    """`training/test_own_networks.py` trains them."""
    shown = {text for _, text, _ in blocks("python")}
    assert {example.strip() for example in EXAMPLES} <= shown


@pytest.mark.parametrize("command", of("python -m benchmarks."))
def test_benchmarks_are_there_with_their_flags(command: str) -> None:
    module, *arguments = command.split()[2:]
    path = ROOT / module.replace(".", "/")
    files = [path.with_suffix(".py")] if path.with_suffix(".py").exists() else [*path.glob("*.py")]
    assert files
    text = "".join(file.read_text() for file in files)
    shared = {"command_line.parser(": '"--out"', "command_line.add_data_flag(": '"--data"'}
    text += "".join(flag for adds, flag in shared.items() if adds in text)
    paths = [after for flag, after in itertools.pairwise(arguments) if flag in ("--data", "--out")]
    assert all(f'"{argument}"' in text for argument in arguments if argument not in paths)


@pytest.mark.parametrize("command", of("pip install"))
def test_extras_are_defined(command: str) -> None:
    project = (ROOT / "pyproject.toml").read_text()
    for extras in re.findall(r'"\.\[(.*?)]"', command):
        for extra in extras.split(","):
            assert re.search(rf"^{extra} = \[", project, re.MULTILINE)


def test_files_that_the_pages_name_exist() -> None:
    path = re.compile(r"`((?:digits|benchmarks|tests|docs|deploy)/[\w/.-]+)`")
    named = {(page.name, name) for page in PAGES for name in path.findall(page.read_text())}
    assert named
    assert [(page, name) for page, name in named if not (ROOT / name).exists()] == []


def test_every_other_program_is_known() -> None:
    """A program that nothing above checks must be one that this project does not bring."""
    ours = ("digits ", "python mnist_model.py", "python -m benchmarks.", "pip ")
    others = {c.split()[0] for _, c in commands() if not c.startswith(ours)}
    tools = {"pytest", "ruff", "mypy", "lint-imports", "mkdocs"}
    assert others - tools == {"python3", ".", "curl", "docker", "kubectl"}


def test_curl_asks_for_paths_that_there_are() -> None:
    pytest.importorskip("fastapi")
    from digits import Reader
    from digits.serving.app import create_app

    paths = create_app(Reader(), collect=Path("DIR")).openapi()["paths"]
    asked = [word for _, c in commands() if c.startswith("curl") for word in c.split()]
    asked = [word.partition("localhost:8000")[2] for word in asked if "localhost:8000" in word]
    assert asked
    for path in asked:
        assert any(re.fullmatch(re.sub(r"{\w+}", r"\\w+", known), path) for known in paths), path


def test_the_stated_limit_of_pixels_is_within_the_real_one() -> None:
    pytest.importorskip("fastapi")
    import generated

    from digits.serving.reading_processes.memory import Budget, pixels

    found = re.search(r"such as (\d+) million with 1 GiB and two cores", generated.limits())
    assert found
    assert 12_000_000 <= int(found[1]) * 1_000_000 <= pixels(Budget.of(1 << 30, 2).one)


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Strict: a link to nowhere, or a mark that nothing fills, ends the build."""
    pytest.importorskip("mkdocs")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        check=True,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    pages = [page.read_text(encoding="utf-8") for page in tmp_path.rglob("*.html")]
    assert len(pages) > 30
    loaded = [
        tag for page in pages for tag in re.findall(r"<(?:link|script|img|iframe)[^>]+>", page)
    ]
    assert [tag for tag in loaded if re.search(r'(?:src|href)="?(?:https?:)?//', tag)] == []
    assert not [page for page in pages if "<!-- generated" in page]
