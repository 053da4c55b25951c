"""How much memory there is, what each part of the service may have of it, and that it goes back."""

import io
import os
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image
from processes import descendants
from services import PNG, running

from digits.reading.reader import Reader
from digits.serving.app import create_app
from digits.serving.reading_processes import memory
from digits.serving.reading_processes.child import FIRST_TO_DIE
from digits.serving.reading_processes.memory import MB, Budget, available, pixels


def _machine(root: Path, groups: str, **limits: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text("MemTotal:  16000000 kB\nMemFree: 1 kB\n")
    (root / "proc/self/cgroup").write_text(groups)
    for name, value in limits.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
    return root


@pytest.mark.parametrize(
    ("groups", "limits", "expected"),
    [
        ("0::/\n", {}, 16000000 << 10),
        ("0::/\n", {"memory_dot_max": "1073741824\n"}, 1 << 30),
        ("0::/\n", {"memory_dot_max": "max\n"}, 16000000 << 10),
        ("0::/a/b\n", {"a__memory_dot_max": "2000", "a__b__memory_dot_max": "3000"}, 2000),
        ("0::/a\n", {"unified__a__memory_dot_max": "4000"}, 4000),
        (
            "5:memory:/docker/x\n4:cpu:/y\n",  # the host's path: of it the container sees the top
            {"memory__memory_dot_limit_in_bytes": "5000", "cpu__memory_dot_max": "1"},
            5000,
        ),
        (
            "5:cpu,memory:/a\n",
            {"memory__a__memory_dot_limit_in_bytes": "9223372036854771712"},
            16000000 << 10,
        ),
    ],
)
def test_memory_is_what_the_machine_or_a_group_allows(
    tmp_path: Path, groups: str, limits: dict[str, str], expected: int
) -> None:
    root = _machine(tmp_path, groups, **limits)
    assert available(root) == expected


@pytest.mark.parametrize("cores", [1, 2, 8, 64])
@pytest.mark.parametrize("megabytes", [300, 512, 1024, 4096, 65536])
def test_a_budget_keeps_within_the_memory(megabytes: int, cores: int) -> None:
    budget = Budget.of(megabytes * MB, cores)
    assert 1 <= budget.processes <= cores
    together = (
        memory.SERVICE
        + budget.processes * memory.READER
        + (budget.processes - 1) * budget.each
        + budget.one
        + budget.bodies
    )
    if megabytes > 400:
        assert together <= 0.75 * megabytes * MB
    if megabytes >= 1024 and cores <= 2:  # a telephone's photo
        assert pixels(budget.one) >= 4000 * 3000
    assert 0 < pixels(budget.each) <= pixels(budget.one)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux says")
def test_memory_is_given_back(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a picture that takes 150 MB, the process has hardly more than before."""
    budget = Budget(processes=1, each=400 * MB, one=400 * MB, bodies=MB)
    monkeypatch.setattr(Budget, "of", lambda *_: budget)
    content = io.BytesIO()
    Image.new("RGBA", (4000, 3000), "white").save(content, "PNG")
    with (
        running(create_app(reader)) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", timeout=60) as client,
    ):
        client.get("/readyz")
        (child,) = [one for one in descendants(os.getpid()) if _oom_score(one) == FIRST_TO_DIE]
        before = _resident(child)
        assert client.post("/predict", content=content.getvalue(), headers=PNG).is_success
        time.sleep(0.2)
        assert _resident(child) < before + 20


def _oom_score(process: int) -> int:
    """What the kernel goes by when it ends a process because memory has run out."""
    return int(Path(f"/proc/{process}/oom_score_adj").read_text())


def _resident(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB
