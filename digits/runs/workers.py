"""Training on several machines at once: which workers there are, and how they find each other.

Only worker 0 has the folder of results and reports, so the machines need not share a disk. The
training itself is in digits/training/distributed.py.
"""

import argparse
import json
import os
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from digits.errors import DigitsError
from digits.runs import network_file
from digits.runs.recipes import Recipe
from digits.terminal import say

PATIENCE = 300  # seconds within which all workers must have been started
ADDRESS = re.compile(r"([\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})", re.ASCII)
RESTART = "start all workers again, worker 0 with --resume"


@dataclass(frozen=True)
class Team:
    """The workers of a run, two or more."""

    addresses: tuple[str, ...]  # "host:port" of each, in the same order on all of them
    index: int  # of this worker, from 0

    @property
    def others(self) -> list[int]:
        """The indices of the other workers."""
        return [index for index in range(len(self.addresses)) if index != self.index]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds `--workers` and `--index` to a command's parser."""
    parser.add_argument(
        "--workers",
        metavar="HOST:PORT,...",
        help="train on several machines at once, with the same list on each (default: TF_CONFIG, "
        "or this machine alone)",
    )
    parser.add_argument(
        "--index",
        type=int,
        metavar="I",
        help="which of --workers this machine is, from 0; worker 0 has the results, and the "
        "others take the recipe from it",
    )


def team_of(workers: str | None, index: int | None) -> Team | None:
    """The team that `--workers` and `--index` name, or else the environment variable TF_CONFIG;
    None if this machine trains alone. Raises DigitsError if the list, the index or TF_CONFIG is not
    valid."""
    if workers is not None:
        if index is None:
            raise DigitsError("--workers needs --index: which of them this machine is, from 0.")
        addresses, source = workers.split(","), "--workers"
    elif index is not None:
        raise DigitsError("--index says which of --workers this machine is; give --workers, too.")
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
            f"The index must be from 0 to {len(addresses) - 1}, not {index}: {source} names "
            f"{len(addresses)}."
        )
    return Team(tuple(addresses), index) if len(addresses) > 1 else None


def _tf_config(text: str) -> tuple[list[str], int]:
    """Addresses and index from TF_CONFIG, in which the chief, if there is one, comes first."""
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        chiefs, workers = ([*map(str, cluster.get(job, []))] for job in ("chief", "worker"))
        before = {"chief": 0, "worker": len(chiefs)}[task["type"]]
        return chiefs + workers, before + int(task["index"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DigitsError(
            "The environment variable TF_CONFIG does not say which worker this is; unset it, or "
            'write it like {"cluster": {"worker": ["a:2222", "b:2222"]}, '
            '"task": {"type": "worker", "index": 0}}.'
        ) from None


def check_batch(recipe: Recipe, team: Team | None) -> None:
    """Raises DigitsError if the workers cannot share a batch."""
    if team and recipe.batch % len(team.addresses):
        raise DigitsError(
            f"A batch of {recipe.batch} does not divide among {len(team.addresses)} workers; "
            "choose a --batch that does."
        )


def check_network(recipe: Recipe | None, team: Team | None) -> None:
    """Raises DigitsError if the network is the user's own, which one machine alone trains: layers
    may draw random numbers and keep means by themselves."""
    if team and recipe and network_file.is_own(recipe.network):
        raise DigitsError(
            f"--workers trains this program's networks, and {recipe.network} is your own; leave "
            "--workers out."
        )


def meet(team: Team) -> None:
    """Waits until all workers have been started: each listens until it has reached all others.

    TensorFlow, if it is imported later, writes nothing about a lost worker, which the command
    reports in a sentence. Raises DigitsError if a worker did not start within PATIENCE, or this
    worker's port cannot be opened.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    deadline = time.monotonic() + PATIENCE
    say(
        f"Worker {team.index} of {len(team.addresses)} waits for the others, "
        f"at most {PATIENCE} seconds."
    )
    missing = team.others
    with _listen(team):
        while missing := [index for index in missing if not responds(team.addresses[index])]:
            if time.monotonic() > deadline:
                raise DigitsError(
                    f"{describe(team, missing)} did not start within {PATIENCE} seconds; find out "
                    f"why, and {RESTART}."
                )
            time.sleep(0.1)


def describe(team: Team, indices: Sequence[int]) -> str:
    """The beginning of a sentence about workers, such as "Worker 1 (node3:2222)"."""
    workers = [f"{index} ({team.addresses[index]})" for index in indices]
    return f"Worker{'s' if len(workers) > 1 else ''} {' and '.join(workers)}"


def _listen(team: Team) -> socket.socket:
    _, port = host_and_port(team.addresses[team.index])
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        return socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise DigitsError(
            f"Port {port} cannot be opened here ({os.strerror(error.errno or 0)}); choose another "
            f"one for worker {team.index}, in the list of every worker."
        ) from None


def responds(address: str) -> bool:
    """Whether a program listens at "host:port"."""
    try:
        with socket.create_connection(host_and_port(address), timeout=5) as connection:
            # On this machine, a port on which nothing listens can get connected to itself.
            return bool(connection.getsockname() != connection.getpeername())
    except (OSError, UnicodeError):  # UnicodeError: the host's name is not valid
        return False


def host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
