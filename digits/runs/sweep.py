"""Many runs of training: a list of recipes -> a folder of finished runs, and a table.

A run is known by its recipe, which its folder keeps. So the same command again goes on with what is
unfinished and leaves alone what is finished, also when lines of SPEC have moved meanwhile.
"""

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from digits.data import mnist as data
from digits.errors import DigitsError
from digits.files import PARTIAL, replacing
from digits.runs import engines, sweep_spec
from digits.runs.recipes import Recipe
from digits.runs.scheduler import Run, heeding_signals, metrics_of, train_all
from digits.terminal import note, say


def command(argv: Sequence[str], prog: str) -> int:
    """`digits sweep`.

    Returns:
        the exit status: 0 all runs are finished, 1 some failed, 130 stopped by Ctrl-C, 143 by
        SIGTERM.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Train many recipes, several at a time, each in a process of its own. The\n"
        "same command again goes on where it was stopped; what is finished is not\ntrained again.",
        epilog=sweep_spec.FORM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("spec", type=Path, metavar="SPEC", help="file of what to train, see below")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="gets a folder for each run"
    )
    parser.add_argument(
        "--engine",
        choices=["processes", "ray"],
        default="processes",
        help="processes of this machine (default), or tasks of Ray, one core each",
    )
    parser.add_argument(
        "--processes", type=int, metavar="N", help="runs at once (default: one a core)"
    )
    parser.add_argument(
        "--address", help="of a Ray cluster, whose machines share DIR (default: this machine)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="mnist.npz, or a folder of the four IDX files (default: find or download)",
    )
    arguments = parser.parse_args(argv)
    if arguments.processes is not None and arguments.engine == "ray":
        raise DigitsError("--processes is for --engine processes; Ray gives each run a core.")
    if arguments.processes is not None and arguments.processes < 1:
        raise DigitsError(f"--processes must be at least 1, not {arguments.processes}.")
    if arguments.address is not None and arguments.engine != "ray":
        raise DigitsError("--address is that of a Ray cluster; give --engine ray with it.")
    planned = plan(sweep_spec.read(arguments.spec), arguments.out)
    data.load(arguments.data)  # once, and into the cache, before many want it
    if arguments.engine == "ray":
        opened = engines.on_ray(arguments.address, arguments.data)
    else:
        opened = engines.processes(arguments.processes, arguments.data)
    try:
        with alone(arguments.out), opened as engine, heeding_signals():
            failures = train_all(planned, engine)
    except (KeyboardInterrupt, SystemExit) as end:
        note("Stopped; each run is saved after its last epoch. Go on with the same command.")
        return 130 if isinstance(end, KeyboardInterrupt) else int(end.code or 0)
    finally:
        results = write_results(planned, arguments.out / "sweep.jsonl")
    if results:
        say(table(results))
        say(f"\nEvery figure of each run: {arguments.out / 'sweep.jsonl'}")
    for run, reason in failures.items():
        note(f"{prog}: {run.name} failed: {reason}")
    return 1 if failures else 0


def plan(wanted: Sequence[Recipe], out: Path) -> list[Run]:
    """Finds the folder of each recipe in `out`, where it was trained before or is to be.

    Raises:
        DigitsError: `out` cannot be made or read.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        there = {folder: _recipe_in(folder) for folder in sorted(out.iterdir())}
    except OSError as error:
        raise DigitsError(
            f"{out} cannot be used ({error.strerror}); choose another --out."
        ) from None
    known = {recipe: folder for folder, recipe in there.items() if recipe}
    # Names may be taken, by what a recipe was before it was changed; not by what a kill left.
    taken = {
        folder
        for folder in there
        if not folder.is_dir() or any(path.suffix != PARTIAL for path in folder.iterdir())
    }
    planned = []
    for recipe in wanted:
        folder = known.get(recipe)
        number = 1
        while folder is None:
            path = out / (sweep_spec.name_of(recipe) + (f"-{number}" if number > 1 else ""))
            folder = None if path in taken else path
            number += 1
        taken.add(folder)
        planned.append(Run(folder.name, folder, recipe))
    return planned


def write_results(planned: Sequence[Run], path: Path) -> list[dict[str, Any]]:
    """Writes a line of JSON for each finished run, in place of what is there, and returns them.

    A line has the run's `name`, its `folder` beside the file, and what its metrics.json holds.

    Raises:
        DigitsError: a metrics.json is damaged, or the file cannot be written.
    """
    results = [
        {"name": run.name, "folder": run.folder.name, **metrics_of(run)}
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


def _recipe_in(folder: Path) -> Recipe | None:
    """The recipe of the run in a folder; None if there is no run, or not one of this version."""
    try:
        return Recipe(**json.loads((folder / "run.json").read_text())["recipe"])
    except (OSError, ValueError, KeyError, TypeError, DigitsError):
        return None
