"""Train many recipes, several at a time, each in a process of its own. The
same command again resumes unfinished runs, and does not train finished ones.
"""

import argparse
from pathlib import Path

from digits.commands import add_data_flag, add_not_digits_flag
from digits.errors import DigitsError
from digits.labelled import opening
from digits.runs import processes, ray_cluster, sweep_spec
from digits.runs.recipes import for_data
from digits.runs.run import Run
from digits.runs.scheduler import train_all
from digits.runs.sweep import locked, plan, table, write_results
from digits.terminal import note, say
from digits.training import trial


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = sweep_spec.FORM
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("spec", type=Path, metavar="SPEC", help="file of recipes, see below")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="where each run gets its folder"
    )
    parser.add_argument(
        "--engine",
        choices=["processes", "ray"],
        default="processes",
        help="processes on this machine (default), or tasks of Ray with one core each",
    )
    parser.add_argument(
        "--processes", type=int, metavar="N", help="runs at once (default: one per core)"
    )
    parser.add_argument(
        "--address", help="Ray cluster, whose machines share DIR (default: this machine alone)"
    )
    add_data_flag(parser)
    add_not_digits_flag(parser)


def run(arguments: argparse.Namespace, prog: str) -> int:
    """Returns the exit status: 0 all runs are finished, 1 some failed, 130 stopped by Ctrl-C, 143
    by SIGTERM."""
    if arguments.processes is not None and arguments.engine == "ray":
        raise DigitsError("--processes is for --engine processes; Ray gives each run a core.")
    if arguments.processes is not None and arguments.processes < 1:
        raise DigitsError(f"--processes must be at least 1, not {arguments.processes}.")
    if arguments.address is not None and arguments.engine != "ray":
        raise DigitsError("--address names a Ray cluster; add --engine ray.")
    wanted = sweep_spec.read(arguments.spec)
    # MNIST goes into the cache, once, before many processes need it.
    data = opening.load(arguments.data, arguments.not_digits)
    wanted = list(dict.fromkeys(for_data(recipe, data) for recipe in wanted))
    planned = plan(trial.all_tried(wanted), arguments.out, data.own)
    if arguments.engine == "ray":
        opened = ray_cluster.engine(arguments.address, arguments.data)
    else:
        opened = processes.engine(arguments.processes, arguments.data)
    failures: dict[Run, str] = {}
    try:
        with locked(arguments.out), opened as engine:
            failures = train_all(planned, engine)
    except (KeyboardInterrupt, SystemExit) as end:
        note("Stopped; each run is saved after its last epoch. Resume with the same command.")
        return 130 if isinstance(end, KeyboardInterrupt) else int(end.code or 0)
    finally:
        succeeded = [run for run in planned if run not in failures]
        results = write_results(succeeded, arguments.out / "sweep.jsonl")
    if results:
        say(table(results))
        say(f"\nAll figures of each run: {arguments.out / 'sweep.jsonl'}")
    for run, reason in failures.items():
        note(f"{prog}: {run.name} failed: {reason}")
    return 1 if failures else 0
