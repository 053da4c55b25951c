"""The process of one run: `python -m digits.runs.child PARENT CORES ARGUMENT...`.

It runs `digits ARGUMENT...` on the given cores (such as `0,1`; empty for any), and on Linux it dies
with its parent, even if that is killed.
"""

import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1  # of prctl(2)


def main() -> None:
    _, parent, cores, *arguments = sys.argv
    # Ctrl-C works even if the parent ignores it, as processes do that a shell starts in the
    # background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):  # it died before this
            sys.exit(1)
        if cores:
            os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    sys.argv[1:] = arguments
    # By name: the command line is a layer above this one.
    runpy.run_module("digits.cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
