"""Several processes that serve, each with an application of its own."""

import multiprocessing
import signal
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from digits.serving.connections.protocol import BACKLOG


def leave(number: int, frame: FrameType | None) -> NoReturn:
    """Handles a signal as an exit with status 0, which clears away what is temporary."""
    raise SystemExit(0)


class Config(uvicorn.Config):
    """uvicorn's configuration, with which each process begins: there, SIGTERM is an exit.

    uvicorn sends the signal to itself again once all is answered.
    """

    def configure_logging(self) -> None:
        super().configure_logging()
        if multiprocessing.parent_process() is not None:
            signal.signal(signal.SIGTERM, leave)


class Workers(Multiprocess):
    """uvicorn's processes, which would listen until the last has ended, though none accepts.

    Attributes:
        failed: whether one could not start.
    """

    failed = False

    def keep_subprocess_alive(self) -> None:
        before = [*self.processes]
        super().keep_subprocess_alive()
        self.failed |= any(process.exitcode == STARTUP_FAILURE for process in before)
        for listener in self.sockets:
            listener.listen(BACKLOG)  # each process made the queue short

    def terminate_all(self) -> None:
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


def serve(config: Config, listeners: list[Any]) -> bool:
    """Serves until a signal stops it; returns whether it could start."""
    workers = Workers(config, listeners)
    workers.run()
    return not workers.failed
