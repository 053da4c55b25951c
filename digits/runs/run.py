"""The folder of a training run: made without overwriting anything, found again, and read.

run.json       the recipe, and what data that are not MNIST it is trained on; written first, but
               for network.py, a copy of the user's own network
state.npz      weights, optimizer and history after the last finished epoch; see `train`;
               line_state.npz the same of the network for lines, if there is one
history.csv    one line for each epoch; events.jsonl has the same as JSON
output.txt     what the run printed, if a sweep or an ensemble started it
model.keras    the trained network
bundle/        the same, exported for the reader
metrics.json   all figures, written last: it marks the run as finished
"""

import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from digits.data.mnist import Own
from digits.errors import DigitsError, explained
from digits.files import PARTIAL, replacing
from digits.runs import network_file
from digits.runs.history import Epoch, read_history
from digits.runs.recipes import Recipe

SPACE_NEEDED = 64 << 20  # bytes; a run leaves about a tenth of this
Json = dict[str, Any]
Plan = TypeVar("Plan")


@dataclass(frozen=True)
class Run:
    """A training run, or an ensemble of them, on disk."""

    folder: Path
    recipe: Recipe  # everything that decides the result; of an ensemble, the first member's recipe
    members: int | None = None  # how many networks an ensemble has; None for a single run
    data: Own | None = None  # what it is trained on; None for MNIST

    def __repr__(self) -> str:
        state = "finished" if self.finished else "not finished"
        return f"Run({str(self.folder)!r}, recipe {self.recipe.name}, {state})"

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def finished(self) -> bool:
        """Whether it is trained and measured, and all its files are written."""
        return (self.folder / "metrics.json").exists()

    @property
    def state(self) -> Path:
        return self.folder / "state.npz"

    @property
    def output(self) -> Path:
        return self.folder / "output.txt"

    @property
    def line_state(self) -> Path:
        return self.folder / "line_state.npz"

    @property
    def network(self) -> Path:
        return self.folder / "model.keras"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    @property
    def network_file(self) -> Path:
        """The copy of the user's file, if the network is the user's own."""
        return self.folder / network_file.COPY

    def history(self) -> list[Epoch]:
        """The finished epochs. Raises DigitsError if history.csv is damaged."""
        return read_history(self.folder)

    def metrics(self) -> dict[str, Any]:
        """The content of metrics.json. Raises DigitsError if it is missing or damaged."""
        return _read(self.folder, "metrics.json", "finished run", dict)


def create(
    recipe: Recipe,
    out: Path | None = None,
    members: int | None = None,
    own_network: Path | None = None,
    data: Own | None = None,
) -> Run:
    """Makes the folder of a new run and writes the recipe into its run.json, for `reopen`.

    `out` is new or empty; by default, it is a new `runs/<recipe>-<time>`. `members` is how many
    networks an ensemble has, and `data` what it is trained on, if that is not MNIST. `own_network`
    is a copy of the user's file, by default the file itself. Raises DigitsError if the folder is
    not empty, cannot be written, or its disk is nearly full, or the user's file is missing or was
    changed.
    """
    files = kept_files(recipe, own_network)
    folder = make_folder("run.json", _plan(recipe, members, data), recipe.name, out, files)
    return Run(folder, recipe, members, data)


def kept_files(recipe: Recipe, own_network: Path | None = None) -> dict[str, bytes]:
    """What the folder of a recipe's run keeps beside the recipe, by name; see `create`."""
    if not network_file.is_own(recipe.network):
        return {}
    content = network_file.content(recipe.network, recipe.network_sha256, own_network)
    return {network_file.COPY: content}


def write_plan(run: Run) -> None:
    """Writes run.json into the run's folder, which must exist, after what is kept beside it."""
    for name, content in kept_files(run.recipe).items():
        with replacing(run.folder / name) as file:
            file.write(content)
    write_json(run.folder / "run.json", _plan(run.recipe, run.members, run.data))


def reopen(folder: Path) -> Run:
    """Finds an unfinished run, to resume it, and removes half-written files of a killed process.

    Raises:
        DigitsError: there is no run, or it is finished, damaged, or cannot be read and written.
    """
    planned = partial(_run, folder)
    run = reopen_folder(folder, "run.json", planned, "metrics.json", "run", "report.html")
    check_kept(run.recipe, folder)
    return run


def check_kept(recipe: Recipe, folder: Path) -> None:
    """Checks what `kept_files` are in a folder that is resumed. Raises DigitsError if one is
    missing or was changed."""
    if network_file.is_own(recipe.network):
        copy = folder / network_file.COPY
        network_file.check_copy(recipe.network, recipe.network_sha256, copy)


def find(folder: Path) -> Run | None:
    """The run in a folder, finished or not; None if there is none, or another version made it."""
    try:
        return _read(folder, "run.json", "run", partial(_run, folder))
    except DigitsError:
        return None


def make_folder(
    file: str,
    plan: Mapping[str, Any],
    name: str,
    out: Path | None,
    files: Mapping[str, bytes] | None = None,
) -> Path:
    """Makes a new folder of results and writes the plan into it, as JSON, under the name `file`.

    The plan is what is needed to resume after an interruption, together with `files`. `out` is new
    or empty; by default, it is `runs/<name>-<time>`. Raises DigitsError as `create` does.
    """
    if out is None:
        wanted = Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        out = next(folder for folder in numbered(wanted) if not folder.exists())
    with explained(f"The folder {out} cannot be written", "choose another --out"):
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise DigitsError(
                f"{out} already holds files, which a new run would overwrite; "
                "choose another --out, or --resume it if it is an unfinished run."
            )
        _check_space(out)
        for kept, content in (files or {}).items():
            with replacing(out / kept) as opened:
                opened.write(content)
        write_json(out / file, plan)
    return out


def reopen_folder(
    folder: Path, file: str, parse: Callable[[Json], Plan], last: str, kind: str, results: str
) -> Plan:
    """Reads the plan of an unfinished folder, and removes half-written files.

    Args:
        folder: from `make_folder`.
        file: name of the JSON file with the plan.
        parse: makes the plan of the file's content; ValueError, KeyError or TypeError if it is
            damaged.
        last: name of the file that is written last, which marks the folder as finished.
        kind: what messages call it, such as "run".
        results: name of the file that messages refer to once it is finished.

    Raises:
        DigitsError: there is no plan, it is damaged, or the folder is finished or cannot be
            written.
    """
    with explained(f"The {kind} in {folder} cannot be read and written"):
        if (folder / last).exists():
            raise DigitsError(f"The {kind} in {folder} is finished; its results are in {results}.")
        plan = _read(folder, file, kind, parse)
        for leftover in folder.glob(f"*{PARTIAL}"):
            leftover.unlink()
        _check_space(folder)
    return plan


def numbered(path: Path) -> Iterator[Path]:
    """The path, and then the path with -2, -3 and so on at its end."""
    yield path
    yield from (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes indented JSON; after any error the file is as it was."""
    with replacing(path) as file:
        file.write((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def own_data(plan: Mapping[str, Any]) -> Own | None:
    """The data that a plan names; None for MNIST. Raises TypeError if they are damaged."""
    given = plan.get("data")
    return given and Own(**given | {"remarks": tuple(given["remarks"])})


def _plan(recipe: Recipe, members: int | None, data: Own | None) -> dict[str, Any]:
    plan = {"recipe": asdict(recipe), "ensemble": members, "data": data and asdict(data)}
    return {name: of for name, of in plan.items() if of is not None}


def _run(folder: Path, plan: Mapping[str, Any]) -> Run:
    members = plan.get("ensemble")
    if not isinstance(members, int | None):
        raise TypeError(f"ensemble is {members!r}")
    return Run(folder, Recipe(**plan["recipe"]), members, own_data(plan))


def _read(folder: Path, file: str, kind: str, parse: Callable[[Json], Plan]) -> Plan:
    """Reads a JSON object; DigitsError if there is none, or it cannot be read or parsed."""
    path = folder / file
    try:
        content = json.loads(path.read_text())
        if not isinstance(content, dict):
            raise TypeError(f"it holds {type(content).__name__}, not an object")
        return parse(content)
    except FileNotFoundError:
        raise DigitsError(f"There is no {kind} in {folder}: it holds no {file}.") from None
    except OSError as error:
        raise DigitsError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DigitsError(
            f"{path} is damaged ({error}); remove the folder and start again."
        ) from None


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < SPACE_NEEDED:
        raise DigitsError(
            f"The disk of {folder} has {free >> 20} MB left and a run needs "
            f"{SPACE_NEEDED >> 20} MB; free some space or choose another --out."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DigitsError(f"The folder {folder} cannot be written; choose another --out.")
