"""The command line: `digits COMMAND ...`, and `python mnist_model.py`, which is `digits train`.

Each command is a module of `digits.commands`. Only the one that runs is imported, so that reading
starts at once.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from digits.errors import DigitsError
from digits.terminal import abandon_output, needing

COMMANDS = {
    "read": "read the digits in pictures",
    "serve": "read over HTTP, and serve the page to draw on",
    "site": "write the web page that reads on its user's device",
    "info": "describe a model and how good it is",
    "evaluate": "measure a model on MNIST, or on your own pictures",
    "train": "train a network on MNIST and report how good it is",
    "teach": "teach a model your own hand",
    "label": "cut a page of known digits into pictures to teach with",
    "models": "list the recipes: what each is, how good, how long it takes here",
    "sweep": "train many recipes and seeds, several at a time",
    "compare": "compare finished training runs",
    "export": "write the model of a training run for other programs",
    "show": "draw what each augmentation does to digits",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that the first argument names.

    Returns:
        the exit status: 0 success, 1 a picture could not be read or a run failed, 2 a mistake that
        the user can correct, 130 stopped by Ctrl-C, 141 the reader of standard output is gone, 143
        stopped by SIGTERM.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments and arguments[0] in COMMANDS:
        name, *rest = arguments
        return run(name, rest, f"digits {name}")
    from importlib.metadata import version

    parser = argparse.ArgumentParser(
        prog="digits",
        usage="digits COMMAND ...",
        description="Read handwritten digits, and train the network that reads them.",
        epilog="commands:\n"
        + "".join(f"  {name:10}{meaning}\n" for name, meaning in COMMANDS.items())
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


def run(name: str, argv: Sequence[str], prog: str) -> int:
    """Runs one of `COMMANDS`, which messages call `prog`, and returns the exit status; see `main`.

    What the user can correct ends it with a sentence instead of a traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # characters that a terminal lacks are escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    command = import_module(f"digits.commands.{name}")
    parser = argparse.ArgumentParser(prog=prog, description=command.__doc__)
    command.add_flags(parser)
    try:
        with needing(prog, "serve" if name == "serve" else "train"):
            return command.run(parser.parse_args(argv), prog) or 0
    except DigitsError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as after `| head -1`
        abandon_output()
        return 141


if __name__ == "__main__":
    sys.exit(main())
