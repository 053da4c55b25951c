"""Many runs of training: a list of recipes -> a folder of finished runs, and a table.

A run is known by its recipe, which its folder keeps. So the same command again goes on with what is
unfinished and leaves alone what is finished, also when lines of SPEC have moved meanwhile.
"""

import json
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from digits.errors import DigitsError
from digits.files import PARTIAL, replacing
from digits.runs import sweep_spec
from digits.runs.recipes import Recipe
from digits.runs.run import Run, find


def plan(wanted: Sequence[Recipe], out: Path) -> list[Run]:
    """Finds the folder of each recipe in `out`, where it was trained before or is to be.

    Raises:
        DigitsError: `out` cannot be made or read.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        there = {folder: find(folder) for folder in sorted(out.iterdir())}
    except OSError as error:
        raise DigitsError(
            f"{out} cannot be used ({error.strerror}); choose another --out."
        ) from None
    known = {run.recipe: run for run in there.values() if run}
    # Names may be taken, by what a recipe was before it was changed; not by what a kill left.
    taken = {
        folder
        for folder in there
        if not folder.is_dir() or any(path.suffix != PARTIAL for path in folder.iterdir())
    }
    planned = []
    for recipe in wanted:
        run, number = known.get(recipe), 1
        while run is None:
            folder = out / (sweep_spec.name_of(recipe) + (f"-{number}" if number > 1 else ""))
            run = None if folder in taken else Run(folder, recipe)
            number += 1
        taken.add(run.folder)
        planned.append(run)
    return planned


def write_results(planned: Sequence[Run], path: Path) -> list[dict[str, Any]]:
    """Writes a line of JSON for each finished run, in place of what is there, and returns them.

    A line has the run's `name`, its `folder` beside the file, and what its metrics.json holds.

    Raises:
        DigitsError: a metrics.json is damaged, or the file cannot be written.
    """
    results = [
        {"name": run.name, "folder": run.folder.name, **run.metrics()}
        for run in planned
        if run.finished
    ]
    try:
        with replacing(path) as file:
            file.write("".join(json.dumps(result) + "\n" for result in results).encode())
    except OSError as error:
        raise DigitsError(f"{path} cannot be written ({error.strerror}).") from None
    return results


def table(results: Sequence[dict[str, Any]]) -> str:
    """Mean ± standard deviation over the seeds of each recipe.

    Args:
        results: from `write_results`, at least one.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        recipe = Recipe(**result["recipe"])
        groups.setdefault(sweep_spec.name_of(recipe, seed=False), []).append(result)
    width = max(6, *map(len, groups))
    # A long name gets a line of its own, so that the figures fit a terminal of 80 columns.
    name_form = f"{{:{width}}}  " if width <= 22 else "{}\n  "
    lines = [f"{'validation':15}  {'test':15}  {'test loss'}   n  seeds"]
    for of_recipe in groups.values():
        validation, test = (
            _spread([result[key] for result in of_recipe])
            for key in ("validation_accuracy", "test_accuracy")
        )
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
    """All seeds, those that follow each other as `1-5`."""
    runs_of: list[list[int]] = []
    for seed in seeds:
        if runs_of and seed == runs_of[-1][-1] + 1:
            runs_of[-1].append(seed)
        else:
            runs_of.append([seed])
    return ", ".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else f"{r[0]}" for r in runs_of)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keeps others from training into the same folder meanwhile; not on Windows.

    Raises:
        DigitsError: somebody is at it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    try:
        lock = (out / "sweep.lock").open("w")
    except OSError as error:
        raise DigitsError(
            f"{out} cannot be written ({error.strerror}); choose another --out."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DigitsError(
                f"Another command is training into {out}; wait for its end, or stop it."
            ) from None
        except OSError:  # a disk without locks
            pass
        yield
