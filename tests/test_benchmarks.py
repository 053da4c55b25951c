"""Does the training benchmark plan what it says, and go on where it was stopped?"""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import training

MEASURED: dict[str, Any] = {
    "test_accuracy": 0.99,
    "test_loss": 0.03,
    "ece": 0.01,
    "parameters": 9,
    "train_seconds": 2.0,
    "process_seconds": 3.0,
    "peak_memory_mb": 4.0,
}


def test_seeds_are_all_different_and_enough() -> None:
    seeds = {name: [s for n, s in training.plan() if n == name] for name, _ in training.plan()}
    assert sorted(seeds["default"]) == [1, 2, 3, 4, 5]
    assert sorted(seeds["fast"]) == list(range(1, 11))
    assert sorted(seeds["textbook"]) == [1, 2, 3]


def test_resumes_after_the_last_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results.jsonl"
    calls: list[tuple[str, int]] = []

    def measure(name: str, seed: int, out: Path) -> dict[str, Any]:
        if len(calls) == 7:
            raise KeyboardInterrupt
        calls.append((name, seed))
        return MEASURED

    monkeypatch.setattr(training, "measure", measure)
    monkeypatch.setattr(training, "FIGURES", tmp_path / "figures")
    with pytest.raises(KeyboardInterrupt):
        training.run(results)
    assert len(results.read_text().splitlines()) == 7
    calls = []
    with pytest.raises(KeyboardInterrupt):
        training.run(results)
    calls = []
    training.run(results)
    done = [json.loads(line) for line in results.read_text().splitlines()]
    assert [(x["name"], x["seed"]) for x in done] == training.plan()
    assert training.summary(results).count("seeds") == 3
