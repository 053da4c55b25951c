"""Measure a model: on MNIST's 10,000 test digits, on the test part of other data, on either under
15 corruptions after MNIST-C, or on your own pictures. With --suspects, find the images whose labels
models dispute most.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from digits import bundle
from digits.api import evaluate
from digits.commands import MODEL, add_data_flag, add_not_digits_flag, say_result
from digits.errors import DigitsError, Interrupted, explained
from digits.labelled import opening
from digits.runs import recipes
from digits.runs.recipes import RECIPES
from digits.studies import suspects
from digits.terminal import note, own_words_only


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "%(prog)s [BUNDLE] [--suite corruptions | --images DIR]\n"
        f"{'':{len(parser.prog) + 8}}[--data PATH] [--json]\n"
        "       %(prog)s --suspects [--out DIR | --resume DIR] [--folds INT]\n"
        f"{'':{len(parser.prog) + 8}}[--data PATH [--not-digits]] [--json] [--recipe NAME]\n"
        f"{'':{len(parser.prog) + 8}}[fields of the recipe]"
    )
    parser.add_argument("bundle", nargs="?", type=Path, metavar="BUNDLE", help=MODEL)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--suite", choices=["corruptions"], help="corrupt the test digits in 15 ways")
    what.add_argument(
        "--images", type=Path, metavar="DIR", help="pictures of one digit each, in folders 0 to 9"
    )
    what.add_argument(
        "--suspects",
        action="store_true",
        help="find MNIST's likely wrong labels instead, with models trained for it",
    )
    add_data_flag(parser)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    search = parser.add_argument_group(
        "With --suspects",
        "The training images are split into folds, and each fold is judged by a model trained on "
        "the others; the test images by the mean of these models. cleanlab computes which labels "
        "are likely wrong. Some are; others are ambiguous digits, or the models misread them. The "
        "folder gets suspects.png, scores.csv with every image, suspects.txt, suspects.json, and "
        "the models. No digits in other handwriting styles are drawn unless --variants says so: "
        "models that learn only from MNIST's writers judge MNIST's labels.",
    )
    how_many = f"models to train, 2 to {suspects.MOST_FOLDS} (default: {suspects.FOLDS})"
    search.add_argument("--folds", type=int, metavar="INT", help=how_many)
    where = "new or empty folder (default: runs/suspects-<time>)"
    search.add_argument("--out", type=Path, metavar="DIR", help=where)
    search.add_argument(
        "--resume", type=Path, metavar="DIR", help="resume the unfinished search in DIR"
    )
    add_not_digits_flag(search)
    recipes.add_flags(parser)


def run(arguments: argparse.Namespace, prog: str) -> int:
    """Returns the exit status: 0; 1 if a picture could not be read; 130 if Ctrl-C stopped it."""
    if arguments.suspects:
        return _search(arguments, prog)
    for flag in ("folds", "out", "resume"):
        if getattr(arguments, flag) is not None:
            raise DigitsError(f"--{flag} goes with --suspects; add it, or leave --{flag} out.")
    if arguments.not_digits:
        raise DigitsError("--not-digits goes with --suspects; the model says what it knows.")
    if recipes.from_flags(arguments) is not None:
        raise DigitsError("A recipe goes with --suspects; add it, or leave the recipe's flags out.")
    model, suite = arguments.bundle or bundle.SHIPPED, arguments.suite is not None
    with own_words_only():
        measured = evaluate(model, images=arguments.images, corruptions=suite, data=arguments.data)
    say_result(arguments, measured.figures, measured.text)
    return 1 if measured.figures.get("unreadable") else 0


def _search(arguments: argparse.Namespace, prog: str) -> int:
    if arguments.bundle is not None:
        raise DigitsError(
            f"--suspects trains models of its own; leave the BUNDLE {arguments.bundle} out."
        )
    if arguments.held_out is not None:
        raise DigitsError("--held-out: the folds decide what is held out; use --folds.")
    recipe, folds, folder = recipes.from_flags(arguments), arguments.folds, arguments.resume
    if folder is None:
        recipe = recipe or RECIPES["default"]
        if arguments.variants is None:  # a drawn 1 with an upstroke is a 7 where MNIST comes from
            recipe = replace(recipe, variants=0)
        folds = suspects.FOLDS if folds is None else folds
        data = opening.load(arguments.data, arguments.not_digits)  # without it, no folder is made
        folder = suspects.begin(recipe, folds, arguments.out, data)
    elif (recipe, folds, arguments.out, arguments.not_digits) == (None, None, None, False):
        begun = suspects.begun_with(folder)
        data = opening.load_again(begun, arguments.data, f"The search in {folder}")
    else:
        raise DigitsError("--resume uses the search's own recipe, folds and folder; give it alone.")
    advice = f"what is finished is kept: make room and resume with --resume {folder}"
    try:
        with explained(f"Writing to {folder} failed", advice):
            figures, text = suspects.search(folder, data)
    except (Interrupted, KeyboardInterrupt):
        again = f"{prog} --suspects --resume {folder}"
        note(f"\nStopped; what is finished is saved. Resume with: {again}")
        return 130
    say_result(arguments, figures, text)
    return 0
