"""Packages of npm that a lock file pins by content, fetched once and then cached."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from digits.errors import DigitsError, explained
from digits.files import PARTIAL, cache_folder
from digits.terminal import note

SECONDS = 300  # after which a command of npm is abandoned


def fetched(
    what: str, project: Path, collect: Callable[[Path, Path], None], cache: Path | None = None
) -> Path:
    """The folder of what is needed of some packages, from the cache or from npm.

    Args:
        what: what messages call it, such as "fonts".
        project: a folder with `package.json` and `package-lock.json`.
        collect: takes the packages' folder, `node_modules`, and an empty folder, and copies into
            the second what is needed of the first.
        cache: the folder of the cache; default `cache_folder()`.

    Returns:
        a folder in the cache, named for the lock file's content: packages of another version go
        into another one.

    Raises:
        DigitsError: npm is missing, or cannot fetch what the lock file names.
    """
    folder = _folder(what, project, cache)
    if folder.is_dir():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise DigitsError(
            f"npm, which fetches the {what}, is not installed; install Node.js, which includes it, "
            "from nodejs.org or from your system's packages."
        )
    note(f"Fetching the {what} with npm, once.")
    with (
        explained(
            f"The {what} cannot be kept in {folder.parent}",
            "set DIGITS_CACHE to a folder that can be written",
        ),
        _temporary(folder.parent) as temporary,
    ):
        copy, made = Path(temporary), Path(temporary) / "made"
        for name in ("package.json", "package-lock.json"):
            shutil.copy(project / name, copy / name)
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run([npm, "ci", *flags], copy, f"npm cannot fetch the {what}")
        made.mkdir()
        collect(copy / "node_modules", made)
        if not folder.exists():  # another process may have been faster
            made.rename(folder)
    return folder


def is_fetched(what: str, project: Path) -> bool:
    """Whether `fetched` finds it in the cache."""
    return _folder(what, project, None).is_dir()


def _folder(what: str, project: Path, cache: Path | None) -> Path:
    lock = hashlib.sha256((project / "package-lock.json").read_bytes()).hexdigest()
    return (cache or cache_folder()) / f"{what.replace(' ', '-')}-{lock[:16]}"


@contextmanager
def _temporary(parent: Path) -> Iterator[str]:
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, suffix=PARTIAL) as temporary:
        yield temporary


def run(arguments: list[str], folder: Path, failure: str) -> None:
    """Runs a program in a folder.

    Raises:
        DigitsError: it failed or took too long; the message begins with `failure`.
    """
    try:
        done = subprocess.run(
            arguments, cwd=folder, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise DigitsError(f"{failure} within {SECONDS} s; check the network.") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = lines[0].removeprefix("npm error ") if lines else f"status {done.returncode}"
        raise DigitsError(f"{failure} ({reason:.120}); check the network, and try again.")
