"""Are the cores of this machine divided among the runs?"""

import os
import sys

import pytest

from digits.runs import processes


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process choose its cores")
def test_cores_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 4, 5, 9, 10})
    assert processes.shares_of_cores(None) == [[3], [4], [5], [9], [10]]
    assert processes.shares_of_cores(2) == [[3, 4], [5, 9, 10]]
    assert processes.shares_of_cores(1) == [[3, 4, 5, 9, 10]]
    assert processes.shares_of_cores(7) == [[3], [4], [5], [9], [10], [3], [4]]
