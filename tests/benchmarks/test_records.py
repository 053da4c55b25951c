"""Do the tables of records say what the runs did?"""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import records
from benchmarks.harness.json_lines import read_lines


def line(recipe: str, seed: int | None, accuracy: float, **more: Any) -> dict[str, Any]:
    figures = {"test_accuracy": accuracy, "parameters": 9583, "mflop": 1.64, "ece": 0.002}
    return {"recipe_name": recipe, "seed": seed, **figures, **more}


def reads(accuracy: float) -> dict[str, Any]:
    interval = [accuracy - 0.001, accuracy + 0.001]
    return {"test_accuracy": accuracy, "test_accuracy_interval": interval}


ENSEMBLE = {"mean": reads(0.9985), "student": reads(0.9975), "members": [{}, {}]}
LINES = [
    line("tiny", 1, 0.994),
    line("tiny", 2, 0.996),
    line("best", 1, 0.997),
    line("best", 2, 0.998),
    {"recipe_name": "best", "seed": None, "ensemble": ENSEMBLE},
]


def test_an_ensemble_is_not_counted_as_a_seed() -> None:
    runs = records.by_recipe(LINES)
    assert [run["seed"] for run in runs["best"]] == [1, 2]


def test_the_table_has_mean_deviation_and_interval() -> None:
    row = next(row for row in records.block(LINES).splitlines() if "`tiny`" in row)
    # mean 99.5, deviation 0.1414, interval 12.706 · 0.1414 / √2 either way
    assert "| 9,583 | 1.6 | 99.500% ± 0.141% | 98.23% to 100.77% | 1–2 |" in row


def test_the_table_includes_the_ensemble() -> None:
    assert (
        "The mean of 2 `best` networks reads 99.85% (99.75% to 99.95%); one network distilled from "
        "them reads 99.75% (99.65% to 99.85%)."
    ) in records.block(LINES)


def test_the_summary_counts_every_seed() -> None:
    tiny, best, ensemble = records.summary(LINES).splitlines()
    assert "99.500% ± 0.141%" in tiny
    assert "2 seeds, 99.70% to 99.80%" in best
    assert "2 `best` networks reads 99.85%" in ensemble


def test_recipes_are_written_in_a_fixed_order(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    records.write(path, [*LINES[2:], *LINES[:2]])
    assert read_lines(path) == LINES


def test_an_unknown_recipe_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["records", "huge"])
    with pytest.raises(SystemExit):
        records.main()
    assert "there are no records of huge" in capsys.readouterr().err
