"""`digits serve` before it serves: what it needs, and mistakes that get a sentence."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from processes import ROOT

from digits.cli import main
from digits.errors import DigitsError
from digits.serving.connections.listening import Address, listening

WITHOUT_EXTRA = """
import sys
sys.modules.update(dict.fromkeys(["fastapi", "starlette", "uvicorn", "prometheus_client"]))
from digits.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["serve", "--help"], 0, "--workers N"),
        (["serve", "--no-browser"], 2, "which digits serve needs; install it with: pip install -e"),
        (["site", "out"], 2, "npm, which fetches the runtime for browsers, is not installed"),
    ],
)
def test_only_serving_needs_the_extra(
    arguments: list[str], status: int, said: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", WITHOUT_EXTRA, *arguments]
    environment = os.environ | {"PATH": "", "DIGITS_CACHE": "cache", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == status
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_cannot_be_listened_on(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--no-browser", "--port", port]) == 2
    assert "choose another --port" in capfd.readouterr().err
    for host, number in (("nowhere.invalid", 8000), ("127.0.0.1", 70_000)):
        with pytest.raises(DigitsError), listening(Address(host, number)):
            pass


def test_a_number_of_workers_out_of_range(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--no-browser", "--workers", "0"]) == 2
    assert "from 1 to 64, not 0" in capfd.readouterr().err


def test_a_missing_bundle(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["serve", "--no-browser", "--model", str(tmp_path)]) == 2
    assert "There is no bundle" in capfd.readouterr().err
