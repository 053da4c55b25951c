"""A network of the user's own, tried before anything is trained or written."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from digits.runs import network_file
from digits.runs.recipes import Recipe
from digits.terminal import importing_tensorflow


def tried(recipe: Recipe) -> Recipe:
    """`all_tried` of one recipe."""
    return all_tried([recipe])[0]


def all_tried(recipes: Iterable[Recipe]) -> list[Recipe]:
    """Recipes as they will be trained, after a trial of each network that is the user's own.

    Nothing is written. A network is tried once, with the first of its recipes, since a trial takes
    seconds. A network of ten logits is trained without non-digits. Raises DigitsError if
    a network cannot be trained or exported; the message says what to do.
    """
    changes: dict[str, dict[str, Any]] = {}
    found = []
    for recipe in recipes:
        if network_file.is_own(recipe.network) and recipe.network not in changes:
            with importing_tensorflow():
                from digits.training.trial import checks
            changes[recipe.network] = checks.run(recipe)
        found.append(replace(recipe, **changes.get(recipe.network, {})))
    return found
