"""Does the command line explain a mistake in a sentence, before it costs time?"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import ROOT, Command

from digits import bundle
from digits.cli import COMMANDS, main
from digits.data.mnist import Mnist

Result = tuple[int, str, str]
EXTRAS = (
    *("anyio", "fastapi", "httptools", "multipart", "prometheus_client", "starlette", "uvicorn"),
    *("cleanlab", "filelock", "jinja2", "keras", "matplotlib", "onnx", "onnxruntime", "ray"),
    *("rich", "scipy", "seaborn", "sklearn", "tensorboard", "tensorflow", "tf2onnx"),
    *("pillow_heif", "pypdfium2"),
)
Run = Callable[..., Result]


@pytest.fixture
def digits(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `digits` within this process: `status, output, errors = digits("info")`."""

    def run(*arguments: str | Path) -> Result:
        try:
            status = main([*map(str, arguments)])
        except SystemExit as end:  # argparse
            status = int(end.code or 0)
        return (status, *capfd.readouterr())

    return run


# python mnist_model.py


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--learning-rate", "-1"], "--learning-rate must be from"),
        (["--recipe", "slow"], "There is no recipe 'slow'"),
        (["--data", "nowhere.npz"], "nowhere.npz: there is no such file or folder"),
        (["--out", "."], "already holds files"),
        (["--resume", "nowhere"], "There is no run in nowhere"),
        (["--resume", "runs", "--epochs", "3"], "give it alone"),
        (["--epochs", "many"], "invalid int value: 'many'"),
    ],
)
def test_mistakes_are_found_before_tensorflow_is_imported(
    mnist: Mnist, arguments: list[str], reason: str
) -> None:
    program = (
        "import sys; sys.modules['tensorflow'] = None  # importing it would fail\n"
        "from digits import cli\n"
        "sys.exit(cli.run('train', sys.argv[1:], prog='mnist_model.py'))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 2
    assert reason in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("mnist_model.py: ")
    assert result.stdout == ""


def test_help_names_every_field_with_its_unit(run_main: Command) -> None:
    text = " ".join(run_main("--help").stdout.split())
    for part in ("batch size", "degrees either way", "pixels each way", "fast: 1;", "--seed"):
        assert part in text


def test_it_runs_from_any_folder(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, str(ROOT / "mnist_model.py"), "--help"], cwd=tmp_path, capture_output=True
    )
    assert found.returncode == 0


def test_without_tensorflow_it_says_what_to_install(mnist: Mnist, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from digits.cli import main\n"
        f"sys.exit(main(['train', '--out', {str(tmp_path / 'run')!r}]))"
    )
    assert_says_what_to_install(program, "tensorflow")


def assert_says_what_to_install(program: str, module: str) -> None:
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 2
    assert f"{module} is not installed" in found.stderr
    assert 'pip install -e ".[train]"' in found.stderr
    assert found.stderr.count("\n") == 1


# digits


def test_without_a_command_it_lists_them(digits: Run) -> None:
    status, output, errors = digits()
    assert (status, output) == (2, "")
    assert digits("--help") == (0, errors, "")
    for name in COMMANDS:
        assert f"\n  {name} " in errors


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal(digits: Run, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, output, errors = digits(*command.split(), "--help")
    assert (status, errors) == (0, "")
    assert output.startswith(f"usage: digits {command}")
    assert max(map(len, output.splitlines())) <= 80


def test_help_needs_no_extra() -> None:
    """Of what `pip install .` leaves out, nothing is there."""
    program = f"""
import sys
sys.modules |= dict.fromkeys({EXTRAS!r})
from digits.cli import COMMANDS, main
for command in COMMANDS:
    try:
        main([command, "--help"])
    except SystemExit as end:
        assert end.code == 0, command
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.count("usage: digits ") == len(COMMANDS)


def test_an_unknown_command_gets_a_hint(digits: Run, tmp_path: Path) -> None:
    status, output, errors = digits("reed", "a.png")
    assert (status, output) == (2, "")
    assert "there is no command 'reed'; see digits --help" in errors
    picture = tmp_path / "a.png"
    picture.touch()
    assert f"read it with: digits read {picture}" in digits(picture)[2]
    assert "there is no command '--reed'" in digits("--reed", "a.png")[2]


def test_version(digits: Run) -> None:
    status, output, _ = digits("--version")
    assert status == 0
    assert output.count(".") == 2


def test_train_is_the_main_command_under_its_own_name(digits: Run, tmp_path: Path) -> None:
    status, output, errors = digits("train", "--epochs", "0", "--out", tmp_path / "run")
    assert (status, output) == (2, "")
    assert errors.startswith("digits train: --epochs must be from 1 ")
    assert not (tmp_path / "run").exists()


# digits info


def test_info_says_what_the_model_is(digits: Run) -> None:
    status, output, errors = digits("info")
    assert (status, errors) == (0, "")
    assert max(map(len, output.replace(str(bundle.SHIPPED), "").splitlines())) <= 80
    manifest = json.loads((bundle.SHIPPED / "manifest.json").read_text())
    for part in (manifest["name"], f"{manifest['thresholds']['is_digit']:.4f}", *manifest["files"]):
        assert part in output
    assert json.loads(digits("info", "--json")[1]) == manifest


def test_info_verifies_every_file(digits: Run, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(bundle.SHIPPED, copy)
    assert digits("info", "--model", copy)[0] == 0
    content = bytearray((copy / "golden.npz").read_bytes())
    content[100] ^= 1
    (copy / "golden.npz").write_bytes(content)
    status, output, errors = digits("info", "--model", copy)
    assert (status, output) == (2, "")
    assert "golden.npz is not the file that the manifest describes" in errors
    assert errors.count("\n") == 1


# digits evaluate, digits export, digits info


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["evaluate", "none"], "There is no bundle in none"),
        (["evaluate", bundle.SHIPPED, "--images", "none"], "there is no such folder"),
        (["evaluate", bundle.SHIPPED, "--images", "."], "none of the folders 0 to 9"),
        (["evaluate", bundle.SHIPPED, "--suite", "x"], "invalid choice: 'x'"),
        (["evaluate", "x", "--suite", "corruptions", "--images", "."], "not allowed with"),
        (["export"], "required: --out"),
        (["export", "--model", "none", "--out", "x"], "There is no bundle in none"),
        (["evaluate", "--suspects", "x"], "leave the BUNDLE x out"),
        (["evaluate", "--folds", "3"], "--folds goes with --suspects"),
        (["evaluate", "--epochs", "3"], "A recipe goes with --suspects"),
        (["info", "--model", "none"], "There is no bundle in none"),
    ],
)
def test_mistakes_of_other_commands(digits: Run, arguments: list[str], reason: str) -> None:
    status, output, errors = digits(*arguments)
    assert (status, output) == (2, "")
    assert reason in errors.splitlines()[-1]
    assert errors.splitlines()[-1].startswith(f"digits {arguments[0]}: ")


def test_evaluate_without_the_training_side_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from digits import bundle; from digits.cli import main\n"
        "sys.exit(main(['evaluate', str(bundle.SHIPPED)]))"
    )
    assert_says_what_to_install(program, "sklearn")
