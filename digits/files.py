"""Files and folders that are either whole or not there, and the folder of what is cached."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PARTIAL = ".part"  # ending of a file that is still being written, or whose writer was killed
TRIES = 100  # to put a folder in place while others do the same
IN_THE_WAY = (errno.EEXIST, errno.ENOTEMPTY)  # why a folder cannot be renamed to another


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
    temporary = _beside(path)
    try:
        with temporary.open("xb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes a folder, whole or not at all; it replaces an earlier one.

    Its parent exists. `files` are the content of each file by its path in the folder. An earlier
    folder is moved away only when the new one is complete, and is back if that cannot take its
    place. Of several writers at once, one after the other does so. Raises OSError if the folder
    cannot be written; an earlier one is then as it was.
    """
    temporary, earlier = _beside(folder), _beside(folder)
    try:
        temporary.mkdir()
        for name, content in files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(content)
        for left in reversed(range(TRIES)):
            with suppress(FileNotFoundError):
                folder.rename(earlier)
            try:
                temporary.rename(folder)
                return
            except OSError as error:
                # What the error says counts, not what is there by now: another writer may have
                # moved the folder that was in the way.
                if error.errno not in IN_THE_WAY:
                    with suppress(OSError):
                        earlier.rename(folder)
                    raise
                if not left:  # other writers were faster again and again
                    raise
                shutil.rmtree(earlier, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(earlier, ignore_errors=True)


def _beside(path: Path) -> Path:
    """A name beside a path that no other writer has."""
    return path.with_name(f"{path.name}-{secrets.token_hex(4)}{PARTIAL}")
