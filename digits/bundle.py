"""The bundle: a folder with one trained model and everything that is needed to trust it.

    digits.tflite   the model with its geometry, for LiteRT; signatures `canvas`, `digit`, and
                    `line`, and `line48` and so on, which take narrower strips
    model.keras     the same network for Keras, and line.keras the one that reads lines, if any
    golden.npz      inputs, and the outputs that every runtime must give for them
    manifest.json   what this is, how it was made, how good it is, and the SHA-256 of each file

Training and reading meet only here: nothing else passes between the two halves.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digits.errors import DigitsError, explained
from digits.files import write_folder

FORMAT = 1
MODEL = "digits.tflite"
CANVAS_SIDE = 256  # pixels, of what the signature `canvas` takes
DIGIT_SIDE = 28  # pixels, of what the signature `digit` takes, and of MNIST's digits
STRIP_HEIGHT, STRIP_WIDTH = 32, 192  # pixels, of what the signature `line` takes
# The signatures that read lines, and the width that each takes: most numbers are short, and a
# narrow strip takes less time.
LINE_WIDTHS = {"line48": 48, "line96": 96, "line144": 144, "line": STRIP_WIDTH}
SHIPPED = Path(__file__).parent / "model"
NEEDED = ("thresholds", "metrics", "recipe", "files")


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked against its manifest.

    Attributes:
        folder: its path.
        manifest: the content of `manifest.json`.
        model: the bytes of `digits.tflite`.
    """

    folder: Path
    manifest: dict[str, Any]
    model: bytes

    def file(self, name: str) -> bytes:
        """The content of one of its files, verified. Raises DigitsError if it has none of that
        name, or if that is damaged."""
        if name not in self.manifest["files"]:
            raise DigitsError(f"The bundle in {self.folder} has no {name}; get the bundle again.")
        return _verified(self.folder / name, self.manifest["files"][name])

    @property
    def threshold(self) -> float:
        """What `is_digit` must reach for a reading to be accepted, 0 to 1."""
        return float(self.manifest["thresholds"]["is_digit"])

    @property
    def data(self) -> str:
        """The name of what it was trained on."""
        return Path(self.manifest.get("own_data", {}).get("path", "MNIST")).name

    @property
    def digits(self) -> bool:
        """Whether it was trained on digits. If not, it has no signature `canvas`, and reads no
        pictures."""
        return bool(self.manifest.get("own_data", {}).get("digits", True))

    def check_reads(self) -> None:
        """Raises DigitsError if it was not trained on digits."""
        if not self.digits:
            raise DigitsError(
                f"The model in {self.folder} was trained on {self.data}, which shows no digits, so "
                "it reads none; measure it with digits evaluate, or open its model.keras."
            )


def read(folder: Path | str = SHIPPED, every_file: bool = False) -> Bundle:
    """Reads a bundle, by default the one that comes with the package.

    Args:
        folder: the bundle, or the run that it is in.
        every_file: verify all files instead of only the model, which is all that reading needs.

    Raises:
        DigitsError: no bundle there, a file that is missing or changed, a newer format, or a path
            that leads out of the folder; the message names the file.
    """
    folder = Path(folder)
    if not (folder / "manifest.json").exists() and (folder / "bundle/manifest.json").exists():
        folder /= "bundle"
    manifest = _manifest(folder)
    files = manifest["files"]
    for name in files:
        if Path(name).name != name or name in ("", ".."):
            raise DigitsError(
                f"The manifest of {folder} names a file outside the bundle, {name!r}; "
                "do not use this bundle."
            )
    if MODEL not in files:
        raise DigitsError(f"The manifest of {folder} names no {MODEL}; get the bundle again.")
    names = files if every_file else [MODEL]
    contents = {name: _verified(folder / name, files[name]) for name in names}
    return Bundle(folder, manifest, contents[MODEL])


def write(folder: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    """Writes a bundle, whole or not at all; it replaces an earlier one.

    The folder's parent exists. `files` are the content of each file by name, except the manifest,
    to which `format` and `files` are added. Raises DigitsError if the folder holds something that
    is not a bundle, and OSError if it cannot be written.
    """
    check_replaceable(folder)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    whole = {"format": FORMAT, **manifest, "files": digests}
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    _check_figures(whole, folder / "manifest.json")
    write_folder(folder, {**files, "manifest.json": text.encode()})


def check_replaceable(folder: Path) -> None:
    """Raises DigitsError if there is something in place of a folder that is not a bundle."""
    # Looked at twice: another writer may be replacing it at this moment.
    if _is_something_else(folder) and _is_something_else(folder):
        raise DigitsError(f"{folder} holds something that is not a bundle; choose another folder.")


def _is_something_else(folder: Path) -> bool:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True
    return bool(names) and "manifest.json" not in names


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DigitsError(f"There is no bundle in {folder}: it holds no manifest.json.") from None
    except OSError as error:
        raise DigitsError(f"{path} cannot be read ({error.strerror}).") from None
    except ValueError:
        raise DigitsError(f"{path} is damaged; get the bundle again.") from None
    version = manifest.get("format") if isinstance(manifest, dict) else None
    if not isinstance(version, int):
        raise DigitsError(f"{path} is not the manifest of a bundle: it has no format number.")
    if version > FORMAT:
        raise DigitsError(
            f"The bundle in {folder} has format {version}, and this version of the program reads "
            f"formats up to {FORMAT}; update the program."
        )
    try:
        _check_figures(manifest, path)
        if not all(isinstance(manifest[key], dict) for key in NEEDED):
            raise TypeError
        if not isinstance(manifest.get("own_data", {}), dict):
            raise TypeError
    except (KeyError, TypeError, ValueError):
        raise DigitsError(
            f"{path} is damaged: it lacks some of {', '.join(NEEDED)}; get the bundle again."
        ) from None
    return manifest


def _check_figures(manifest: Mapping[str, Any], path: Path) -> None:
    """Raises DigitsError if a threshold or the temperature is no figure that can be meant, and
    KeyError, TypeError or ValueError if there is no figure at all."""
    for name in ("is_digit", *manifest["thresholds"]):
        threshold = float(manifest["thresholds"][name])
        if not 0 <= threshold <= 1:  # nor if it is not a number
            raise DigitsError(
                f"{path} is damaged: the threshold {name} is {threshold}, not from 0 to 1; "
                "get the bundle again."
            )
    temperature = manifest.get("temperature")  # None: not calibrated
    if temperature is not None and not 0 < float(temperature) < math.inf:
        raise DigitsError(
            f"{path} is damaged: the temperature is {temperature}, not a positive number; "
            "get the bundle again."
        )


def _verified(path: Path, digest: str) -> bytes:
    with explained(f"{path}, which the manifest names, cannot be read", "get the bundle again"):
        content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise DigitsError(
            f"{path} is not the file that the manifest describes: its SHA-256 differs; "
            "get the bundle again."
        )
    return content
