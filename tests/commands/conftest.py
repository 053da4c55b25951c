"""What tests of several commands share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from digits.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def read(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command within this process: `status, output, errors = read("a.png")`."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        try:
            status = main(["read", *map(str, arguments)])
        except SystemExit as end:  # argparse
            status = int(end.code or 0)
        return (status, *capfd.readouterr())

    return run
