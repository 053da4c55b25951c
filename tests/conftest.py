"""What tests in several folders share. It imports no TensorFlow: light tests start at once."""

import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings
from processes import SMALL, Command, made_once, mnist_model

from digits.data.mnist import Mnist, load_mnist

# A shell that starts the tests in the background lets them, and all that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
# No deadline: a shared machine may be slow for reasons of its own.
settings.register_profile("digits", deadline=None)
settings.load_profile("digits")


@pytest.fixture(scope="session")
def mnist() -> Mnist:
    """The real one, from whatever source serves it here."""
    return load_mnist()


@pytest.fixture
def run_main() -> Command:
    """Runs the main command to its end: `run_main("--epochs", "2").returncode`."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        process = mnist_model(*arguments)
        output, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    return run


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run that nothing interrupted: four epochs, seed 1."""
    with made_once(tmp_path_factory, "runs") as folder:
        if not (folder / "output.txt").exists():
            process = mnist_model("--out", folder / "whole", "--epochs", "4", *SMALL)
            output, errors = process.communicate(timeout=300)
            assert errors == ""
            assert process.returncode == 0
            (folder / "output.txt").write_text(output)
    return folder / "whole"


@pytest.fixture(scope="session")
def finished_output(finished_run: Path) -> str:
    """What the command of `finished_run` printed."""
    return (finished_run.parent / "output.txt").read_text()
