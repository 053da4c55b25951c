"""Train a convolutional network on MNIST and report how good it is."""

import argparse
import time
from pathlib import Path

from digits.commands import add_data_flag
from digits.data.mnist import Mnist, load_mnist
from digits.errors import DigitsError, Interrupted, explained
from digits.runs import recipes, workers
from digits.runs.recipes import RECIPES, Recipe
from digits.runs.run import Run, create, reopen
from digits.runs.workers import Team
from digits.terminal import importing_tensorflow, say
from digits.training import trial


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_data_flag(parser)
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
        return _follow(team, recipe, arguments.data)
    if arguments.resume is None:
        run, mnist = _begin(arguments, recipe or RECIPES["default"], team)
    elif (recipe, arguments.out, arguments.ensemble) == (None, None, None):
        run = reopen(arguments.resume)
        workers.check_batch(run.recipe, team)
        workers.check_network(run.recipe, team)
        mnist = load_mnist(arguments.data)
    else:
        raise DigitsError("--resume uses the run's own recipe and folder; give it alone.")
    say(_plan(run, mnist))
    advice = f"what is finished is kept: make room and resume with --resume {run.folder}"
    try:
        with explained(f"Writing to {run.folder} failed", advice):
            _train(run, mnist, team, arguments.data, started)
    except (Interrupted, KeyboardInterrupt) as interruption:
        saved = "; what is finished is saved."
        if isinstance(interruption, Interrupted):
            saved = f" after epoch {interruption.epochs} of {run.recipe.epochs}, which is saved."
        again = f"python {prog}" if prog.endswith(".py") else prog
        say(f"\nStopped{saved} Resume with: {again} --resume {run.folder}")
        return 130
    say(
        f"\nThe full report, with figures: {run.folder / 'report.html'}\n"
        f"Read pictures with it: digits read --model {run.bundle} photo.jpg"
    )
    return 0


def _begin(arguments: argparse.Namespace, recipe: Recipe, team: Team | None) -> tuple[Run, Mnist]:
    workers.check_batch(recipe, team)
    mnist = load_mnist(arguments.data)  # first: without it, no folder is made
    recipe = trial.tried(recipe)
    if arguments.ensemble is None:
        return create(recipe, arguments.out), mnist
    from digits.studies import ensemble

    return ensemble.begin(recipe, arguments.ensemble, arguments.out), mnist


def _plan(run: Run, mnist: Mnist) -> str:
    recipe = run.recipe
    training = len(mnist.train_labels) - recipe.held_out
    networks = f", {run.members} networks" if run.members else ""
    own_network = f"network {recipe.network}, " if recipe.network_sha256 else ""
    return (
        f"MNIST from {mnist.source}, verified: {training:,} digits to train on, "
        f"{recipe.held_out:,} to validate, {len(mnist.test_labels):,} to test.\n"
        f"Recipe {recipe.name}, {own_network}epochs: {recipe.epochs}, seed: {recipe.seed}"
        f"{networks}; "
        f"results go to {run.folder}."
    )


def _train(run: Run, mnist: Mnist, team: Team | None, data: Path | None, started: float) -> None:
    if run.members is not None:
        from digits.studies import ensemble

        ensemble.train(run, mnist, data, started)
        return
    if team:
        workers.meet(team)
    with importing_tensorflow():
        from digits.training import pipeline
    pipeline.train_and_report(run, mnist, started, team)


def _follow(team: Team, recipe: Recipe | None, data: Path | None) -> int:
    """Trains as a worker other than worker 0."""
    if recipe:
        workers.check_batch(recipe, team)
    mnist = load_mnist(data)
    workers.meet(team)
    with importing_tensorflow():
        from digits.training import distributed
    try:
        distributed.follow(team, recipe, mnist)
    except Interrupted as interruption:
        saved = f"worker 0 has saved {interruption.epochs} epochs"
        say(f"\nStopped; {saved}. To resume, {workers.RESTART}.")
        return 130
    say("Worker 0 reports.")
    return 0
