"""Folders -> the finished runs in them, with names that tell them apart."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digits import bundle as bundles
from digits.bundle import Bundle
from digits.errors import DigitsError

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # one a run: names are too long for the head of a column


@dataclass(frozen=True)
class Run:
    """A finished run, or the bundle of one, as it lies on disk.

    Attributes:
        letter: what it is called for short.
        name: of its folder, with as many of the folders above as tell it from the other runs.
        folder: where it lies.
        bundle: its network; all files are verified.
        recorded: the figures that were written when it was trained.
    """

    letter: str
    name: str
    folder: Path
    bundle: Bundle
    recorded: dict[str, Any]


def open_runs(folders: Sequence[Path]) -> list[Run]:
    """Opens finished runs and bundles, in the order given.

    Raises:
        DigitsError: a folder is neither, is unfinished, damaged, of an older version, or given
            twice, or there are more than 26.
    """
    if len(folders) > len(LETTERS):
        raise DigitsError(
            f"{len(folders)} runs are more than a page can hold; give {len(LETTERS)} at most."
        )
    places = [folder.resolve() for folder in folders]
    for index, folder in enumerate(folders):
        if places[index] in places[:index]:
            raise DigitsError(f"{folder} is given twice; give each run once.")
    opened = [_open(folder) for folder in folders]
    return [
        Run(*front, *back)
        for front, back in zip(
            zip(LETTERS, distinct_names(folders), folders, strict=False), opened, strict=True
        )
    ]


def distinct_names(folders: Sequence[Path]) -> list[str]:
    """The names of different folders, with as many of the folders above as tell them apart."""
    parts = [Path(os.path.abspath(folder)).parts for folder in folders]

    def name(own: tuple[str, ...], depth: int = 1) -> str:
        same = [other for other in parts if other[-depth:] == own[-depth:]]
        return "/".join(own[-depth:]) if len(same) == 1 else name(own, depth + 1)

    return [name(own) for own in parts]


def _open(folder: Path) -> tuple[Bundle, dict[str, Any]]:
    """A folder's bundle and the figures recorded with it."""
    if (folder / "metrics.json").exists():
        if not (folder / "bundle").exists():
            raise DigitsError(
                f"The run in {folder} has no bundle; write it with: digits export {folder}"
            )
        found = bundles.read(folder / "bundle", every_file=True)
        try:
            recorded = json.loads((folder / "metrics.json").read_text())
        except (OSError, ValueError):
            recorded = None
    elif (folder / "manifest.json").exists():
        found = bundles.read(folder, every_file=True)
        recorded = found.manifest["metrics"]
    elif (folder / "run.json").exists():
        raise DigitsError(
            f"The run in {folder} is not finished; leave it out, or go on with it: "
            f"digits train --resume {folder}"
        )
    elif folder.exists():
        raise DigitsError(
            f"There is no run in {folder}: it holds neither metrics.json nor a bundle's "
            "manifest.json."
        )
    else:
        raise DigitsError(f"There is no run in {folder}: there is no such folder.")
    figures = ("test_accuracy", "train_seconds", "parameters", "mflop")
    if not isinstance(recorded, dict) or not all(
        isinstance(recorded.get(key, 0), (int, float)) for key in figures
    ):
        raise DigitsError(f"{folder} holds no intact figures; leave it out, or train again.")
    return found, recorded
