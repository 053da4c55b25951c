"""What several tests share."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from digits import bundle, data, site
from digits.terminal import importing_tensorflow

with importing_tensorflow():  # as commands do, so that both compute alike
    import tensorflow as tf

# Two processors of TensorFlow in this process, so that a distributed strategy has two replicas.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
# A shell that starts the tests in the background lets them, and all that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
# No deadline: a shared machine may be slow for reasons of its own.
settings.register_profile("digits", deadline=None)
settings.load_profile("digits")
pytest_plugins = ["visits", "services"]
ROOT = Path(__file__).parent.parent
# 8,000 training digits in 8 steps an epoch: seconds, and the same code as any run.
SMALL = ["--network", "small", "--held-out", "52000", "--batch", "1000"]
SMALL += ["--variants", "300", "--non-digits", "700"]

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def mnist() -> data.Mnist:
    """The real one, from whatever source serves it here."""
    return data.load()


def mnist_model(*arguments: str | Path) -> subprocess.Popen[str]:
    """Starts the main command as a user does, with its output in pipes."""
    # What this process has told TensorFlow, a user has not.
    environment = {key: of for key, of in os.environ.items() if not key.startswith("TF_")}
    return subprocess.Popen(
        [sys.executable, "mnist_model.py", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def run_main() -> Command:
    """Runs the main command to its end: `run_main("--epochs", "2").returncode`."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        process = mnist_model(*arguments)
        output, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    return run


@pytest.fixture(scope="session")
def finished_output(finished_run: Path) -> str:
    """What the command of `finished_run` printed."""
    return (finished_run.parent / "output.txt").read_text()


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder of all processes that test, one of which fills it in the block, the others waiting:
    who finds it there finds it whole."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(folder.with_suffix(".lock")):
        yield folder


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
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site with the model that ships, built once."""
    if shutil.which("npm") is None and "CI" not in os.environ:
        pytest.skip("npm is not installed, which fetches the runtime for browsers")
    with made_once(tmp_path_factory, "site") as folder:
        if not folder.exists():
            site.build(folder, bundle.read())
    return folder
