"""Are the figures in README.md and docs/ those of the result files?"""

from typing import Any

import pytest

from benchmarks import ROOT
from benchmarks.fill import pages
from benchmarks.fill.blocks import blocks
from benchmarks.harness.intervals import mean_interval
from benchmarks.training import rows
from digits.errors import DigitsError


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
        "process_cpu_seconds": 2 * seconds,
        "load_average": [0.5, 1.5],
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
    filled = pages.fill(text, {"x": "new \\1"})
    assert filled == "a\n<!-- x -->\nnew \\1\n<!-- /x -->\nb\n"
    assert pages.fill(filled, {"x": "new \\1"}) == filled


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<!-- x -->\nold\n", "<!-- x --> has no partner"),
        ("<!-- /x -->\n", "<!-- /x --> has no partner"),
        ("<!-- x -->\n<!-- y -->\n<!-- /y -->\n<!-- /x -->\n", "<!-- x --> has no partner"),
        ("<!-- z -->\n<!-- /z -->\n", "no block 'z'"),
    ],
)
def test_marks_must_match(text: str, reason: str) -> None:
    with pytest.raises(DigitsError, match=reason):
        pages.fill(text, {"x": "", "y": ""})


def test_the_site_gets_no_links_to_result_files() -> None:
    block = {"x": "Every run: [a.jsonl](benchmarks/results/a.jsonl), [b](https://b.org)."}
    assert pages.without_links(block) == {
        "x": "Every run: `benchmarks/results/a.jsonl`, [b](https://b.org)."
    }


def test_interval_of_a_mean() -> None:
    # Student's t with 2 degrees of freedom: 4.303 standard errors
    low, high = mean_interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), rel=1e-4)


def test_every_page_says_what_the_results_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["fill", "--check"])
    assert pages.main() == 0


def test_every_block_is_shown_somewhere() -> None:
    shown = {
        mark[2] for page in pages.pages(ROOT) for mark in pages.MARK.finditer(page.read_text())
    }
    assert shown == set(blocks())
