"""Does every field of a recipe have a flag, and is a wrong value refused in one line?"""

import argparse
from dataclasses import Field, fields, replace
from typing import Any

import pytest

from digits import bundle
from digits.errors import DigitsError
from digits.runs import recipes
from digits.runs.recipes import RECIPES, Recipe
from digits.training import dataset
from digits.training.networks import models

NO_FLAGS = ("name", "network_sha256")  # what --recipe, and the file of a network, decide


def parse(*argv: str) -> Recipe | None:
    parser = argparse.ArgumentParser()
    recipes.add_flags(parser)
    return recipes.from_flags(parser.parse_args(argv))


def test_without_flags_there_is_no_recipe() -> None:
    assert parse() is None


def test_a_name_alone() -> None:
    assert parse("--recipe", "fast") == RECIPES["fast"]


@pytest.mark.parametrize("setting", [f for f in fields(Recipe) if f.name not in NO_FLAGS])
def test_every_field_has_a_flag(setting: Field[Any]) -> None:
    name = setting.name
    value = {"network": "cnn", "precision": "float32"}.get(name, "1")
    if name in ("warmup", "label_smoothing", "dropout", "scaling", "pen", "clutter"):
        value = "0.25"
    given = parse(f"--{name.replace('_', '-')}", value)
    expected = type(getattr(RECIPES["default"], name))(value)
    assert getattr(given, name) == expected
    assert given is not None
    assert given.name == "default"


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--learning-rate", "-1"), "--learning-rate must be from"),
        (("--learning-rate", "nan"), "--learning-rate must be from"),
        (("--learning-rate", "inf"), "--learning-rate must be from"),
        (("--epochs", "0"), "--epochs must be from 1"),
        (("--dropout", "1"), "--dropout must be from 0 to 0.95"),
        (("--batch", "50001", "--held-out", "10000"), "more than the 50,000 images left"),
        (("--held-out", "60000"), "--held-out must be from"),
        (("--precision", "float16"), "must be float32 or bfloat16, not 'float16'"),
        (("--network", "vggg"), "must be cnn or small or tiny"),
        (("--recipe", "slow"), "no recipe 'slow'; choose default or fast"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line(flags: tuple[str, ...], reason: str) -> None:
    with pytest.raises(DigitsError, match=reason) as caught:
        parse(*flags)
    assert "\n" not in str(caught.value)


def test_the_command_line_of_a_recipe_makes_that_recipe() -> None:
    recipe = Recipe(name="fast", network="small", epochs=7, clutter=0.25, seed=3)
    script, *arguments = recipes.command_line(recipe).split()[1:]
    assert script == "mnist_model.py"
    assert parse(*arguments) == recipe


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_the_command_line_of_a_named_recipe_is_short(recipe: Recipe) -> None:
    arguments = recipes.command_line(recipe).split()[2:]
    assert arguments == [
        *("--recipe", recipe.name, "--precision", recipe.precision, "--seed", "1"),
    ]
    assert parse(*arguments) == recipe


def test_the_model_that_ships_is_made_by_todays_recipe() -> None:
    manifest = bundle.read().manifest
    recipe = Recipe(**manifest["recipe"])
    assert recipe == replace(RECIPES["reader"], precision=recipe.precision)
    assert parse(*manifest["command"].split()[2:]) == recipe
    # Whoever changes a generator trains the model again.
    assert manifest["drawn_from"] == dataset.drawn_from(recipe)
    assert not manifest["commit"].endswith("+")  # files that are in no commit


def test_networks_are_those_of_models() -> None:
    """`recipes` names them without importing TensorFlow."""
    (network,) = (f for f in fields(Recipe) if f.name == "network")
    assert network.metadata["choices"] == tuple(models.NETWORKS)
