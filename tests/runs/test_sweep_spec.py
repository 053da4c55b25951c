"""Is a file of recipes read as it is meant, and is a mistake in it named with its line?"""

from dataclasses import replace
from pathlib import Path

import pytest

from digits.errors import DigitsError
from digits.runs import sweep_spec
from digits.runs.recipes import RECIPES, Recipe


def test_ranges_comments_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "spec.txt"
    path.write_text(
        "# comment\n\n--recipe fast --seed 1..3  # three seeds\n"
        "--recipe fast --seed=2..4\n--epochs 2..3 --seed 7..8 --dropout 0.1\n"
    )
    found = sweep_spec.read(path)
    fast, default = RECIPES["fast"], replace(RECIPES["default"], dropout=0.1)
    assert found == [replace(fast, seed=seed) for seed in (1, 2, 3, 4)] + [
        replace(default, epochs=epochs, seed=seed) for epochs in (2, 3) for seed in (7, 8)
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--epochs many", "argument --epochs: invalid int value: 'many'"),
        ("--recipe slow", "There is no recipe 'slow'"),
        ("--dropout 2", "--dropout must be from 0 to 0.95, not 2.0"),
        ("--out somewhere", "unrecognized arguments: --out somewhere"),
        ("fast", "unrecognized arguments: fast"),
        ("--seed 5..1", "the range 5..1 is empty; write 1..5"),
        ("--seed 1..99999999", "makes more than 10,000 runs"),
        ("--seed 1..200 --epochs 1..200", "more than 10,000 runs"),
        ("--seed", "argument --seed: expected one argument"),
        ('--recipe "fast', "No closing quotation"),
    ],
)
def test_a_line_that_is_not_valid_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "spec.txt"
    path.write_text(f"--recipe fast\n\n{line}\n")
    with pytest.raises(DigitsError) as caught:
        sweep_spec.read(path)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read"), (b"# nothing\n", "names no run"), (b"\xff", "is not a text file")],
)
def test_a_file_without_recipes(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "spec.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DigitsError, match=reason):
        sweep_spec.read(path)


def test_names_can_be_read_and_are_folders() -> None:
    fast = RECIPES["fast"]
    assert sweep_spec.name_of(fast) == "fast-seed-1"
    assert sweep_spec.name_of(replace(fast, dropout=0.5, seed=3)) == "fast-dropout-0.5-seed-3"
    assert sweep_spec.name_of(replace(fast, dropout=0.5, seed=3), seed=False) == "fast-dropout-0.5"
    long = Recipe(name="fast", batch=7, rotation=1, scaling=0.1, shear=0.1, shift=1, pen=0.1)
    names = {sweep_spec.name_of(replace(long, epochs=epochs)) for epochs in range(1, 50)}
    assert len(names) == 49
    assert max(map(len, names)) < 130
