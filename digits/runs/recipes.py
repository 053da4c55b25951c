"""Recipes, which decide the result of a training run, and the flags that set their fields."""

import argparse
import re
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from digits.data.mnist import SHAPES
from digits.errors import DigitsError

TRAINING_IMAGES = SHAPES["train_images"][0]
# The fields that change images during training, each with a usual amount for when it is shown or
# studied on its own.
AUGMENTATIONS: dict[str, Any] = {
    "rotation": 15.0,
    "scaling": 0.3,
    "shift": 2.5,
    "shear": 0.2,
    "elastic": 2.0,
    "pen": 0.5,
    "cutout": 8,
    "horizontal_flip": 0.5,
    "vertical_flip": 0.5,
    "clutter": 0.4,
}


def _setting(default: Any, meaning: str, low: float, high: float) -> Any:
    """A field with its meaning, unit included, and its valid range, ends included."""
    return field(default=default, metadata={"help": meaning, "range": (low, high)})


@dataclass(frozen=True)
class Recipe:
    """What decides the result of a training run, together with the data and the machine.

    Raises:
        DigitsError: a value is out of its range; the message names it.
    """

    name: str = field(default="custom", metadata={"help": "what the recipe is called"})
    network: str = field(
        default="cnn",
        metadata={
            "help": "architecture",
            "choices": ("cnn", "small", "tiny", "vgg", "resnet", "branched"),
        },
    )
    epochs: int = _setting(13, "passes over the training images", 1, 10_000)
    batch: int = _setting(128, "batch size, images", 1, TRAINING_IMAGES)
    learning_rate: float = _setting(0.003, "peak learning rate of Adam", 1e-9, 10)
    warmup: float = _setting(0.2, "fraction of all steps before the peak", 0, 0.9)
    label_smoothing: float = _setting(0.1, "probability spread over all digits", 0, 0.9)
    dropout: float = _setting(0.3, "dropout rate of the features", 0, 0.95)
    rotation: float = _setting(15.0, "maximum rotation, degrees either way", 0, 180)
    scaling: float = _setting(0.3, "maximum change of width and height, fraction", 0, 0.6)
    shear: float = _setting(0.2, "maximum slant, pixels sideways per pixel up", 0, 2)
    shift: float = _setting(2.5, "maximum shift, pixels each way", 0, 28)
    pen: float = _setting(1.0, "maximum change of stroke width, pixels a side", 0, 1)
    elastic: float = _setting(0.0, "maximum elastic displacement, pixels each way", 0, 10)
    cutout: int = _setting(0, "side of a square set to 0 at a random place, pixels", 0, 28)
    horizontal_flip: float = _setting(0.0, "fraction of images mirrored left to right", 0, 1)
    vertical_flip: float = _setting(0.0, "fraction of images mirrored top to bottom", 0, 1)
    clutter: float = _setting(0.0, "fraction with noise, stray lines or shadows; falls to 0", 0, 1)
    variants: int = _setting(2_500, "drawn digits in other handwriting styles, added", 0, 1_000_000)
    non_digits: int = _setting(
        3_000, "letters, scribbles and other non-digits, added", 0, 1_000_000
    )
    held_out: int = _setting(5_000, "training images held out for validation", 1, 59_999)
    precision: str = field(
        default_factory=lambda: fastest_precision(),
        metadata={
            "help": "floating-point format; default bfloat16 where the processor has it",
            "choices": ("float32", "bfloat16"),
        },
    )
    seed: int = _setting(1, "seed of every random number", 0, 2**31 - 1)

    @property
    def distorts(self) -> bool:
        """Whether any image is changed in training, other than by clutter."""
        return any(getattr(self, name) for name in AUGMENTATIONS if name != "clutter")

    def __post_init__(self) -> None:
        for setting in fields(self):
            value, meaning = getattr(self, setting.name), setting.metadata["help"]
            if "range" in setting.metadata:
                low, high = setting.metadata["range"]
                if not low <= value <= high:
                    raise DigitsError(
                        f"{_flag(setting)} must be from {low:,g} to {high:,g}, not {value:,}; "
                        f"it is: {meaning}."
                    )
            elif value not in setting.metadata.get("choices", (value,)):
                choices = " or ".join(setting.metadata["choices"])
                raise DigitsError(f"{_flag(setting)} must be {choices}, not {value!r}.")
        if self.batch > TRAINING_IMAGES - self.held_out:
            raise DigitsError(
                f"A batch of {self.batch:,} is more than the "
                f"{TRAINING_IMAGES - self.held_out:,} images left to train on; "
                "choose a smaller --batch or --held-out."
            )


def fastest_precision() -> str:
    """`bfloat16` if the processor has instructions for it, otherwise `float32`.

    Without them, bfloat16 is many times slower. Only Linux lists the processor's instructions.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "float32"
    return "bfloat16" if re.search(r"\b(avx512_bf16|amx_bf16)\b", flags) else "float32"


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(name="default"),
        Recipe(
            name="fast",
            network="small",
            epochs=1,
            learning_rate=0.014,
            dropout=0.2,
            rotation=0,
            scaling=0,
            shear=0,
            shift=0,
            pen=0,
            variants=1_500,
            non_digits=1_500,
        ),
        # The others are for MNIST alone: no digits in other handwriting styles are added.
        Recipe(
            name="tiny",
            network="tiny",
            epochs=40,
            learning_rate=0.02,
            label_smoothing=0.05,
            dropout=0,
            rotation=10,
            scaling=0.12,
            shear=0.12,
            shift=1.5,
            pen=0,
            variants=0,
            non_digits=1_000,
        ),
        Recipe(name="best", network="branched", epochs=12, variants=0),
        Recipe(name="vgg", network="vgg", epochs=12, variants=0),
        Recipe(name="resnet", network="resnet", epochs=12, variants=0),
    )
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds `--recipe` and a flag for each field of a recipe to a command's parser."""
    parser.add_argument(
        "--recipe", metavar="NAME", help=f"{' or '.join(RECIPES)} (default: default)"
    )
    group = parser.add_argument_group("fields of the recipe, each overriding it")
    for setting in _overridable():
        kind = type(getattr(RECIPES["default"], setting.name))
        group.add_argument(
            _flag(setting),
            type=kind,
            metavar=kind.__name__.upper(),
            help=f"{setting.metadata['help']} ({_values(setting)})",
        )


def from_flags(arguments: argparse.Namespace) -> Recipe | None:
    """The recipe that the flags make; None if there are none of those that `add_flags` adds.

    Raises:
        DigitsError: there is no recipe of that name, or a value is out of its range.
    """
    overrides = {
        setting.name: getattr(arguments, setting.name)
        for setting in _overridable()
        if getattr(arguments, setting.name) is not None
    }
    if arguments.recipe is None and not overrides:
        return None
    name = arguments.recipe or "default"
    if name not in RECIPES:
        raise DigitsError(f"There is no recipe {name!r}; choose {' or '.join(RECIPES)}.")
    return replace(RECIPES[name], **overrides)


def command_line(recipe: Recipe) -> str:
    """The command line that trains this recipe."""
    named = RECIPES.get(recipe.name, RECIPES["default"])
    flags = [
        f"{_flag(setting)} {getattr(recipe, setting.name)}"
        for setting in _overridable()
        if getattr(recipe, setting.name) != getattr(named, setting.name)
        or setting.name in ("seed", "precision")
    ]
    return " ".join(["python mnist_model.py --recipe", named.name, *flags])


def _overridable() -> list[Field[Any]]:
    return [setting for setting in fields(Recipe) if setting.name != "name"]


def _flag(setting: Field[Any]) -> str:
    return "--" + setting.name.replace("_", "-")


def _values(setting: Field[Any]) -> str:
    """The value of a field in the default recipe, and in each recipe that has another one."""
    usual = getattr(RECIPES["default"], setting.name)
    others = [
        f"; {name}: {value}"
        for name, recipe in RECIPES.items()
        if (value := getattr(recipe, setting.name)) != usual
    ]
    return f"{usual}{''.join(others)}"
