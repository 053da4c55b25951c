"""Starts runs, watches them until they are finished, and restarts those whose process dies.

Each run is a process of its own, `digits train --resume FOLDER`, so a crash or a kill affects that
run only. An engine, from `processes` or `ray_cluster`, starts the process and reports how it ended.
"""

import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from digits.errors import DigitsError
from digits.files import PARTIAL
from digits.runs import network_file
from digits.runs.progress import Status, shown
from digits.runs.run import Run, create
from digits.terminal import note

ATTEMPTS = 3  # at a run whose process is killed or crashes
CORRECTABLE = 2  # exit status of a mistake that the user can correct; trying again would not help
PAUSE = 0.2  # seconds between looks at the processes

# Returns None while a run is trained, and then the exit status of its process, negative for the
# signal that killed it. It raises DigitsError if no run can succeed with the engine.
Poll = Callable[[], int | None]


@dataclass(frozen=True)
class Engine:
    """Something that trains runs."""

    capacity: Callable[[], int]  # returns how many runs it can train at this moment, at least 1
    start: Callable[[Run], Poll]  # resumes a run


@contextmanager
def _handling_signals() -> Iterator[None]:
    """Ends the block with SystemExit on SIGTERM or when the terminal is closed."""

    def end(number: int, _: object) -> NoReturn:
        raise SystemExit(128 + number)

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@_handling_signals()
def train_all(
    planned: Sequence[Run], engine: Engine, own_network: Path | None = None
) -> dict[Run, str]:
    """Trains the unfinished runs, and shows their progress on standard error meanwhile.

    Runs of the user's own network get their folders, with a copy of the user's file, at once: the
    file may be another by the time that their turn comes. `own_network` is where to copy it from,
    by default the file itself. A run whose process is killed or crashes is resumed from its last
    epoch, up to `ATTEMPTS` attempts in all. A run that fails does not affect the others.

    Returns:
        the runs that failed, each with the reason.

    Raises:
        DigitsError: no run can succeed with this engine, or the user's file cannot be copied.
        SystemExit: SIGTERM, or the terminal is closed.
    """
    status = Status(planned)
    for run in planned:
        if network_file.is_own(run.recipe.network) and not (run.folder / "run.json").exists():
            _prepare(run, own_network)
        if run.finished:
            _finish(run, status)
    status.news = [(run, text) for run, text in status.news if run in status.failures]
    if status.finished:
        note(f"Finished already: {len(status.finished)} of {len(planned)} runs.")
    try:
        with shown(status) as show:
            _train(status, engine, show)
    except (KeyboardInterrupt, SystemExit):
        note("Stopping the runs at work; Ctrl-C kills them.")
        raise
    return status.failures


def _train(status: Status, engine: Engine, show: Callable[[], None]) -> None:
    waiting = deque(run for run in status.planned if not run.finished)
    processes: dict[Run, Poll] = {}
    attempts = Counter[Run]()
    while waiting or processes:
        while waiting and len(processes) < engine.capacity():
            run = waiting.popleft()
            attempts[run] += 1
            try:
                _prepare(run)
                processes[run] = engine.start(run)
                status.running[run] = time.time()
            except (DigitsError, OSError) as error:
                status.fail(run, str(error))
        show()
        time.sleep(PAUSE)
        for run, poll in [*processes.items()]:
            exit_status = poll()
            if exit_status is None:
                continue
            del processes[run], status.running[run]
            if run.finished:
                _finish(run, status)
            elif exit_status != CORRECTABLE and attempts[run] < ATTEMPTS:
                waiting.appendleft(run)
                again = f"tried again, {attempts[run] + 1} of {ATTEMPTS}"
                status.news.append((run, f"{_end(exit_status)}; {again}"))
            else:
                status.fail(run, _reason(run, exit_status, attempts[run]))
    show()


def _prepare(run: Run, own_network: Path | None = None) -> None:
    """Makes the run's folder, or checks the history in the one that it has. Raises DigitsError or
    OSError if it cannot be made, or the history is damaged."""
    if (run.folder / "run.json").exists():
        run.history()
        return
    for leftover in run.folder.glob(f"*{PARTIAL}"):  # of a process that was killed
        leftover.unlink()
    create(run.recipe, run.folder, own_network=own_network, data=run.data)


def _finish(run: Run, status: Status) -> None:
    """Counts a run as finished, or as failed if its files are damaged."""
    try:
        run.history()
        metrics = run.metrics()
    except DigitsError as error:
        status.fail(run, str(error))
        return
    status.finished.add(run)
    validation, test = metrics["validation_accuracy"], metrics["test_accuracy"]
    status.news.append((run, f"finished  validation {validation:.2%}  test {test:.2%}"))


def _end(exit_status: int) -> str:
    killed = exit_status < 0
    return f"killed by signal {-exit_status}" if killed else f"ended with status {exit_status}"


def _reason(run: Run, exit_status: int, attempts: int) -> str:
    """Why a run failed; if the user can correct it, that is what the run printed last."""
    printed = run.output.read_text(errors="replace") if run.output.exists() else ""
    lines = printed.strip().splitlines()
    if exit_status == CORRECTABLE and lines:
        return lines[-1].partition(": ")[2] or lines[-1]
    return f"{_end(exit_status)}, {attempts} times; what it printed is in {run.output}."
