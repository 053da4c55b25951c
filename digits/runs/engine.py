"""What the scheduler needs from the modules that train runs, `processes` and `ray_cluster`.

Each run is a process of its own, `digits train --resume FOLDER`, so a crash or a kill affects that
run only. An engine starts the process and reports how it ended. The scheduler decides what to
start, and whether to try again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from digits.runs.run import Run

Poll = Callable[[], int | None]

STOP_SECONDS = 20  # that a run gets to end in after it is asked to


@dataclass(frozen=True)
class Engine:
    """Something that trains runs.

    Attributes:
        capacity: returns how many runs it can train at once at this moment, at least 1.
        start: resumes a run and returns a function. That function returns the exit status, negative
            for the signal that killed the process, or None while it is running. It raises
            DigitsError if no run can succeed with this engine.
    """

    capacity: Callable[[], int]
    start: Callable[[Run], Poll]
