"""Files and folders that are either whole or not there, and the folder of what is cached."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PARTIAL = ".part"  # ending of a file that is still being written, or whose writer was killed


def cache_folder() -> Path:
    """The folder of what was downloaded: `$DIGITS_CACHE`, or `digits` in the user's cache."""
    if folder := os.environ.get("DIGITS_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "digits"


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Opens a temporary file that takes the place of `path` when the block ends without an error.

    A reader of `path` sees the old content or the new one, whole, at any time and after any kill.
    Raises OSError if the folder cannot be written, or the disk is full; `path` is then as it was.
    """
    temporary = path.with_name(f"{path.name}-{secrets.token_hex(4)}{PARTIAL}")
    try:
        with temporary.open("xb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes a folder, whole or not at all; it replaces an earlier one.

    Its parent exists. `files` are the content of each file by its path in the folder. Raises
    OSError if it cannot be written; an earlier folder is then as it was.
    """
    temporary = folder.with_name(folder.name + PARTIAL)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        for name, content in files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(content)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
