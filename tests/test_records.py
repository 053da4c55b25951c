"""Are the records told as the runs were?"""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import records
from benchmarks.results import read_lines


def line(recipe: str, seed: int | None, accuracy: float, **more: Any) -> dict[str, Any]:
    figures = {"test_accuracy": accuracy, "parameters": 9583, "mflop": 1.64, "ece": 0.002}
    return {"recipe_name": recipe, "seed": seed, **figures, **more}


LINES = [
    line("tiny", 1, 0.994),
    line("tiny", 2, 0.996),
    line("best", 1, 0.997),
    line("best", 2, 0.998),
    {"recipe_name": "best", "seed": None, "ensemble": {"mean": {"test_accuracy": 0.9985}}},
]


def test_an_ensemble_is_no_seed() -> None:
    runs = records.by_recipe(LINES)
    assert [run["seed"] for run in runs["best"]] == [1, 2]


def test_the_table_has_mean_deviation_and_interval() -> None:
    row = next(row for row in records.block(LINES).splitlines() if "`tiny`" in row)
    # mean 99.5, deviation 0.1414, interval 12.706 · 0.1414 / √2 either way
    assert "| 9,583 | 1.6 | 99.500% ± 0.141% | 98.23% to 100.77% | 1–2 |" in row


def test_the_summary_counts_every_seed() -> None:
    tiny, best, ensemble = records.summary(LINES).splitlines()
    assert "99.500% ± 0.141%" in tiny
    assert "2 seeds, 99.70% to 99.80%" in best
    assert "0.9985" in ensemble


def test_recipes_are_written_in_one_order(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    records.write(path, [*LINES[2:], *LINES[:2]])
    assert read_lines(path) == LINES


def test_an_unknown_recipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["records", "huge"])
    with pytest.raises(SystemExit):
        records.main()
    assert "there are no records of huge" in capsys.readouterr().err
