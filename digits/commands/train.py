"""Train a convolutional network on MNIST, or on data in its form, and report how good it is."""

import argparse
import time
from pathlib import Path

from digits.commands import add_data_flag, add_not_digits_flag
from digits.data.mnist import Dataset
from digits.errors import DigitsError, Interrupted, explained
from digits.labelled import opening
from digits.runs import recipes, workers
from digits.runs.recipes import RECIPES, Recipe, for_data
from digits.runs.run import Run, create, reopen
from digits.runs.workers import Team
from digits.terminal import importing_tensorflow, say
from digits.training import trial


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_data_flag(parser)
    add_not_digits_flag(parser)
    where = "new or empty folder (default: runs/<recipe>-<time>)"
    parser.add_argument("--out", type=Path, metavar="DIR", help=where)
    parser.add_argument("--resume", type=Path, metavar="DIR", help="resume the run in DIR")
    parser.add_argument(
        "--ensemble",
        type=int,
        metavar="N",
        help="train N networks, with seeds from --seed on, and distil their mean into one, in "
        "about N + 2 times the time of one; the same command again resumes",
    )
    workers.add_flags(parser)
    recipes.add_flags(parser)


def run(arguments: argparse.Namespace, prog: str) -> int:
    """Returns the exit status: 0, or 130 when Ctrl-C stopped it."""
    started = time.monotonic()
    recipe = recipes.from_flags(arguments)
    team = workers.team_of(arguments.workers, arguments.index)
    workers.check_network(recipe, team)
    if team and arguments.ensemble is not None:
        raise DigitsError("--ensemble trains on this machine alone; leave --workers out.")
    if team and team.index:
        return _follow(team, recipe, opening.load(arguments.data, arguments.not_digits))
    if arguments.resume is None:
        run, data = _begin(arguments, recipe or RECIPES["default"], team)
    elif (recipe, arguments.out, arguments.ensemble, arguments.not_digits) == (
        *(None, None, None, False),
    ):
        run = reopen(arguments.resume)
        workers.check_batch(run.recipe, team)
        workers.check_network(run.recipe, team)
        data = opening.load_again(run.data, arguments.data, f"The run in {run.folder}")
    else:
        raise DigitsError("--resume uses the run's own recipe and folder; give it alone.")
    say(_plan(run, data))
    advice = f"what is finished is kept: make room and resume with --resume {run.folder}"
    try:
        with explained(f"Writing to {run.folder} failed", advice):
            _train(run, data, team, arguments.data, started)
    except (Interrupted, KeyboardInterrupt) as interruption:
        saved = "; what is finished is saved."
        if isinstance(interruption, Interrupted):
            saved = f" after epoch {interruption.epochs} of {run.recipe.epochs}, which is saved."
        again = f"python {prog}" if prog.endswith(".py") else prog
        say(f"\nStopped{saved} Resume with: {again} --resume {run.folder}")
        return 130
    usable = f"Read pictures with it: digits read --model {run.bundle} photo.jpg"
    if not data.digits:
        usable = f"Measure it again: digits evaluate {run.bundle} --data {data.source}"
    say(f"\nThe full report, with figures: {run.folder / 'report.html'}\n{usable}")
    return 0


def _begin(arguments: argparse.Namespace, recipe: Recipe, team: Team | None) -> tuple[Run, Dataset]:
    workers.check_batch(recipe, team)
    data = opening.load(arguments.data, arguments.not_digits)  # without it, no folder is made
    recipe = trial.tried(for_data(recipe, data))
    if arguments.ensemble is None:
        return create(recipe, arguments.out, data=data.own), data
    from digits.studies import ensemble

    return ensemble.begin(recipe, arguments.ensemble, arguments.out, data.own), data


def _plan(run: Run, data: Dataset) -> str:
    recipe = run.recipe
    training = len(data.train_labels) - recipe.held_out
    networks = f", {run.members} networks" if run.members else ""
    own_network = f"network {recipe.network}, " if recipe.network_sha256 else ""
    counts = (
        f"{training:,} {data.things} to train on, {recipe.held_out:,} to validate, "
        f"{len(data.test_labels):,} to test"
    )
    return (
        f"{opening.in_words(data, counts)}\n"
        f"Recipe {recipe.name}, {own_network}epochs: {recipe.epochs}, seed: {recipe.seed}"
        f"{networks}; "
        f"results go to {run.folder}."
    )


def _train(run: Run, data: Dataset, team: Team | None, path: Path | None, started: float) -> None:
    if run.members is not None:
        from digits.studies import ensemble

        ensemble.train(run, data, path, started)
        return
    if team:
        workers.meet(team)
    with importing_tensorflow():
        from digits.training import pipeline
    pipeline.train_and_report(run, data, started, team)


def _follow(team: Team, recipe: Recipe | None, data: Dataset) -> int:
    """Trains as a worker other than worker 0."""
    if recipe:
        recipe = for_data(recipe, data)
        workers.check_batch(recipe, team)
    workers.meet(team)
    with importing_tensorflow():
        from digits.training import distributed
    try:
        distributed.follow(team, recipe, data)
    except Interrupted as interruption:
        saved = f"worker 0 has saved {interruption.epochs} epochs"
        say(f"\nStopped; {saved}. To resume, {workers.RESTART}.")
        return 130
    say("Worker 0 reports.")
    return 0
