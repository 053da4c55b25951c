"""Does the ablation train what it says, once each, and compare like with like?"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.ablation import figure as ablation_figure
from benchmarks.ablation import study as ablation
from benchmarks.handwriting_data import evaluation_sets as sets
from benchmarks.harness import pinned_processes as cores
from benchmarks.harness.json_lines import read_lines
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runs.recipes import RECIPES

Line = dict[str, Any]


# What is trained.


def test_rows_differ_in_one_augmentation() -> None:
    none, everything = ablation.ROWS["none"], ablation.ROWS["all"]
    assert not none.distorts
    for field in set(ablation.AUGMENTATIONS) - {"pen", "reframed"}:  # which have changed since
        assert getattr(everything, field) == getattr(RECIPES["default"], field)
    for name, recipe in ablation.ROWS.items():
        if name in ("none", "all"):
            continue
        field = name.removeprefix("all but ")
        base = none if name == field else everything
        differing = [key for key in vars(recipe) if getattr(recipe, key) != getattr(base, key)]
        assert differing == [field]
    for field in (*ablation.FLIPS, "elastic", "cutout"):
        assert field in ablation.ROWS
    assert len(ablation.plan()) == len(set(ablation.plan())) >= 3 * len(ablation.ROWS)


# What came out, on made lines.


def line(row: str, seed: int, mnist: float, others: float, recall: dict[int, float]) -> Line:
    """Accuracies in percent; `recall` for digits that are read otherwise than the rest."""
    recalls = [recall.get(digit, mnist) / 100 for digit in range(10)]
    of_mnist = {"n": 10, "accuracy": mnist / 100, "recall": recalls}
    of_others = {"n": 10, "accuracy": others / 100, "recall": [None] * 10}
    measured = dict.fromkeys(ablation.MNIST, of_mnist)
    measured |= dict.fromkeys(ablation.OTHERS, of_others)
    return {"row": row, "seed": seed, "sets": measured, "cpu_seconds": 50.0}


LINES = [
    line("none", 1, 99.0, 95.0, {}),
    line("none", 2, 99.2, 96.0, {}),
    line("none", 3, 99.4, 97.0, {}),
    line("rotation", 1, 99.1, 97.0, {}),
    line("rotation", 2, 99.4, 98.0, {}),
    line("rotation", 3, 99.7, 99.0, {}),
    line("horizontal_flip", 1, 98.0, 90.0, {2: 90.0, 7: 96.5}),
    line("horizontal_flip", 2, 98.2, 91.0, {2: 91.2, 7: 96.7}),
    line("vertical_flip", 1, 97.0, 89.0, {6: 80.0}),
    line("all", 1, 99.5, 98.0, {}),
    line("all but shear", 1, 99.3, 98.5, {}),
]


def test_effects_compare_the_same_seed() -> None:
    change = ablation.alone(LINES, "rotation", ablation.mnist)
    assert change is not None
    assert change.each == pytest.approx((0.1, 0.2, 0.3))
    # Student's t with 2 degrees of freedom: 4.303 standard errors
    assert (change.low, change.high) == pytest.approx((0.2 - 0.2484, 0.2 + 0.2484), abs=1e-3)
    assert ablation.points(change) == "+0.20 ± 0.25"
    flipped = ablation.alone(LINES, "horizontal_flip", ablation.others)
    assert flipped is not None
    assert flipped.each == pytest.approx((-5, -5))
    assert ablation.points(flipped) == "−5.00 ± 0.00"


def test_on_top_is_what_is_lost_without() -> None:
    change = ablation.on_top(LINES, "shear", ablation.mnist)
    assert change is not None
    assert ablation.points(change) == "+0.20"  # one seed has no interval
    assert ablation.points(ablation.on_top(LINES, "shear", ablation.others)) == "−0.50"
    assert ablation.on_top(LINES, "rotation", ablation.mnist) is None
    assert ablation.points(None) == ""


def test_summary_and_block_say_what_the_lines_say() -> None:
    text = ablation.summary(LINES)
    assert "rotation" in text
    assert "+0.20 ± 0.25" in text
    assert "elastic" not in text  # not trained yet
    assert "11 trainings took 550 core seconds" in text
    assert "no results" in ablation.summary([])
    block = ablation.ablation_block(LINES)
    assert "| rotation (15° either way) | +0.20 ± 0.25 |  | +2.00 ± 0.00 |  |" in block
    assert "| all but elastic, cutout and flips | +0.50 | | +3.00 | |" in block
    assert "horizontal flip harms 2 (−8.5), 7 (−2.5), 0 (−1.0) most" in block
    assert "vertical flip harms 6 (−19.0)" in block
    assert "reads 99.20% of MNIST" in block


def test_the_figure_is_drawn_of_an_unfinished_study_too(tmp_path: Path) -> None:
    for lines in (LINES, LINES[:4]):
        ablation_figure.draw(lines, tmp_path / "figure.png")
        with Image.open(tmp_path / "figure.png") as figure:
            assert min(figure.size) > 900
        assert (tmp_path / "figure.png").stat().st_size < 250_000


# Processes.

JOBS = [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


def python(program: str) -> cores.Command:
    """Runs a program that knows `row`, `seed` and `core`."""

    def command(job: cores.Job, core: int) -> list[str]:
        known = f"import json, os, signal, time; row, seed = {job!r}; core = {core}\n"
        return [sys.executable, "-c", known + program]

    return command


PRINT = "print(json.dumps({'row': row, 'seed': seed, 'core': core, 'pid': os.getpid()}))"


def test_a_killed_training_is_tried_again_and_no_finished_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.jsonl"
    killed = python(f"if row == 'b' and seed == 1: os.kill(os.getpid(), signal.SIGKILL)\n{PRINT}")
    assert cores.run(results, JOBS, killed, str) == 1
    told = capsys.readouterr().out
    assert "b, seed 1: " in told
    assert "FAILED with status -9" in told
    before = read_lines(results)
    assert sorted((x["row"], x["seed"]) for x in before) == [("a", 1), ("a", 2), ("b", 2)]
    assert {x["core"] for x in before} <= set(range(os.cpu_count() or 1))
    assert cores.run(results, JOBS, python(PRINT), str) == 0
    assert read_lines(results)[:3] == before
    assert [(x["row"], x["seed"]) for x in read_lines(results)[3:]] == [("b", 1)]
    assert cores.run(results, JOBS, python("raise SystemExit(5)"), str) == 0  # nothing is left


def test_an_error_is_told_however_long_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = python("import sys; sys.stderr.write('x' * 300_000 + '\\nthe reason'); sys.exit(3)")
    assert cores.run(tmp_path / "results.jsonl", JOBS[:1], failing, str) == 1
    assert "status 3; --resume tries it again\nthe reason" in capsys.readouterr().out
    assert not (tmp_path / "results.jsonl").exists()


def test_stopping_the_study_stops_its_trainings(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    one_ends = python(
        f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        f"if seed == 2: time.sleep(600)\n"
        f"while len(open({str(pids)!r}).read().split()) < 2: time.sleep(0.01)\n{PRINT}"
    )

    def stop(_: Line) -> str:
        raise KeyboardInterrupt

    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("two trainings at a time need two cores")
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        cores.run(tmp_path / "results.jsonl", JOBS[:2], one_ends, stop)
    assert time.monotonic() - started < 60
    for pid in map(int, pids.read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_more_processes_than_cores(tmp_path: Path) -> None:
    for processes in (0, 10_000):
        with pytest.raises(DigitsError, match="--processes must be from 1 to"):
            cores.run(tmp_path / "results.jsonl", JOBS, python(PRINT), str, processes)


def test_one_training_from_pictures_to_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist: Mnist
) -> None:
    """The first row, on 200 digits; others' are made of MNIST's, enlarged and dark on white."""
    images, labels = mnist.train_images[:30], mnist.train_labels[:30]
    enlarged = 255 - images.repeat(4, axis=1).repeat(4, axis=2)
    needed = (*sets.NAMES, "letters_printed", "amount_strings")
    for name in needed:
        np.savez(tmp_path / f"{name}.npz", images=enlarged, labels=labels)
    np.savez(
        tmp_path / "pendigits_strokes.npz",
        points=np.array([[5, 0], [5, 90], [0, 0], [50, 0], [10, 80]], np.int16),
        stroke_offsets=np.array([0, 2, 5]),
        char_offsets=np.array([0, 1, 2]),
        labels=np.array([1, 7], np.uint8),
    )
    monkeypatch.setenv("DIGITS_HANDWRITING", str(tmp_path))
    monkeypatch.setattr(ablation, "plan", lambda: [("horizontal_flip", 3)])
    results = tmp_path / "results.jsonl"
    assert ablation.study(results, 1, limit=200) == 0
    (found,) = read_lines(results)
    assert (found["row"], found["seed"], found["recipe"]["seed"]) == ("horizontal_flip", 3, 3)
    assert found["recipe"]["horizontal_flip"] == 0.5
    counts = {name: measured["n"] for name, measured in found["sets"].items()}
    expected = dict.fromkeys(ablation.OTHERS, 30) | {"pendigits": 2}
    assert counts == {"validation": 200, "test": 200, **expected}
    test = found["sets"]["test"]
    times = np.bincount(mnist.test_labels[:200], minlength=10)
    assert test["accuracy"] == pytest.approx(np.dot(test["recall"], times) / 200)
