"""Do the benchmarks of training plan what they say, and resume where they were interrupted?"""

import os
from pathlib import Path

import pytest

from benchmarks import sweep, training, workers
from benchmarks.harness.json_lines import Line, read_lines
from digits.runs.recipes import Recipe

MEASURED: Line = {
    "test_accuracy": 0.99,
    "test_loss": 0.03,
    "ece": 0.01,
    "parameters": 9,
    "train_seconds": 2.0,
    "process_seconds": 3.0,
    "process_cpu_seconds": 4.5,
    "peak_memory_mb": 4.0,
    "load_average": [0.25, 1.75],
    "machine_cores": 2,
}


def test_every_seed_is_planned_once() -> None:
    seeds = {name: [s for n, s in training.plan() if n == name] for name, _ in training.plan()}
    assert sorted(seeds["default"]) == [1, 2, 3, 4, 5]
    assert sorted(seeds["fast"]) == list(range(1, 11))
    assert sorted(seeds["textbook"]) == [1, 2, 3]


def test_an_interrupted_run_resumes_after_the_last_finished_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results.jsonl"
    left = [MEASURED] * 7

    def measure(name: str, seed: int, out: Path, data: Path | None) -> Line:
        if not left:
            raise KeyboardInterrupt
        return left.pop()

    monkeypatch.setattr(training, "measure", measure)
    monkeypatch.setattr(training, "FIGURES", tmp_path / "figures")
    with pytest.raises(KeyboardInterrupt):
        training.run(results)
    assert len(read_lines(results)) == 7
    left += [MEASURED] * (len(training.plan()) - 7)
    training.run(results)
    done = read_lines(results)
    assert [(line["name"], line["seed"]) for line in done] == training.plan()
    assert training.summary(done).count("seeds") == len({name for name, _ in training.plan()})


MAIN_COMMAND = """
import json, sys, time
assert ("--precision" in sys.argv) == ("float32" in sys.argv)
if "9" in sys.argv:
    sys.exit("no more seeds")
while time.process_time() < 0.5:
    pass
out = sys.argv[sys.argv.index("--out") + 1]
open(out + "/metrics.json", "w").write(json.dumps({"test_accuracy": 0.5, "note": "not kept"}))
"""


def test_a_training_is_measured_with_the_load_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mnist_model.py").write_text(MAIN_COMMAND)
    monkeypatch.setattr(training, "ROOT", tmp_path)
    line = training.measure("fast", 1, tmp_path)
    assert line["test_accuracy"] == 0.5
    assert "note" not in line
    assert line["process_cpu_seconds"] >= 0.5
    assert line["process_seconds"] >= 0.5
    assert len(line["load_average"]) == 2
    assert min(line["load_average"]) >= 0
    assert line["machine_cores"] == os.cpu_count()
    assert training.measure(training.FLOAT32, 1, tmp_path)["test_accuracy"] == 0.5
    with pytest.raises(SystemExit, match="failed with status 1:\nno more seeds"):
        training.measure("fast", 9, tmp_path)


def test_ratios_come_with_the_machine_and_its_load() -> None:
    busier = {"process_cpu_seconds": 6.0, "load_average": [1.0, 3.0]}
    lines = [
        {"name": "textbook", "seed": 1} | MEASURED,
        {"name": "default", "seed": 1} | MEASURED | busier,
    ]
    textbook, default = training.rows(lines)
    assert (textbook.busy_cores, textbook.load) == (1.5, (0.25, 1.75))
    assert (default.busy_cores, default.load) == (2.0, (1.0, 3.0))
    assert training.summary(lines).endswith(
        "Of 2 cores the processes kept busy, in the mean, textbook 1.50, default 2.00; the load "
        "average, their own included, was 0.2 to 3.0."
    )


# Workers and sweeps.


def test_workers_are_compared_with_one_process() -> None:
    seconds = dict(zip(workers.ways(), (10, 20, 7, 12, 18, 6), strict=True))
    lines = [
        {"way": way, "turn": turn, "seconds": seconds[way] + turn, "images": 42_000}
        for turn in (1, 2)
        for way in workers.ways()
    ]
    assert workers.summary(lines) == (
        "vgg, one process: 1,953 images a second; two workers: 1.87 times as many, two "
        "independent processes: 2.53 times as many\n"
        "default, one process: 2,154 images a second; two workers: 1.44 times as many, two "
        "independent processes: 2.60 times as many"
    )


def test_a_sweep_is_compared_with_one_run_after_another() -> None:
    lines = [
        {"way": at_once, "turn": 1, "seconds": seconds, "runs": 8, "cores": 2}
        for at_once, seconds in zip(sweep.AT_ONCE, (100.0, 160.0), strict=True)
    ]
    assert sweep.summary(lines) == (
        "8 runs on 2 cores, two at a time: 100.0 s; one after another: 160.0 s, 1.60 times as long"
    )


def test_images_of_an_epoch_are_whole_batches_of_all_that_is_trained_on() -> None:
    recipe = Recipe(held_out=59_000, variants=30, non_digits=20, batch=100)
    assert workers.images_of(recipe) == 1_000  # of 1,050
