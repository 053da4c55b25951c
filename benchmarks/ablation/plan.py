"""What the ablation trains, and the sets that it measures on."""

from dataclasses import replace
from typing import Any

from benchmarks import RESULTS_FOLDER, ROOT
from digits.runs import recipes
from digits.runs.recipes import RECIPES, Recipe

RESULTS = RESULTS_FOLDER / "ablation.jsonl"
FIGURE = ROOT / "docs" / "figures" / "ablation.png"
SEEDS = (1, 2, 3)
MNIST = ("validation", "test")
OTHERS = {  # sets of other people's digits, and their files
    "mousedrawn140": "mousedrawn140.npz",
    "hwd1000": "hwd1000.npz",
    "semeion16": "semeion16.npz",
    "pendigits": "pendigits_strokes.npz",
}
# The default recipe for fewer epochs, and without the digits and non-digits that are drawn for
# training, so that what is measured is the augmentation.
RECIPE = replace(
    RECIPES["default"], name="ablation", epochs=4, variants=0, non_digits=0, held_out=10_000
)
FLIPS = ("horizontal_flip", "vertical_flip")
AUGMENTATIONS = tuple(field for field in recipes.AUGMENTATIONS if field != "clutter")
USED = tuple(field for field in AUGMENTATIONS if getattr(RECIPE, field))


def _rows() -> dict[str, Recipe]:
    """Everything that is trained, by the name of its row."""
    nothing: dict[str, Any] = dict.fromkeys(AUGMENTATIONS, 0)
    rows = {"none": replace(RECIPE, **nothing), "all": RECIPE}
    for field in AUGMENTATIONS:
        change: dict[str, Any] = {field: getattr(RECIPE, field) or recipes.AUGMENTATIONS[field]}
        rows[field] = replace(rows["none"], **change)
    for field in USED:
        change = {field: 0}
        rows[f"all but {field}"] = replace(RECIPE, **change)
    return rows


ROWS = _rows()


def jobs() -> list[tuple[str, int]]:
    """Row and seed of every training, seed by seed, so that an unfinished study compares too."""
    return [(name, seed) for seed in SEEDS for name in ROWS]
