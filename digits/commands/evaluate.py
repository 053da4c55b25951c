"""`digits evaluate`: measures a model, or finds MNIST's likely wrong labels."""

import argparse
from dataclasses import replace
from pathlib import Path

from digits.data.mnist import load_mnist
from digits.errors import DigitsError, Interrupted
from digits.runs import recipes
from digits.runs.recipes import RECIPES
from digits.studies import suspects
from digits.terminal import needing, note, own_words_only, say, say_json, watched

SEARCH = "With --suspects"  # title of the flags that go with it alone


def parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        usage="%(prog)s [BUNDLE] [--suite corruptions | --images DIR] [--json]\n"
        "       %(prog)s --suspects [--out DIR | --resume DIR] [--folds INT]\n"
        f"{'':{len(prog) + 8}}[--json] [--recipe NAME] [fields of the recipe]",
        description="Measure a model: on MNIST's 10,000 test digits, on the same under the 15 "
        "corruptions of MNIST-C, or on your own pictures. With --suspects, find the images of "
        "MNIST whose labels models dispute most.",
    )
    parser.add_argument(
        "bundle",
        nargs="?",
        type=Path,
        metavar="BUNDLE",
        help="folder of the model (default: the one that comes with this program)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--suite", choices=["corruptions"], help="what to do to the test digits")
    what.add_argument(
        "--images", type=Path, metavar="DIR", help="pictures of one digit each, in folders 0 to 9"
    )
    what.add_argument(
        "--suspects",
        action="store_true",
        help="find MNIST's likely wrong labels instead, with models trained for it",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    _add_search_flags(parser)
    return parser


def _add_search_flags(parser: argparse.ArgumentParser) -> None:
    search = parser.add_argument_group(
        SEARCH,
        "The training images are split into folds, and each fold is judged by a model trained on "
        "the others; the test images by the mean of these models. cleanlab computes which labels "
        "are likely wrong. Some are; others are ambiguous digits, or the models misread them. The "
        "folder gets suspects.png, scores.csv with every image, suspects.txt, suspects.json, and "
        "the models. The recipe draws no digits of other hands unless --variants says so: MNIST's "
        "labels are judged by MNIST's writers.",
    )
    search.add_argument(
        "--folds",
        type=int,
        metavar="INT",
        help=f"models to train, 2 to {suspects.MOST_FOLDS} (default: {suspects.FOLDS})",
    )
    search.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of results, new or empty (default: runs/suspects-<time>)",
    )
    search.add_argument(
        "--resume", type=Path, metavar="DIR", help="resume the unfinished search in DIR"
    )
    recipes.add_flags(parser)


def run(arguments: argparse.Namespace, prog: str) -> int:
    """Measures as the flags say, or searches for wrong labels.

    Returns:
        the exit status: 0; 1 if a picture could not be read; 130 if Ctrl-C stopped a search.

    Raises:
        DigitsError: a mistake in the arguments, or a model, picture or folder that cannot be used.
    """
    if arguments.suspects:
        return _search(arguments, prog)
    for flag in ("folds", "out", "resume"):
        if getattr(arguments, flag) is not None:
            raise DigitsError(f"--{flag} goes with --suspects; add it, or leave --{flag} out.")
    if recipes.from_flags(arguments) is not None:
        raise DigitsError("A recipe goes with --suspects; add it, or leave the recipe's flags out.")
    return _measure(arguments, prog)


def _measure(arguments: argparse.Namespace, prog: str) -> int:
    with own_words_only(), needing(prog):
        from digits import bundle
        from digits.studies import measure

        model = bundle.read(arguments.bundle or bundle.SHIPPED)
        if arguments.images is not None:
            from digits.reading.reader import Reader

            pictures = watched(measure.labelled_pictures(arguments.images), "picture")
            figures, text = measure.on_pictures(Reader(model.folder), pictures)
        elif arguments.suite is not None:
            mnist = load_mnist()
            names = watched(measure.suite(), "corruption")
            figures, text = measure.under_corruptions(
                model, mnist.test_images, mnist.test_labels, names
            )
        else:
            mnist = load_mnist()
            figures, text = measure.on_digits(model, mnist.test_images, mnist.test_labels)
    if arguments.json:
        say_json(figures, indent=2)
    else:
        say(text)
    return 1 if figures.get("unreadable") else 0


def _search(arguments: argparse.Namespace, prog: str) -> int:
    if arguments.bundle is not None:
        raise DigitsError(
            f"--suspects trains models of its own; leave the BUNDLE {arguments.bundle} out."
        )
    if arguments.held_out is not None:
        raise DigitsError("--held-out: the folds decide what is held out; use --folds.")
    recipe = recipes.from_flags(arguments)
    if arguments.resume is None:
        recipe = recipe or RECIPES["default"]
        if arguments.variants is None:  # a drawn 1 with an upstroke is a 7 where MNIST comes from
            recipe = replace(recipe, variants=0)
        folds = suspects.FOLDS if arguments.folds is None else arguments.folds
        plan = suspects.make_plan(recipe, folds)
        mnist = load_mnist()
        folder = suspects.begin(plan, arguments.out)
    elif (recipe, arguments.folds, arguments.out) == (None, None, None):
        plan, folder = suspects.reopen(arguments.resume), arguments.resume
        mnist = load_mnist()
    else:
        raise DigitsError("--resume uses the search's own recipe, folds and folder; give it alone.")
    try:
        with needing(f"{prog} --suspects"):
            figures, text = suspects.search(plan, folder, mnist)
    except (Interrupted, KeyboardInterrupt):
        note(
            f"\nStopped; what is finished is saved. Resume with: {prog} --suspects --resume "
            f"{folder}"
        )
        return 130
    except OSError as error:
        raise DigitsError(
            f"Writing to {folder} failed ({error.strerror or error}); what is finished is kept: "
            f"make room and resume with --resume {folder}."
        ) from error
    if arguments.json:
        say_json(figures, indent=2)
    else:
        say(text)
    return 0
