"""Where many runs are trained: processes of this machine, or a Ray cluster.

Either way a run is a process of its own, `digits train --resume FOLDER`, so that a crash or a kill
touches one run only. An engine starts it and says how it ended; what to start, and whether to try
again, is decided in sweep.py.
"""

import contextlib
import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digits.errors import DigitsError

OUTPUT = "output.txt"  # in the folder of a run: what it printed
PATIENCE = 20  # seconds that runs have to stop in when they are asked to
SHARED_SECONDS = 90  # in which a file that another machine wrote must be seen on a shared disk
KILLED = -9  # exit status of a process that is killed, on Unix
PR_SET_PDEATHSIG = 1  # of prctl(2)

Cores = Sequence[int]  # to compute on; none for wherever the system likes
Poll = Callable[[], int | None]


@dataclass(frozen=True)
class Engine:
    """What trains runs.

    Attributes:
        room: how many runs it takes at once, as of now, at least 1.
        start: goes on training the run in a folder, and returns a function that tells its exit
            status, negative for the signal that killed it, or None while it is at work. That
            function raises DigitsError when no run can succeed this way.
    """

    room: Callable[[], int]
    start: Callable[[Path], Poll]


@contextmanager
def processes(count: int | None = None, data: Path | None = None) -> Iterator[Engine]:
    """Trains on this machine. Whatever is still at work when the block ends is stopped.

    Args:
        count: runs at once, each with its share of the cores that this process may use; default
            one a core.
        data: as `digits train --data`.
    """
    shares = shares_of_cores(count)
    at_work: dict[int, subprocess.Popen[bytes]] = {}

    def start(folder: Path) -> Poll:
        place = next(place for place in range(len(shares)) if place not in at_work)
        process = at_work[place] = _train(folder, shares[place], data)

        def poll() -> int | None:
            status = process.poll()
            if status is not None:
                at_work.pop(place, None)
            return status

        return poll

    try:
        yield Engine(lambda: len(shares), start)
    finally:
        _stop(list(at_work.values()))


@contextmanager
def on_ray(address: str | None = None, data: Path | None = None) -> Iterator[Engine]:
    """Trains as tasks of Ray, one core each. Whatever is still at work when the block ends is
    stopped.

    Args:
        address: of a cluster, as `ray.init` takes it; default a Ray of this machine alone.
        data: as `digits train --data`; found by all machines of the cluster.

    Raises:
        DigitsError: Ray is not installed, or no cluster answers.
    """
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # or it warns of what it will change
    }
    try:
        import ray
    except ModuleNotFoundError:
        raise DigitsError(
            "ray is not installed, which --engine ray needs; install it with: "
            'pip install -e ".[train,cluster]", or leave --engine out.'
        ) from None
    own: dict[str, Any] = {
        "num_cpus": len(_cores()) or os.cpu_count(),
        "include_dashboard": False,
        "object_store_memory": 100 << 20,  # nothing is stored; Ray would take a third of memory
    }
    try:
        ray.init(
            address=address or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if address else own),
        )
    except Exception as error:  # Ray's own are of no kind, as that it took too long to start
        ray.shutdown()
        where = f"at {address}" if address else "on this machine"
        reason = str(error).partition("\n")[0]
        raise DigitsError(f"Ray does not start or answer {where} ({reason}).") from None
    task = ray.remote(num_cpus=1, max_retries=0)(train_in_task)
    at_work: list[Any] = []

    def start(folder: Path) -> Poll:
        promise = task.remote(folder.absolute(), data and data.absolute())
        at_work.append(promise)
        seen_by = float("inf")

        def poll() -> int | None:
            nonlocal seen_by
            if not ray.wait([promise], timeout=0)[0]:
                return None
            try:
                status = ray.get(promise)
            except ray.exceptions.RayTaskError as error:
                raise DigitsError(
                    f"Ray could not train {folder} ({error.cause}); every machine of the cluster "
                    "needs this version of this package."
                ) from None
            except ray.exceptions.RayError:  # its worker or machine is gone
                status = KILLED
            if isinstance(status, str):
                raise DigitsError(status)
            if status == 0 and not (folder / "metrics.json").exists():
                seen_by = min(seen_by, time.monotonic() + SHARED_SECONDS)
                if time.monotonic() < seen_by:
                    return None
                raise DigitsError(_not_shared(folder, "this machine"))
            if promise in at_work:
                at_work.remove(promise)
            return int(status)

        return poll

    try:
        yield Engine(lambda: max(1, int(ray.cluster_resources().get("CPU", 1))), start)
    finally:
        try:
            for promise in at_work:
                ray.cancel(promise)
            if at_work:
                ray.wait(at_work, num_returns=len(at_work), timeout=PATIENCE + 5)
        finally:
            ray.shutdown()


def train_in_task(folder: Path, data: Path | None) -> int | str:
    """Goes on with a run, in a process beside Ray's worker, on a core that no other task uses.

    Returns:
        the exit status, or a sentence when the folder is not on this machine.
    """
    if not (folder / "run.json").exists():
        return _not_shared(folder, socket.gethostname())
    with core_of_its_own() as cores:
        process = _train(folder, cores, data)
        try:
            while (status := process.poll()) is None:  # not wait(), which cancelling cannot end
                time.sleep(0.1)
            return status
        finally:
            _stop([process])


def shares_of_cores(count: int | None) -> list[Cores]:
    """The cores that this process may use, dealt out to `count` runs at once, default one each.

    When there are more runs than cores, some share one. Only Linux lets a process choose; elsewhere
    the shares are empty.
    """
    cores = _cores()
    count = count or len(cores) or os.cpu_count() or 1
    if not cores:
        return [()] * count
    if count > len(cores):
        return [[cores[place % len(cores)]] for place in range(count)]
    bounds = [place * len(cores) // count for place in range(count + 1)]
    return [cores[low:high] for low, high in itertools.pairwise(bounds)]


def main(arguments: Sequence[str]) -> int:
    """Runs `digits` as a child: `PARENT CORES ARGUMENT...`, cores as in `0,1`, or empty.

    It dies with its parent, on Linux, even if that is killed without having a say.
    """
    parent, cores, *rest = arguments
    # Ctrl-C works even if who started all this ignored it, as shells do for what runs behind.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):  # it died before that
            return 1
        if cores:
            os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    from digits import cli

    return cli.main(rest)


def _train(folder: Path, cores: Cores, data: Path | None) -> subprocess.Popen[bytes]:
    """Starts a process that goes on with a run and adds what it prints to the run's folder."""
    command = [
        sys.executable,
        "-m",
        "digits.runs.engines",
        str(os.getpid()),
        ",".join(map(str, cores)),
    ]
    command += ["train", "--resume", str(folder)]
    command += ["--data", str(data)] if data else []
    package = str(Path(__file__).parent.parent.parent)  # found again even where it is not installed
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    with (folder / OUTPUT).open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C is for whoever started it, who passes it on once
        )


def _stop(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ends runs as Ctrl-C does, and kills what takes too long; a second Ctrl-C kills at once."""
    try:
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(subprocess.TimeoutExpired):
            for process in running:
                process.wait(max(0, deadline - time.monotonic()))
    finally:
        for process in running:
            process.kill()
            process.wait()


@contextmanager
def core_of_its_own() -> Iterator[Cores]:
    """A core that no other task on this machine has; wherever the system likes, if all are taken.

    Ray counts cores without handing them out. A name of a Unix socket belongs to one process, and
    is free again as soon as that ends, however it does.
    """
    if not _cores():
        yield []
        return
    claimed: Cores = []
    with socket.socket(socket.AF_UNIX) as mark:
        for core in _cores():
            with contextlib.suppress(OSError):
                mark.bind(f"\0digits trains on core {core}")
                claimed = [core]
                break
        yield claimed


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def _not_shared(folder: Path, machine: str) -> str:
    return (
        f"{folder} is not on {machine}; --out must be on a disk that all machines of the cluster "
        "share."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
