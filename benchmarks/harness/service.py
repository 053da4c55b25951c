"""`digits serve` as a process, for the benchmarks that ask it."""

import contextlib
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence

from benchmarks.harness.http_load import Address

COMMAND = [sys.executable, "-m", "digits.cli", "serve", "--no-browser", "--port", "0"]
SECONDS = 60  # that it may take to end


@contextlib.contextmanager
def running(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], Address]]:
    """Runs a command that ends in `COMMAND` and its flags during a block, and gives the process and
    its address, once it can read."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://([\d.]+):(\d+)", process.stdout.readline())
            assert found
            address = found[1], int(found[2])
            get(address, "/readyz")
            yield process, address
        finally:
            process.terminate()
            process.wait(SECONDS)


def get(address: Address, path: str) -> str:
    """The body of the answer to a GET request."""
    with urllib.request.urlopen("http://{}:{}{}".format(*address, path), timeout=60) as answer:
        return answer.read().decode()
