"""`digits sweep`: trains many recipes, several at a time."""

import argparse
from pathlib import Path

from digits.commands import add_data_flag
from digits.data.mnist import load_mnist
from digits.errors import DigitsError
from digits.runs import engines, sweep_spec
from digits.runs.scheduler import heeding_signals, train_all
from digits.runs.sweep import alone, plan, table, write_results
from digits.terminal import note, say


def parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Train many recipes, several at a time, each in a process of its own. The\n"
        "same command again resumes what was stopped; what is finished is not trained\nagain.",
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
    add_data_flag(parser)
    return parser


def run(arguments: argparse.Namespace, prog: str) -> int:
    """Trains what the file names.

    Returns:
        the exit status: 0 all runs are finished, 1 some failed, 130 stopped by Ctrl-C, 143 by
        SIGTERM.

    Raises:
        DigitsError: a mistake in the arguments or in the file, or no MNIST.
    """
    if arguments.processes is not None and arguments.engine == "ray":
        raise DigitsError("--processes is for --engine processes; Ray gives each run a core.")
    if arguments.processes is not None and arguments.processes < 1:
        raise DigitsError(f"--processes must be at least 1, not {arguments.processes}.")
    if arguments.address is not None and arguments.engine != "ray":
        raise DigitsError("--address is that of a Ray cluster; give --engine ray with it.")
    planned = plan(sweep_spec.read(arguments.spec), arguments.out)
    load_mnist(arguments.data)  # once, and into the cache, before many processes want it
    if arguments.engine == "ray":
        opened = engines.on_ray(arguments.address, arguments.data)
    else:
        opened = engines.processes(arguments.processes, arguments.data)
    try:
        with alone(arguments.out), opened as engine, heeding_signals():
            failures = train_all(planned, engine)
    except (KeyboardInterrupt, SystemExit) as end:
        note("Stopped; each run is saved after its last epoch. Resume with the same command.")
        return 130 if isinstance(end, KeyboardInterrupt) else int(end.code or 0)
    finally:
        results = write_results(planned, arguments.out / "sweep.jsonl")
    if results:
        say(table(results))
        say(f"\nEvery figure of each run: {arguments.out / 'sweep.jsonl'}")
    for run, reason in failures.items():
        note(f"{prog}: {run.name} failed: {reason}")
    return 1 if failures else 0
