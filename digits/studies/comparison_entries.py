"""Folders -> the finished runs and bundles to compare, with distinct names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digits import bundle as bundles
from digits.bundle import Bundle
from digits.errors import DigitsError
from digits.runs.run import find

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # one for each entry: names are too long to head columns
FIGURES = ("test_accuracy", "train_seconds", "parameters", "mflop")


@dataclass(frozen=True)
class Entry:
    """A finished run, or a bundle, that is compared with others."""

    letter: str  # its short name
    name: str  # its folder's name, with as many parent folders as make it distinct
    folder: Path
    bundle: Bundle  # its network; all files are verified
    recorded: dict[str, Any]  # the figures written when it was trained


def open_entries(folders: Sequence[Path]) -> list[Entry]:
    """Opens finished runs and bundles, in the order given.

    Raises:
        DigitsError: a folder is neither, is unfinished or damaged, or is given twice, or there are
            more than 26.
    """
    if len(folders) > len(LETTERS):
        raise DigitsError(
            f"{len(folders)} runs are more than a page can hold; give {len(LETTERS)} at most."
        )
    places = [folder.resolve() for folder in folders]
    for index, folder in enumerate(folders):
        if places[index] in places[:index]:
            raise DigitsError(f"{folder} is given twice; give each run once.")
    named = zip(LETTERS, distinct_names(folders), folders, strict=False)
    return [Entry(letter, name, folder, *_open(folder)) for letter, name, folder in named]


def distinct_names(folders: Sequence[Path]) -> list[str]:
    """The folders' names, with as many parent folders as make them distinct."""
    parts = [Path(os.path.abspath(folder)).parts for folder in folders]

    def name(own: tuple[str, ...], depth: int = 1) -> str:
        same = [other for other in parts if other[-depth:] == own[-depth:]]
        return "/".join(own[-depth:]) if len(same) == 1 else name(own, depth + 1)

    return [name(own) for own in parts]


def _open(folder: Path) -> tuple[Bundle, dict[str, Any]]:
    """A folder's bundle and the figures recorded with it."""
    run = find(folder)
    if run is None and not (folder / "manifest.json").exists():
        lacks = "it holds neither a run of this version nor a bundle"
        reason = lacks if folder.exists() else "there is no such folder"
        raise DigitsError(f"There is no run in {folder}: {reason}.")
    if run and not run.finished:
        raise DigitsError(
            f"The run in {folder} is not finished; leave it out, or resume it: "
            f"digits train --resume {folder}"
        )
    if run and not run.bundle.exists():
        raise DigitsError(
            f"The run in {folder} has no bundle; write it with: digits export {folder}"
        )
    found = bundles.read(run.bundle if run else folder, every_file=True)
    recorded = run.metrics() if run else found.manifest["metrics"]
    if not all(isinstance(recorded.get(key, 0), (int, float)) for key in FIGURES):
        raise DigitsError(f"{folder} holds no intact figures; leave it out, or train again.")
    return found, recorded
