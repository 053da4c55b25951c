"""Does the ablation train what it says, and compare the same seeds?"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image

from benchmarks.ablation import effects, figure, plan, study, tables
from benchmarks.harness.json_lines import Line, read_lines
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runs.recipes import RECIPES

# What is trained.


def test_rows_differ_in_one_augmentation() -> None:
    none, everything = plan.ROWS["none"], plan.ROWS["all"]
    assert not none.distorts
    for name, recipe in plan.ROWS.items():
        if name in ("none", "all"):
            continue
        field = name.removeprefix("all but ")
        base = none if name == field else everything
        differing = [key for key in vars(recipe) if getattr(recipe, key) != getattr(base, key)]
        assert differing == [field]


def test_the_recipe_is_the_default_one_with_its_augmentations() -> None:
    default = RECIPES["default"]
    differing = {key for key in vars(default) if getattr(default, key) != getattr(plan.RECIPE, key)}
    assert differing == {"name", "epochs", "variants", "non_digits", "held_out"}
    assert {f"all but {field}" for field in plan.USED} < set(plan.ROWS)
    assert set(plan.AUGMENTATIONS) < set(plan.ROWS)


def test_every_row_is_trained_once_with_every_seed() -> None:
    jobs = plan.jobs()
    assert len(jobs) == len(set(jobs)) == len(plan.SEEDS) * len(plan.ROWS)
    assert len({name for name, _ in jobs[: len(plan.ROWS)]}) == len(plan.ROWS)  # seed by seed


# What came of it, on made-up lines.


def line(row: str, seed: int, mnist: float, others: float, recall: dict[int, float]) -> Line:
    """Accuracies in percent; `recall` has the digits that are read unlike the rest."""
    recalls = [recall.get(digit, mnist) / 100 for digit in range(10)]
    of_mnist = {"n": 10, "accuracy": mnist / 100, "recall": recalls}
    of_others = {"n": 10, "accuracy": others / 100, "recall": [None] * 10}
    measured = dict.fromkeys(plan.MNIST, of_mnist)
    measured |= dict.fromkeys(plan.OTHERS, of_others)
    recipe = asdict(plan.ROWS.get(row, plan.RECIPE))
    return {"row": row, "seed": seed, "sets": measured, "cpu_seconds": 50.0, "recipe": recipe}


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
    change = effects.alone(LINES, "rotation", effects.mnist)
    assert change is not None
    assert change.each == pytest.approx((0.1, 0.2, 0.3))
    # Student's t with 2 degrees of freedom: 4.303 standard errors
    assert (change.low, change.high) == pytest.approx((0.2 - 0.2484, 0.2 + 0.2484), abs=1e-3)
    assert tables.points(change) == "+0.20 ± 0.25"
    flipped = effects.alone(LINES, "horizontal_flip", effects.others)
    assert flipped is not None
    assert flipped.each == pytest.approx((-5, -5))
    assert tables.points(flipped) == "−5.00 ± 0.00"


def test_on_top_is_what_is_lost_without_it() -> None:
    change = effects.on_top(LINES, "shear", effects.mnist)
    assert change is not None
    assert tables.points(change) == "+0.20"  # one seed has no interval
    assert tables.points(effects.on_top(LINES, "shear", effects.others)) == "−0.50"
    assert effects.on_top(LINES, "rotation", effects.mnist) is None
    assert tables.points(None) == ""


def test_summary_and_block_say_what_the_lines_say() -> None:
    text = tables.summary(LINES)
    assert "rotation" in text
    assert "+0.20 ± 0.25" in text
    assert "elastic" not in text  # not trained yet
    assert "11 trainings took 550 core seconds" in text
    assert "no results" in tables.summary([])
    block = tables.block(LINES)
    assert "| rotation (15° either way) | +0.20 ± 0.25 |  | +2.00 ± 0.00 |  |" in block
    assert "| all that the recipe uses | +0.50 | | +3.00 | |" in block
    assert "horizontal flip harms 2 (−8.5), 7 (−2.5), 0 (−1.0) most" in block
    assert "vertical flip harms 6 (−19.0)" in block
    assert "reads 99.20% of MNIST" in block


def test_lines_of_an_earlier_study_keep_their_amounts_and_unknown_rows_are_ignored() -> None:
    earlier = line("pen", 1, 99.3, 96.0, {})
    earlier["recipe"]["pen"] = 0.25
    lines = [*LINES, earlier, line("a row that is gone", 1, 10.0, 10.0, {})]
    assert "| stroke width (±0.25 pixels a side) | +0.30 |" in tables.block(lines)
    assert "12 trainings" in tables.summary(lines)
    assert "gone" not in tables.summary(lines)


def test_the_figure_shows_every_effect_of_an_unfinished_study_too(tmp_path: Path) -> None:
    for lines in (LINES, LINES[:4]):
        drawn = figure.draw(lines, tmp_path / "figure.png")
        left, right, _ = drawn.axes
        for axes, metric in ((left, effects.mnist), (right, effects.others)):
            points = {drawn_line.get_label(): drawn_line for drawn_line in axes.lines}
            alone = points["compared with no augmentation"]
            expected = [
                (place - 0.16, change.mean)
                for place, row in enumerate((*plan.AUGMENTATIONS, "all"))
                if (change := effects.alone(lines, row, metric))
            ]
            drawn_at = np.asarray(alone.get_xydata()).tolist()
            assert drawn_at == [[mean, place] for place, mean in expected]
            low, high = axes.get_xlim()
            assert all(low < mean < high for _, mean in expected)
        with Image.open(tmp_path / "figure.png") as picture:
            assert min(picture.size) > 900


def test_the_figure_shows_the_harm_to_each_digit(tmp_path: Path) -> None:
    harm = figure.draw(LINES, tmp_path / "figure.png").axes[2]
    heights = [bar.get_height() for bar in harm.patches if isinstance(bar, Rectangle)]
    assert len(heights) == 20
    assert heights[2] == pytest.approx(-8.5)  # horizontal flips, digit 2
    assert heights[16] == pytest.approx(-19)  # vertical flips, digit 6


# From pictures to a line.


def test_a_try_has_at_least_one_batch(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match="--limit must be at least 128"):
        study.run(tmp_path / "results.jsonl", 1, limit=100)


def test_one_training_from_pictures_to_its_line(
    handwriting_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist: Mnist
) -> None:
    """A training on 200 digits, in the processes that the command starts."""
    monkeypatch.setattr(plan, "jobs", lambda: [("horizontal_flip", 3)])
    results = tmp_path / "results.jsonl"
    assert study.run(results, 1, limit=200) == 0
    (found,) = read_lines(results)
    assert (found["row"], found["seed"], found["recipe"]["seed"]) == ("horizontal_flip", 3, 3)
    assert found["recipe"]["horizontal_flip"] == 0.5
    counts = {name: measured["n"] for name, measured in found["sets"].items()}
    expected = dict.fromkeys(plan.OTHERS, 12) | {"pendigits": 2}
    assert counts == {"validation": 200, "test": 200, **expected}
    test = found["sets"]["test"]
    times = np.bincount(mnist.test_labels[:200], minlength=10)
    assert test["accuracy"] == pytest.approx(np.dot(test["recall"], times) / 200)
