"""Several processes that serve, each with an application of its own."""

from typing import Any

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from digits.serving.connections.protocol import BACKLOG


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


def serve(config: Any, listeners: list[Any]) -> bool:
    """Serves until a signal stops it; returns whether it could start."""
    workers = Workers(config, listeners)
    workers.run()
    return not workers.failed
