"""Training on several machines at once: who the workers are, and how they find each other.

Worker 0 leads: it alone has the folder of results, so no disk need be shared, and reports. What
they do together is in distributed.py, which needs TensorFlow.
"""

import argparse
import json
import os
import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from digits.errors import DigitsError
from digits.runs.recipes import Recipe
from digits.terminal import say

PATIENCE = 300  # seconds in which all workers must have been started
ADDRESS = re.compile(r"([\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})", re.ASCII)
TOGETHER = "start all workers again, worker 0 with --resume"


@dataclass(frozen=True)
class Team:
    """The workers of a run, two or more.

    Attributes:
        addresses: "host:port" of each, in the same order on all of them.
        index: the place of this one among them; 0 leads.
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def others(self) -> list[int]:
        return [place for place in range(len(self.addresses)) if place != self.index]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds `--workers` and `--index` to a command's parser."""
    parser.add_argument(
        "--workers",
        metavar="HOST:PORT,...",
        help="train on several machines at once; the same list on each (default: TF_CONFIG, or "
        "this machine alone)",
    )
    parser.add_argument(
        "--index",
        type=int,
        metavar="I",
        help="which of --workers this one is, from 0; worker 0 has the results, and the others "
        "take the recipe from it",
    )


def team_of(workers: str | None, index: int | None) -> Team | None:
    """The team that flags ask for, or else the environment variable TF_CONFIG.

    Args:
        workers, index: as given for `--workers` and `--index`.

    Returns:
        None for one worker, which trains alone.

    Raises:
        DigitsError: a list, an index or a TF_CONFIG that cannot be meant.
    """
    if workers is not None:
        if index is None:
            raise DigitsError("--workers needs --index: which of them this one is, from 0.")
        addresses, source = workers.split(","), "--workers"
    elif index is not None:
        raise DigitsError("--index says which of the --workers this one is; give --workers, too.")
    elif os.environ.get("TF_CONFIG"):
        (addresses, index), source = _tf_config(os.environ["TF_CONFIG"]), "TF_CONFIG"
    else:
        return None
    for address in addresses:
        match = ADDRESS.fullmatch(address)
        if not match or not 0 < int(match[2]) < 1 << 16:
            raise DigitsError(
                f"{address!r} in {source} is not HOST:PORT, as in 192.168.0.7:2222 or node3:2222."
            )
        if addresses.count(address) > 1:
            raise DigitsError(f"{source} names {address} twice; each worker needs its own address.")
    if not 0 <= index < len(addresses):
        raise DigitsError(
            f"The index must be from 0 to {len(addresses) - 1}, as {source} names "
            f"{len(addresses)}, not {index}."
        )
    return Team(tuple(addresses), index) if len(addresses) > 1 else None


def _tf_config(text: str) -> tuple[list[str], int]:
    """Addresses and index from TF_CONFIG, where the chief, if there is one, comes first."""
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        jobs = {name: [str(address) for address in cluster.get(name, [])] for name in cluster}
        before = {"chief": 0, "worker": len(jobs.get("chief", []))}[task["type"]]
        return jobs.get("chief", []) + jobs.get("worker", []), before + int(task["index"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DigitsError(
            "The environment variable TF_CONFIG does not say which worker this is; mend it as in "
            '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}} '
            "or unset it."
        ) from None


def check_batch(recipe: Recipe, team: Team | None) -> None:
    """Refuses a batch that workers cannot share.

    Raises:
        DigitsError: it does not divide.
    """
    if team and recipe.batch % len(team.addresses):
        raise DigitsError(
            f"A batch of {recipe.batch} does not divide among {len(team.addresses)} workers; "
            "choose a --batch that does."
        )


def meet(team: Team) -> None:
    """Waits until all workers have been started: each listens until it has seen all others.

    Raises:
        DigitsError: one did not come within PATIENCE, or this one's port cannot be opened.
    """
    deadline = time.monotonic() + PATIENCE
    say(
        f"Worker {team.index} of {len(team.addresses)} waits for the others, "
        f"at most {PATIENCE:,} seconds."
    )
    missing = team.others
    with _listening(team):
        while missing := [place for place in missing if not responds(team.addresses[place])]:
            if time.monotonic() > deadline:
                raise DigitsError(
                    f"{named(team, missing)} did not come within {PATIENCE:,} seconds; "
                    f"look there, and {TOGETHER}."
                )
            time.sleep(0.1)


def hush_tensorflow() -> None:
    """To be called before TensorFlow is imported: what it says in many lines about a worker that is
    lost is said in a sentence here."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def named(team: Team, places: Sequence[int]) -> str:
    """Workers with their addresses, to begin a sentence with: "Worker 1 (node3:2222)"."""
    named = [f"{place} ({team.addresses[place]})" for place in places]
    return f"Worker{'s' if len(named) > 1 else ''} {' and '.join(named)}"


@contextmanager
def _listening(team: Team) -> Iterator[None]:
    _, port = host_and_port(team.addresses[team.index])
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        server = socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise DigitsError(
            f"Port {port} cannot be opened here ({os.strerror(error.errno or 0)}); give "
            f"worker {team.index} another one, on all workers alike."
        ) from None
    with server:
        yield


def responds(address: str) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection(host_and_port(address), timeout=5) as line:
            # A port that nobody listens on may, on the same machine, be connected with itself.
            return bool(line.getsockname() != line.getpeername())
    except (OSError, UnicodeError):  # the latter of a name that cannot be one
        return False


def host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
