"""How much disk space the reading side takes, and which versions are installed."""

import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from benchmarks import ROOT
from digits.errors import DigitsError


def fresh_environment(folder: Path) -> tuple[Path, Path]:
    """Makes a virtual environment with nothing but this package and its dependencies.

    Returns:
        the paths of its site-packages and of its command `digits`.

    Raises:
        DigitsError: a command failed.
    """
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    source = folder.with_name("source")  # a copy, since pip leaves a folder `build` in it
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "digits", source / "digits")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(programs / "python"), "-m", "pip", "install", "--quiet", str(source)],
    ):
        if subprocess.run(command).returncode:
            raise DigitsError(f"{' '.join(command)} failed; see its message above.")
    (package,) = folder.rglob("site-packages/digits")
    return package.parent, programs / "digits"


def folder_size(site: Path) -> int:
    """The bytes of all files in a site-packages folder, without those of pip and setuptools."""
    tools = ("pip", "setuptools", "pkg_resources")
    return sum(
        path.stat().st_size
        for path in site.rglob("*")
        if path.is_file() and not path.relative_to(site).parts[0].startswith(tools)
    )


def size(name: str) -> int:
    """The bytes of a distribution and its dependencies without extras, as installed here.

    Compiled Python files count. This project's own package is counted in this checkout.
    """
    files = {
        Path(str(file.locate())) for part in closure(name) for file in metadata.files(part) or []
    }
    files |= set((ROOT / "digits").rglob("*"))
    return sum(path.stat().st_size for path in files if path.is_file())


def closure(name: str) -> set[str]:
    """A distribution and its dependencies on this machine, direct and indirect, without extras."""
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
    """The versions of Python and of those of the named distributions that are installed."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
