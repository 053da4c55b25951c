"""What the reading side takes on disk."""

import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from benchmarks import ROOT
from digits.errors import DigitsError


def anew(folder: Path) -> tuple[Path, Path]:
    """Makes a virtual environment with nothing but the package and what it needs.

    Returns:
        its site-packages, and its command `digits`.

    Raises:
        DigitsError: it could not be made or installed into.
    """
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    source = folder.with_name("source")  # pip leaves a folder `build` in what it installs
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "digits", source / "digits")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(programs / "python"), "-m", "pip", "install", "--quiet", str(source)],
    ):
        if subprocess.run(command).returncode:
            raise DigitsError(f"{' '.join(command)} failed; its message is above.")
    (package,) = folder.rglob("site-packages/digits")
    return package.parent, programs / "digits"


def folder_size(site: Path) -> int:
    """Bytes of all files in a site-packages folder but those of pip, which came with it."""
    came = ("pip", "setuptools", "pkg_resources")
    return sum(
        path.stat().st_size
        for path in site.rglob("*")
        if path.is_file() and not path.relative_to(site).parts[0].startswith(came)
    )


def size(name: str) -> int:
    """Bytes of a distribution and of all that it needs without extras, as installed here.

    Compiled Python counts; of this project, installed for editing, its package folder does.
    """
    files = {
        Path(str(file.locate())) for part in closure(name) for file in metadata.files(part) or []
    }
    files |= set((ROOT / "digits").rglob("*"))
    return sum(path.stat().st_size for path in files if path.is_file())


def closure(name: str) -> set[str]:
    """A distribution and all that it needs on this machine, without extras."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            for text in metadata.requires(name) or []:
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                    waiting.append(needed.name.lower())
    return found


def versions(*names: str) -> dict[str, str]:
    """Python's version and those of the distributions of these names that are installed."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
