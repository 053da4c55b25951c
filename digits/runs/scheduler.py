"""Runs that are to be trained -> finished runs: started, watched, and started again."""

import signal
import statistics
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

from digits.errors import DigitsError
from digits.files import PARTIAL
from digits.runs.engines import Engine, Poll
from digits.runs.history import Epoch
from digits.runs.run import Run, create
from digits.terminal import can_redraw, note, status_lines

ATTEMPTS = 3  # for a run whose process is killed or crashes
MENDABLE = 2  # exit status of a mistake that the user can mend: the same again would not help
PAUSE = 0.2  # seconds between looks at what goes on
NAME_WIDTH = 34  # columns at most, so that a run's line fits a terminal of 80


def train_all(planned: Sequence[Run], engine: Engine) -> dict[Run, str]:
    """Trains what is not finished, and shows a line for each run on standard error meanwhile.

    A run whose process is killed or crashes goes on from its last epoch, up to `ATTEMPTS` times in
    all; the others go on whatever becomes of it.

    Returns:
        for each run that failed, why.

    Raises:
        DigitsError: with this engine no run can succeed.
    """
    if done := sum(run.finished for run in planned):
        note(f"Finished already: {done} of {len(planned)} runs.")
    failures: dict[Run, str] = {}
    try:
        _watch(planned, _looks(planned, engine, failures), failures)
    except (KeyboardInterrupt, SystemExit):
        note("Stopping what is at work; Ctrl-C kills it.")
        raise
    return failures


News = list[tuple[Run, str]]
Look = tuple[News, dict[Run, float]]


def _watch(planned: Sequence[Run], looks: Iterator[Look], failures: Mapping[Run, str]) -> None:
    """Shows how things stand, at each look."""
    width = min(NAME_WIDTH, max(len(run.name) for run in planned))
    finished = {run for run in planned if run.finished}
    epochs = {run: len(run.history()) for run in planned}
    before, began = sum(epochs.values()), time.monotonic()
    told: dict[Run, str] = {}
    live = can_redraw()
    with status_lines() as show:
        for news, at_work in looks:
            said = [_line(run, text, width) for run, text in news]
            finished |= {run for run, _ in news if run.finished}
            lines = []
            for run in filter(at_work.__contains__, planned):
                done = run.history()
                epochs[run] = len(done)
                lines.append(_line(run, _progress(run, done, at_work[run]), width))
                stand = f"{at_work[run]} {len(done)}"
                if not live and told.get(run) != stand:  # a log gets a line an epoch
                    told[run] = stand
                    said.append(lines[-1])
            text = f"{len(finished)} of {len(planned)} finished, {len(at_work)} at work"
            if failures:
                text += f", {len(failures)} failed"
            if (trained := sum(epochs.values()) - before) > 0:
                left = sum(run.recipe.epochs - epochs[run] for run in {*planned} - {*failures})
                pace = (time.monotonic() - began) / trained
                text += f", about {_duration(pace * left)} left"
            show(said, [*lines, text])


def _looks(planned: Sequence[Run], engine: Engine, failures: dict[Run, str]) -> Iterator[Look]:
    """Starts runs, and starts them again. A few times a second it gives what became of runs since
    the last look, and those at work with the time when they were started. Adds to `failures`."""
    waiting = deque(run for run in planned if not run.finished)
    at_work: dict[Run, tuple[float, Poll]] = {}
    attempts = Counter[Run]()
    news: News = []
    while waiting or at_work:
        while waiting and len(at_work) < engine.room():
            run = waiting.popleft()
            attempts[run] += 1
            try:
                _prepare(run)
                at_work[run] = time.time(), engine.start(run.folder)
            except (DigitsError, OSError) as error:
                failures[run] = str(error)
                news.append((run, f"failed: {error}"))
        yield news, {run: since for run, (since, _) in at_work.items()}
        news = []
        time.sleep(PAUSE)
        for run, (_, poll) in [*at_work.items()]:
            status = poll()
            if status is None:
                continue
            del at_work[run]
            if run.finished:
                news.append((run, _outcome(run)))
            elif status != MENDABLE and attempts[run] < ATTEMPTS:
                waiting.appendleft(run)
                again = f"tried again, {attempts[run] + 1} of {ATTEMPTS}"
                news.append((run, f"{_end(status)}; {again}"))
            else:
                failures[run] = _reason(run, status, attempts[run])
                news.append((run, f"failed: {failures[run]}"))
    yield news, {}


def _prepare(run: Run) -> None:
    """Makes the run's folder if it is new, or if whoever began to was killed."""
    if (run.folder / "run.json").exists():
        return
    for leftover in run.folder.glob(f"*{PARTIAL}"):
        leftover.unlink()
    create(run.recipe, run.folder)


def _end(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"ended with status {status}"


def _reason(run: Run, status: int, attempts: int) -> str:
    """Why a run failed; of a mistake that can be mended the run itself said it last."""
    path = run.output
    said = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    if status == MENDABLE and said:
        return said[-1].partition(": ")[2] or said[-1]
    return f"{_end(status)}, {attempts} times; what it said is in {path}."


# What is shown of it.


def _line(run: Run, text: str, width: int) -> str:
    name, end = run.name, width // 2
    if len(name) > width:  # its end is the seed
        name = f"{name[: width - end - 1]}…{name[-end:]}"
    return f"{name:{width}}  {text}"


def _progress(run: Run, lines: Sequence[Epoch], since: float) -> str:
    """What there is to say of a run at work with these lines of history, started at `since`."""
    epochs = run.recipe.epochs
    if not lines:
        return f"epoch 0/{epochs}"
    text = f"epoch {len(lines)}/{epochs}  validation {lines[-1].validation_accuracy:.2%}"
    if len(lines) >= epochs:
        return f"{text}  measuring"
    saved = (run.folder / "history.csv").stat().st_mtime
    if saved < since:
        return f"{text}  starting"
    mean = statistics.fmean(line.seconds for line in lines)
    left = (epochs - len(lines)) * mean - (time.time() - saved)
    return f"{text}  {_duration(left)} left"


def _outcome(run: Run) -> str:
    metrics = run.metrics()
    return (
        f"finished  validation {metrics['validation_accuracy']:.2%}  "
        f"test {metrics['test_accuracy']:.2%}"
    )


def _duration(seconds: float) -> str:
    seconds = max(0, seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Ends the block in good order when it is asked to by SIGTERM, or by a terminal that closes."""

    def end(number: int, _: object) -> NoReturn:
        raise SystemExit(128 + number)

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
