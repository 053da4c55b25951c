"""The folder of a sweep: where each recipe's run is, a lock, and the results of all runs.

A run is identified by its recipe, which its folder keeps. So the same command again resumes what is
unfinished and leaves what is finished as it is, even if the lines of SPEC are reordered.
"""

import errno
import itertools
import json
import statistics
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from digits.data.mnist import Own
from digits.errors import DigitsError, explained
from digits.files import PARTIAL, replacing
from digits.runs import network_file, sweep_spec
from digits.runs.recipes import Recipe
from digits.runs.run import Run, find, numbered
from digits.terminal import note

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)  # errors of file systems without locks


def plan(wanted: Sequence[Recipe], out: Path, data: Own | None = None) -> list[Run]:
    """Finds the run of each recipe in `out`, or a free folder name for it.

    `data` is what is trained on, None for MNIST; a run on other data is another run. Raises
    DigitsError if `out` cannot be made or read.
    """
    with explained(f"{out} cannot be used", "choose another --out"):
        out.mkdir(parents=True, exist_ok=True)
        there = {folder: find(folder) for folder in sorted(out.iterdir())}
    known = {run.recipe: run for run in there.values() if run and run.data == data}
    _note_changed_networks([recipe for recipe in wanted if recipe not in known], known, out)
    # A name may be taken by a run of another recipe, but not by what a killed process left.
    taken = {
        folder
        for folder in there
        if not folder.is_dir() or any(path.suffix != PARTIAL for path in folder.iterdir())
    }
    planned = []
    for recipe in wanted:
        free = (path for path in numbered(out / sweep_spec.name_of(recipe)) if path not in taken)
        run = known.get(recipe) or Run(next(free), recipe, data=data)
        taken.add(run.folder)
        planned.append(run)
    return planned


def _note_changed_networks(missing: Sequence[Recipe], known: Collection[Recipe], out: Path) -> None:
    """Says which files of the user's own networks have changed since other runs in `out`."""
    before = {replace(recipe, network_sha256="") for recipe in known if recipe.network_sha256}
    anew = [recipe.network for recipe in missing if replace(recipe, network_sha256="") in before]
    for network in dict.fromkeys(anew):
        note(
            f"{network_file.file_of(network)} has changed since {anew.count(network)} of the runs "
            f"in {out} began; they are trained anew, beside those."
        )


def write_results(planned: Sequence[Run], path: Path) -> list[dict[str, Any]]:
    """Writes a line of JSON for each finished run, and returns the lines; replaces the file.

    A line holds the run's `name`, its `folder` beside the file, and the content of its
    metrics.json. Raises DigitsError if a metrics.json is damaged, or the file cannot be written.
    """
    results = [
        {"name": run.name, "folder": run.folder.name, **run.metrics()}
        for run in planned
        if run.finished
    ]
    with explained(f"{path} cannot be written"), replacing(path) as file:
        file.write("".join(json.dumps(result) + "\n" for result in results).encode())
    return results


def table(results: Sequence[dict[str, Any]]) -> str:
    """Mean ± standard deviation over the seeds of each recipe, from results of `write_results`."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        name = sweep_spec.name_of(Recipe(**result["recipe"]), seed=False)
        groups.setdefault(name, []).append(result)
    width = max(6, *map(len, groups))
    # A long name gets a line of its own, so that the figures fit a terminal of 80 columns.
    name_form = f"{{:{width}}}  " if width <= 22 else "{}\n  "
    lines = [f"{'validation':15}  {'test':15}  {'test loss'}   n  seeds"]
    for of_recipe in groups.values():
        validation = _spread([result["validation_accuracy"] for result in of_recipe])
        test = _spread([result["test_accuracy"] for result in of_recipe])
        loss = statistics.fmean(result["test_loss"] for result in of_recipe)
        seeds = _ranges(sorted(result["seed"] for result in of_recipe))
        lines.append(f"{validation}  {test}  {loss:9.4f}  {len(of_recipe):2}  {seeds}")
    names = ["recipe", *groups]
    named = [name_form.format(name) + line for name, line in zip(names, lines, strict=True)]
    return "\n".join([*named, "", "Accuracies are mean ± standard deviation over n seeds."])


def _spread(accuracies: Sequence[float]) -> str:
    deviation = f"{statistics.stdev(accuracies):.2%}" if len(accuracies) > 1 else "-"
    return f"{statistics.fmean(accuracies):.2%} ± {deviation:5}"


def _ranges(seeds: Sequence[int]) -> str:
    """Ascending seeds as text, with consecutive ones as `1-5`."""
    ranges = []
    for _, places in itertools.groupby(range(len(seeds)), lambda place: seeds[place] - place):
        first, *others = (seeds[place] for place in places)
        ranges.append(f"{first}-{others[-1]}" if others else f"{first}")
    return ", ".join(ranges)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keeps other commands from training into the same folder; not on a disk without locks.

    The system releases the lock when the process ends, however it ends. Raises DigitsError if
    another command is training there, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out / "sweep.lock", timeout=0, fallback_to_soft=False)
    with explained(f"{out} cannot be written", "choose another --out"):
        try:
            lock.acquire()
        except Timeout:
            raise DigitsError(
                f"Another command is training into {out}; wait for it to end, or stop it."
            ) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
    try:
        yield
    finally:
        lock.release()
