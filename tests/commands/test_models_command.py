"""Does `digits models` describe every recipe, and fit a terminal?"""

from dataclasses import replace

import pytest

from benchmarks.fill import recorded
from digits import cli
from digits.commands import models
from digits.data.mnist import Mnist
from digits.runs.recipes import ABOUT, RECIPES
from digits.studies import recipe_times
from digits.studies.recipe_times import Steps


def test_every_recipe_is_described_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "--no-time"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    for name, about in ABOUT.items():
        (at,) = (number for number, line in enumerate(lines) if line.startswith(f"{name} "))
        assert lines[at + 1] == f"  {about}"
    assert list(ABOUT) == list(RECIPES)


def test_figures_are_those_of_the_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert models.RECORDED.read_text() == recorded.content()
    cli.main(["models", "--no-time"])
    assert "default     173,227   10.9       99.70% ± 0.02%      5" in capsys.readouterr().out


def test_times_fit_80_columns_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe_times, "training_seconds", lambda recipe, *_: 60.0 * recipe.epochs)
    assert cli.main(["models"]) == 0
    output = capsys.readouterr().out
    assert max(map(len, output.splitlines())) <= 80
    assert "40 min" in output


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.4, "4 s"), (89, "89 s"), (90, "1.5 min"), (600, "10 min"), (7200, "2.0 h")],
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert models.in_words(seconds) == words


def test_a_longer_recipe_takes_longer(mnist: Mnist, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, digits = RECIPES["fast"], mnist.train_images[:200]
    measured = recipe_times.of_digits(fast, digits, cores=1)
    assert measured.before > 0
    assert measured.each > 0
    monkeypatch.setattr(recipe_times, "of_digits", lambda *_: Steps(2.0, 1e-4))
    monkeypatch.setattr(recipe_times, "of_lines", lambda *_: Steps(3.0, 1e-3))
    one = recipe_times.training_seconds(fast, digits, 1)
    assert one == pytest.approx(2 + 58_000 * 1e-4)
    two = recipe_times.training_seconds(replace(fast, epochs=2, lines=1000), digits, 1)
    assert two == pytest.approx(2 + 2 * 58_000 * 1e-4 + 3 + 8_000 * 1e-3)
