"""Does the main command say what is wrong in a sentence, before it costs time?"""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, Command

from digits import data


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
def test_mistakes(run_main: Command, mnist: data.Mnist, arguments: list[str], reason: str) -> None:
    started = time.monotonic()
    result = run_main(*arguments)
    assert result.returncode == 2
    assert reason in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("mnist_model.py: ")
    assert result.stdout == ""
    assert time.monotonic() - started < 3


def test_help_names_every_field_with_its_unit(run_main: Command) -> None:
    text = " ".join(run_main("--help").stdout.split())
    for part in ("images a step", "degrees either way", "pixels each way", "default: 1", "--seed"):
        assert part in text


def test_it_runs_from_any_folder(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, str(ROOT / "mnist_model.py"), "--help"], cwd=tmp_path, capture_output=True
    )
    assert found.returncode == 0


def test_without_tensorflow_it_says_what_to_install(mnist: data.Mnist, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        f"from digits.cli import train; sys.exit(train(['--out', {str(tmp_path / 'run')!r}]))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 2
    assert "tensorflow is not installed" in found.stderr
    assert 'pip install -e ".[train]"' in found.stderr
    assert "Traceback" not in found.stderr
