"""Do the timing benchmarks plan what they say, and go on where they were stopped?"""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import sweep, training, workers
from benchmarks.harness import interleaving as turns
from benchmarks.harness.json_lines import read_lines
from digits.runs.recipes import Recipe

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
    assert sorted(seeds["default"]) == [1, 2, 3]
    assert sorted(seeds["fast"]) == list(range(1, 7))
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
    training.run(results)
    done = [json.loads(line) for line in results.read_text().splitlines()]
    assert [(x["name"], x["seed"]) for x in done] == training.plan()
    assert training.summary(results).count("seeds") == 3


def test_ways_take_turns_and_the_summary_compares_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "workers.jsonl"
    arguments = turns.parser(None, out).parse_args([])
    ways = workers.ways()
    seconds = dict(zip(ways, ([10, 11], [20, 22], [7, 7], [10, 14], [15, 21], [6, 6]), strict=True))
    order: list[str] = []

    def measure(way: str) -> dict[str, Any]:
        order.append(way)
        return {"seconds": seconds[way][len(order) // 7], "images": 42_000}

    turns.take(arguments, ways, measure, workers.summary)
    assert order == [*ways] * 2
    assert [line["way"] for line in read_lines(out)] == order
    measured = (
        "vgg, one process: 2,000 images a second; "
        "two workers: 2.00 times, two processes apart: 3.00 times\n"
        "default, one process: 2,333 images a second; "
        "two workers: 1.50 times, two processes apart: 3.00 times\n"
    )
    assert measured in capsys.readouterr().out
    again = turns.parser(None, out).parse_args(["--summary"])
    turns.take(again, ways, measure, workers.summary)
    assert len(order) == 12  # measured nothing
    assert measured in capsys.readouterr().out


def test_a_summary_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = turns.parser(None, tmp_path / "none.jsonl").parse_args(["--summary"])
    turns.take(arguments, sweep.AT_ONCE, lambda at_once: {}, sweep.summary)
    assert capsys.readouterr().out == "Nothing is measured yet.\n"


def test_images_of_an_epoch_are_whole_batches_of_all_that_is_trained_on() -> None:
    recipe = Recipe(held_out=59_000, variants=30, non_digits=20, batch=100)
    assert workers.images_of(recipe) == 1_000  # of 1,050
