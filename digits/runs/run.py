"""The folder of a run: made without overwriting anything, and found again to go on."""

import json
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from digits.errors import DigitsError
from digits.files import PARTIAL, replacing
from digits.runs.recipes import Recipe

SPACE_NEEDED = 64 << 20  # bytes; a run leaves about a tenth of this


def create(recipe: Recipe, out: Path | None = None) -> Path:
    """Makes the folder of a new run and writes the recipe into it.

    Args:
        recipe: kept verbatim in `run.json`, for `reopen`.
        out: the folder, new or empty; default a fresh `runs/<recipe>-<time>`.

    Raises:
        DigitsError: the folder holds something, cannot be written, or its disk is nearly full.
    """
    return begin("run.json", {"recipe": asdict(recipe)}, recipe.name, out)


def begin(file: str, content: dict[str, Any], name: str, out: Path | None = None) -> Path:
    """Makes a new folder of results and writes into it what they are about.

    Args:
        file: name of the JSON file that gets the content.
        content: what it takes to go on after an interruption.
        name: what the folder is called after, when `out` does not say: `runs/<name>-<time>`.
        out: the folder, new or empty.

    Raises:
        DigitsError: as `create`.
    """
    folder = out or _fresh(Path("runs"), f"{name}-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DigitsError(
                f"{folder} already holds files, which a new run would overwrite; "
                "choose another --out, or --resume it if it is an unfinished run."
            )
        _check_space(folder)
        write_json(folder / file, content)
    except OSError as error:
        raise DigitsError(
            f"The folder {folder} cannot be written ({error.strerror}); choose another --out."
        ) from None
    return folder


def reopen(folder: Path) -> Recipe:
    """Finds the recipe of an unfinished run, to go on with it.

    Raises:
        DigitsError: no run there, one that is finished, or one that cannot be read or written.
    """
    try:
        recipe = Recipe(**json.loads((folder / "run.json").read_text())["recipe"])
        if (folder / "metrics.json").exists():
            raise DigitsError(f"The run in {folder} is finished; its results are in report.html.")
        for leftover in folder.glob(f"*{PARTIAL}"):
            leftover.unlink()
        _check_space(folder)
    except FileNotFoundError:
        raise DigitsError(f"There is no run in {folder}: it holds no run.json.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DigitsError(f"{folder}/run.json is damaged ({error}); start a new run.") from None
    except OSError as error:
        raise DigitsError(
            f"The run in {folder} cannot be read and written ({error.strerror})."
        ) from None
    return recipe


def members(folder: Path) -> int | None:
    """How many members the ensemble in a folder has; None if there is none, or a single run."""
    try:
        count = json.loads((folder / "run.json").read_text())["ensemble"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return count if isinstance(count, int) else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes JSON for people and programs: indented, whole or not at all."""
    with replacing(path) as file:
        file.write((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def _fresh(parent: Path, name: str) -> Path:
    names = [name, *(f"{name}-{number}" for number in range(2, 1000))]
    return next(parent / name for name in names if not (parent / name).exists())


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < SPACE_NEEDED:
        raise DigitsError(
            f"The disk of {folder} has {free >> 20} MB left and a run needs "
            f"{SPACE_NEEDED >> 20} MB; free some space or choose another --out."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DigitsError(f"The folder {folder} cannot be written; choose another --out.")
