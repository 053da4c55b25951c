"""What standard error shows while runs are trained: lines that are redrawn, or those of a log."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from digits.errors import DigitsError
from digits.runs.run import Run

NAME_WIDTH = 34  # columns at most, so that a run's line fits a terminal of 80


@dataclass
class Status:
    """Where runs stand; it changes while they are trained."""

    planned: Sequence[Run]  # all of them
    running: dict[Run, float] = field(default_factory=dict)  # when each started, s since 1970
    finished: set[Run] = field(default_factory=set)  # trained and measured
    failures: dict[Run, str] = field(default_factory=dict)  # why each failed
    news: list[tuple[Run, str]] = field(default_factory=list)  # what has not been shown yet

    def fail(self, run: Run, reason: str) -> None:
        self.failures[run] = reason
        self.news.append((run, f"failed: {reason}"))


@contextmanager
def shown(status: Status) -> Iterator[Callable[[], None]]:
    """Gives a function that shows the status at the time of the call.

    On a terminal, news is followed by lines that take the place of the last ones: one for each run
    at work, and one with the totals. In a log, each epoch and all news get a line.
    """
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True, force_terminal=sys.stderr.isatty())
    redraws = console.is_terminal and not console.is_dumb_terminal
    width = min(NAME_WIDTH, max(len(run.name) for run in status.planned))
    epochs = {run: _progress(run)[0] for run in status.planned}
    before, began = sum(epochs.values()), time.monotonic()
    logged: dict[Run, tuple[float, int]] = {}

    def show() -> None:
        news = [_line(run, text, width) for run, text in status.news]
        status.news.clear()
        lines = []
        for run, started in status.running.items():
            epochs[run], text = _progress(run, started)
            lines.append(_line(run, text, width))
            if not redraws and logged.get(run) != (started, epochs[run]):
                logged[run] = started, epochs[run]
                news.append(lines[-1])
        lines.append(_totals(status, epochs, before, time.monotonic() - began))
        fitting = "\n".join(lines[-console.height + 1 :])
        live.update(Text(fitting, no_wrap=True, overflow="ellipsis"), refresh=True)
        for line in news:
            console.print(Text(line), soft_wrap=True)

    # Where nothing can be redrawn, this shows nothing.
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        yield show


def _line(run: Run, text: str, width: int) -> str:
    name, end = run.name, width // 2
    if len(name) > width:  # its end is the seed
        name = f"{name[: width - end - 1]}…{name[-end:]}"
    return f"{name:{width}}  {text}"


def _progress(run: Run, started: float = 0) -> tuple[int, str]:
    """How many epochs are finished, and what to show of a run that was started at a time."""
    total = run.recipe.epochs
    try:
        history = run.history()
    except DigitsError:  # for which it fails, but not before it ends
        return 0, "history.csv is damaged"
    if not history:
        return 0, f"epoch 0/{total}"
    done = len(history)
    text = f"epoch {done}/{total}  validation {history[-1].validation_accuracy:.2%}"
    if done >= total:
        return done, f"{text}  measuring"
    saved = (run.folder / "history.csv").stat().st_mtime
    if saved < started:
        return done, f"{text}  starting"
    mean = statistics.fmean(epoch.seconds for epoch in history)
    left = (total - done) * mean - (time.time() - saved)
    return done, f"{text}  {_duration(left)} left"


def _totals(status: Status, epochs: dict[Run, int], before: int, seconds: float) -> str:
    """How many runs are in which state, and the time left, from the epochs before and since."""
    text = f"{len(status.finished)} of {len(status.planned)} finished"
    text += f", {len(status.running)} at work"
    if status.failures:
        text += f", {len(status.failures)} failed"
    trained = sum(epochs.values()) - before
    remaining = {*status.planned} - {*status.failures} - status.finished
    left = sum(run.recipe.epochs - epochs[run] for run in remaining)
    if trained > 0 and left > 0:
        text += f", about {_duration(seconds / trained * left)} left"
    return text


def _duration(seconds: float) -> str:
    seconds = max(0, seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
