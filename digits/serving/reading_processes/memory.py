"""How much memory there is, and what of it each part of the service may take."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from digits.pictures.grey import LARGEST_PICTURE

MB = 1 << 20
USED = 0.6  # of the memory that there is: what the service may take of it
SERVICE = 150 * MB  # that a service takes before it reads, without the processes that read
READER = 45 * MB  # that each of these takes before it reads
LEAST = 48 * MB  # more, without which another of these is not worth having
# Reading takes 8 to 13 bytes for each pixel of a large picture, and up to 33 of a small one, of
# which no more than 3 megapixels are worked on in full. So measured; see docs/log.md.
PIXEL = 13
SMALL_PICTURE = 40 * MB
LARGEST_BODIES = 128 * MB


@dataclass(frozen=True)
class Budget:
    """What one service may take; all sizes are in bytes.

    Attributes:
        processes: how many processes read.
        each: what each of them may take for a request at any time.
        one: what one of them at a time may take.
        bodies: what the bodies of all requests together may have.
    """

    processes: int
    each: int
    one: int
    bodies: int

    @classmethod
    def of(cls, memory: int, cores: int) -> Budget:
        """For a service that has so many bytes of memory and cores to itself."""
        bodies = min(LARGEST_BODIES, memory // 16)
        left = int(USED * memory) - SERVICE - bodies
        processes = max(1, min(cores, left // 2 // (READER + LEAST)))
        left = max(left - processes * READER, 2 * LEAST)
        largest = SMALL_PICTURE + PIXEL * LARGEST_PICTURE
        each = min(left // 2 // processes, largest)
        return cls(processes, each, min(left // 2 + each, largest), bodies)


def pixels(memory: int) -> int:
    """How many pixels a picture may have that is read in so many bytes."""
    return min(LARGEST_PICTURE, max(memory - SMALL_PICTURE, memory // 3) // PIXEL)


def trimming() -> Callable[[], object]:
    """A function that gives free memory back to the system, which glibc keeps by itself; it takes
    milliseconds, and does nothing where there is no such thing."""
    with suppress(OSError, TypeError, AttributeError):
        trim = ctypes.CDLL(None).malloc_trim
        return lambda: trim(0)
    return lambda: None


def available(root: Path = Path("/")) -> int:
    """The bytes that this process and all others around it may have: the machine's memory, or the
    least limit of the process and of the control groups (version 1 or 2) that it is in.

    `root` is the folder that has `proc` and `sys`.
    """
    limits = [_of_machine(root), *_of_process(), *_of_groups(root)]
    return min(limit for limit in limits if limit > 0)


def _of_machine(root: Path) -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) << 10
    with suppress(ValueError, OSError, AttributeError):  # not Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 4 << 30


def _of_process() -> list[int]:
    try:
        import resource
    except ImportError:  # Windows
        return []
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    soft = (resource.getrlimit(kind)[0] for kind in kinds)
    return [limit for limit in soft if limit != resource.RLIM_INFINITY]


def _of_groups(root: Path) -> list[int]:
    """The limits of the groups that the process is in and of all above them.

    In a container, the path of a group may be the host's, of which only the top can be seen.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            tops, name = ["", "unified"], "memory.max"
        elif "memory" in controllers.split(","):
            tops, name = ["memory"], "memory.limit_in_bytes"
        else:
            continue
        for top in tops:
            at = root / "sys/fs/cgroup" / top
            group = at / path.strip("/")
            for folder in (group, *group.parents):
                if not folder.is_relative_to(at):
                    break
                with suppress(OSError, ValueError):  # not there, or "max"
                    found.append(int((folder / name).read_text()))
    return found
