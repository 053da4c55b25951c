"""The command line. Every command imports what it needs when it runs, so that reading never
imports TensorFlow and starts at once."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from digits.errors import DigitsError, Interrupted
from digits.terminal import (
    SHIPPED,
    abandon_output,
    importing_tensorflow,
    needing,
    own_words_only,
    say,
    say_json,
    watched,
)

Command = Callable[[Sequence[str], str], int]


def main(argv: Sequence[str] | None = None) -> int:
    """The command `digits`: hands over to the subcommand that the first argument names.

    Returns:
        the exit status: 0 done, 1 a picture could not be read, 2 a mistake that the user can mend,
        130 stopped by Ctrl-C, 141 nobody reads the output any more.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments and arguments[0] in COMMANDS:
        name, *rest = arguments
        return _run(COMMANDS[name][0], rest, f"digits {name}")
    from importlib.metadata import version

    parser = argparse.ArgumentParser(
        prog="digits",
        usage="digits COMMAND ...",
        description="Read handwritten digits, and train what reads them.",
        epilog="commands:\n"
        + "".join(f"  {name:10}{meaning}\n" for name, (_, meaning) in COMMANDS.items())
        + "\n'digits COMMAND --help' says more. For example: digits read photo.jpg",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("mnist-classification"))
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    _, (name, *_) = parser.parse_known_args(arguments)
    hint = f"read it with: digits read {name}" if os.path.exists(name) else "see digits --help"
    parser.error(f"there is no command {name!r}; {hint}")


def train(argv: Sequence[str] | None = None) -> int:
    """Trains and reports, as the flags say; the work of `python mnist_model.py`.

    Returns:
        the exit status, as of `main`.
    """
    return _run(_train, sys.argv[1:] if argv is None else argv, "mnist_model.py")


def _run(command: Command, argv: Sequence[str], prog: str) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):  # a sign that a terminal cannot show ends nothing
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return command(argv, prog)
    except DigitsError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as after `| head -1`
        abandon_output()
        return 141


def _train(argv: Sequence[str], prog: str) -> int:
    started = time.monotonic()
    from digits.data import mnist as data
    from digits.runs import recipes, workers
    from digits.runs import run as runs
    from digits.studies import ensemble

    parser = argparse.ArgumentParser(
        prog=prog,
        description="Train a convolutional network on MNIST and report how good it is.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="mnist.npz, or a folder of the four IDX files (default: find or download)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of results, new or empty (default: runs/<recipe>-<time>)",
    )
    parser.add_argument(
        "--resume", type=Path, metavar="DIR", help="go on with the unfinished run in DIR"
    )
    parser.add_argument(
        "--ensemble",
        type=int,
        metavar="N",
        help="train N networks, their seeds from --seed on, and distil their mean into one; the "
        "same command again goes on",
    )
    workers.add_flags(parser)
    recipes.add_flags(parser)
    arguments = parser.parse_args(argv)
    recipe = recipes.from_flags(arguments)
    team = workers.team_of(arguments.workers, arguments.index)
    if team and arguments.ensemble is not None:
        raise DigitsError("--ensemble trains on this machine alone; leave --workers out.")
    if team and team.index:
        return workers.follow(team, recipe, arguments.data)
    if arguments.resume is None:
        recipe = recipe or recipes.RECIPES["default"]
        workers.check_batch(recipe, team)
        mnist = data.load(arguments.data)
        if arguments.ensemble is None:
            folder = runs.create(recipe, arguments.out)
        else:
            folder = ensemble.begin(recipe, arguments.ensemble, arguments.out)
    elif (recipe, arguments.out, arguments.ensemble) == (None, None, None):
        recipe, folder = runs.reopen(arguments.resume), arguments.resume
        workers.check_batch(recipe, team)
        mnist = data.load(arguments.data)
    else:
        raise DigitsError("--resume goes on with the run's own recipe and folder; give it alone.")
    members = runs.members(folder)
    training = len(mnist.train_labels) - recipe.held_out
    print(
        f"MNIST from {mnist.source}, verified: {training:,} digits to train on, "
        f"{recipe.held_out:,} to validate, {len(mnist.test_labels):,} to test.\n"
        f"Recipe {recipe.name}, epochs: {recipe.epochs}, seed: {recipe.seed}"
        f"{f', {members} networks' if members else ''}; "
        f"results go to {folder}."
    )
    try:
        if members is not None:
            ensemble.run(recipe, members, folder, mnist, arguments.data, started)
        else:
            if team:
                workers.meet(team)
                workers.hush_tensorflow()
            with needing("training"), importing_tensorflow():
                from digits.training.pipeline import run
            run(recipe, folder, mnist, started, team)
    except (Interrupted, KeyboardInterrupt) as interruption:
        saved = "; what is finished is saved."
        if isinstance(interruption, Interrupted):
            saved = f" after epoch {interruption.epochs} of {recipe.epochs}, which is saved."
        again = f"python {prog}" if prog.endswith(".py") else prog
        print(f"\nStopped{saved} Go on with: {again} --resume {folder}")
        return 130
    except OSError as error:
        raise DigitsError(
            f"Writing to {folder} failed ({error.strerror or error}); what is finished is kept: "
            f"make room and go on with --resume {folder}."
        ) from error
    print(
        f"\nThe whole story, with figures: {folder / 'report.html'}\n"
        f"Read pictures with it: digits read --model {folder / 'bundle'} photo.jpg"
    )
    return 0


def _read(argv: Sequence[str], prog: str) -> int:
    from digits.commands import read

    return read.command(argv, prog)


def _info(argv: Sequence[str], prog: str) -> int:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Say what a model is: how it was made, how good it is, what it takes and "
        "gives. All files of its bundle are verified.",
    )
    parser.add_argument("--model", type=Path, metavar="BUNDLE", help=SHIPPED)
    parser.add_argument("--json", action="store_true", help="print the manifest as it is")
    arguments = parser.parse_args(argv)
    from digits import bundle
    from digits.commands import info

    found = bundle.read(arguments.model or bundle.SHIPPED, every_file=True)
    if arguments.json:
        say_json(found.manifest, indent=2)
    else:
        say(info.as_text(found))
    return 0


def _evaluate(argv: Sequence[str], prog: str) -> int:
    if any(word.startswith("--sus") for word in argv):  # argparse takes what begins a flag, too
        from digits.studies import suspects

        return suspects.command(argv, prog)
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Measure a model: on MNIST's 10,000 test digits, on the same under the 15 "
        "corruptions of MNIST-C, or on your own pictures.",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the model")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--suite", choices=["corruptions"], help="what to do to the test digits")
    what.add_argument(
        "--images", type=Path, metavar="DIR", help="pictures of one digit each, in folders 0 to 9"
    )
    what.add_argument(
        "--suspects",
        action="store_true",
        help="find MNIST's likely wrong labels instead, with no BUNDLE; has a --help of its own",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args(argv)
    with own_words_only(), needing(prog):
        from digits import bundle
        from digits.data import mnist as data
        from digits.studies import measure

        found = bundle.read(arguments.bundle)
        if arguments.images is not None:
            from digits.reading.reader import Reader

            pictures = watched(measure.labelled_pictures(arguments.images), "picture")
            figures, text = measure.on_pictures(Reader(arguments.bundle), pictures)
        elif arguments.suite is not None:
            mnist = data.load()
            names = watched(measure.suite(), "corruption")
            figures, text = measure.under_corruptions(
                found, mnist.test_images, mnist.test_labels, names
            )
        else:
            mnist = data.load()
            figures, text = measure.on_digits(found, mnist.test_images, mnist.test_labels)
    if arguments.json:
        say_json(figures, indent=2)
    else:
        say(text)
    return 1 if figures.get("unreadable") else 0


def _serve(argv: Sequence[str], prog: str) -> int:
    with needing(prog, "serve"):
        from digits.serving import app

    return app.command(argv, prog)


def _sweep(argv: Sequence[str], prog: str) -> int:
    from digits.runs import sweep

    return sweep.command(argv, prog)


def _compare(argv: Sequence[str], prog: str) -> int:
    from digits.studies import comparison

    return comparison.command(argv, prog)


def _export(argv: Sequence[str], prog: str) -> int:
    parser = argparse.ArgumentParser(
        prog=prog, description="Write the bundle of a finished run again."
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument("--onnx", action="store_true", help="with a file for ONNX Runtime")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the bundle (default: RUN/bundle)")
    arguments = parser.parse_args(argv)
    run, folder = arguments.run, arguments.out or arguments.run / "bundle"
    try:
        metrics = json.loads((run / "metrics.json").read_text())
        metrics["threshold"]  # a bundle cannot do without
    except (OSError, ValueError):
        raise DigitsError(
            f"There is no finished run in {run}: it holds no intact metrics.json."
        ) from None
    except (KeyError, TypeError):
        raise DigitsError(f"The run in {run} is of an older version; train again.") from None
    with needing(prog), own_words_only():
        import keras

        from digits.data import mnist as data
        from digits.training import export

        try:
            model = keras.models.load_model(run / "model.keras")
        except (OSError, ValueError):
            raise DigitsError(
                f"{run / 'model.keras'} is missing or damaged; train again."
            ) from None
        mnist = data.load()
        held_out = metrics["recipe"]["held_out"]
        _, (images, _) = data.split(mnist.train_images, mnist.train_labels, held_out)
        try:
            export.export(model, folder, images, export.manifest_of(metrics), arguments.onnx)
        except OSError as error:
            raise DigitsError(
                f"{folder} cannot be written ({error.strerror or error}); choose another --out."
            ) from None
    say(f"The bundle is in {folder}; look at it with: digits info --model {folder}")
    return 0


def _show(argv: Sequence[str], prog: str) -> int:
    from digits.studies import gallery

    return gallery.command(argv, prog)


def _site(argv: Sequence[str], prog: str) -> int:
    from digits.commands import site

    return site.command(argv, prog)


COMMANDS: dict[str, tuple[Command, str]] = {
    "read": (_read, "read the digits in pictures"),
    "serve": (_serve, "read over HTTP, and serve the page to draw on"),
    "site": (_site, "write the web page that reads on its user's device"),
    "info": (_info, "say what a model is, and how good"),
    "evaluate": (_evaluate, "measure a model on MNIST, or on your own pictures"),
    "train": (_train, "train a network on MNIST and report how good it is"),
    "sweep": (_sweep, "train many recipes and seeds, several at a time"),
    "compare": (_compare, "put finished training runs side by side"),
    "export": (_export, "write the model of a training run for other programs"),
    "show": (_show, "draw what each augmentation does to digits"),
}

if __name__ == "__main__":
    sys.exit(main())
