"""The README's figures are those of the result files."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import readme
from benchmarks.harness.intervals import mean_interval
from benchmarks.training import rows
from digits.errors import DigitsError

ROOT = Path(__file__).parent.parent.parent


def line(name: str, seed: int, accuracy: float, seconds: float) -> dict[str, Any]:
    return {
        "name": name,
        "seed": seed,
        "test_accuracy": accuracy,
        "test_loss": 0.01,
        "ece": 0.002,
        "parameters": 1000,
        "train_seconds": seconds,
        "process_seconds": seconds + 10,
        "peak_memory_mb": 900.0,
        "cores": 2,
        "versions": {"python": "3.11"},
        "confusion_matrix": [[1, 0], [0, 1]],
    }


LINES = [
    line("textbook", 1, 0.99, 100),
    line("default", 1, 0.996, 50),
    line("default", 2, 0.998, 200),
    line("textbook", 2, 0.992, 200),
]


def test_rows_compare_mean_times() -> None:
    default = next(row for row in rows(LINES) if row.name == "default")
    assert default.accuracy == pytest.approx(0.997)
    assert default.accuracy_sd == pytest.approx(0.002 / 2**0.5)
    assert default.train_ratio == pytest.approx(125 / 150)
    assert default.process_ratio == pytest.approx(135 / 160)
    assert default.seeds == (1, 2)


def test_fill_replaces_only_between_marks() -> None:
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    filled = readme.fill(text, {"x": "new \\1"})
    assert filled == "a\n<!-- x -->\nnew \\1\n<!-- /x -->\nb\n"
    assert readme.fill(filled, {"x": "new \\1"}) == filled


def test_missing_marks() -> None:
    with pytest.raises(DigitsError, match="no marks <!-- x -->"):
        readme.fill("nothing", {"x": ""})


def test_interval_of_a_mean() -> None:
    # Student's t with 2 degrees of freedom: 4.303 standard errors
    low, high = mean_interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), rel=1e-4)


def test_the_readme_says_what_the_results_say() -> None:
    text = (ROOT / "README.md").read_text()
    assert readme.fill(text, readme.blocks()) == text
