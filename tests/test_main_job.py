"""The main job as a user runs it, on all of MNIST."""

import json
from pathlib import Path

from processes import Command


def test_the_fast_recipe_reads_mnist(run_main: Command, tmp_path: Path) -> None:
    result = run_main("--recipe", "fast", "--out", tmp_path / "run")
    assert result.returncode == 0
    assert result.stderr == ""
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    # at exactly 100 % somebody would be testing on what was trained on
    assert 0.985 <= metrics["test_accuracy"] < 1
    assert metrics["ece"] < 0.02
    if metrics["peak_memory_mb"] is not None:
        assert metrics["peak_memory_mb"] < 1500
