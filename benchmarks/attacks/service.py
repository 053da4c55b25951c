"""The service with little memory, and a look at what it takes."""

import contextlib
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import service
from benchmarks.harness.control_group import control_group
from benchmarks.harness.http_load import Address

EVERY = 0.02  # seconds between looks at the memory


@contextlib.contextmanager
def limited(limit: int) -> Iterator[tuple[subprocess.Popen[str], Address, str]]:
    """Runs `digits serve` with so many bytes of memory during a block, and gives its process, its
    address, and how the memory is limited."""
    with control_group(limit) as join:
        how = "control group" if join else "ulimit -v"
        before = join or f"ulimit -v {limit >> 10}"
        command = ["sh", "-c", f'{before}; exec "$0" "$@"', *service.COMMAND]
        with service.running(command) as (process, address):
            yield process, address, how


class Watch:
    """Looks at the memory of a process and its descendants until the block ends.

    Attributes:
        peak: the most that there was, in bytes.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.peak = 0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            self.peak = max(self.peak, memory(self._process))


def memory(process: int) -> int:
    """The bytes of a process and its descendants; what they share counts once."""
    total, everyone = 0, [process]
    for one in everyone:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
            everyone.extend(map(int, children))
            found = re.search(r"^Pss: +(\d+)", Path(f"/proc/{one}/smaps_rollup").read_text(), re.M)
            total += int(found[1]) << 10 if found else 0
    return total
