"""A control group that limits the memory of what is started in it."""

import contextlib
import os
import secrets
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def control_group(limit: int) -> Iterator[str | None]:
    """Makes a group of so many bytes, version 1 or 2, for a block, and gives the shell command by
    which a process joins it; None where no group can be made."""
    name = f"digits-{secrets.token_hex(4)}"
    for parent, file in ((ROOT, "memory.max"), (ROOT / "memory", "memory.limit_in_bytes")):
        group = parent / name
        try:
            if not (parent / "cgroup.procs").exists():
                continue
            group.mkdir()
            (group / file).write_text(str(limit))
        except OSError:  # not root, or a group that does not limit memory
            with contextlib.suppress(OSError):
                group.rmdir()
            continue
        try:
            yield f"echo $$ > {shlex.quote(os.fspath(group / 'cgroup.procs'))}"
        finally:
            for _ in range(50):  # its processes may be about to end
                with contextlib.suppress(OSError):
                    group.rmdir()
                if not group.exists():
                    break
                time.sleep(0.1)
        return
    yield None
