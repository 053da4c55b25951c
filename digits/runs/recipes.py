"""Recipes, which decide the result of a training run, and the flags that set their fields."""

import argparse
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from digits.data.mnist import SHAPES, Dataset
from digits.errors import DigitsError
from digits.runs import network_file

TRAINING_IMAGES = SHAPES["train_images"][0]
HELD_OUT = 5_000  # of them, for validation
MOST_HELD_OUT = TRAINING_IMAGES - 1
FEWEST = 100  # images that something can be learnt from
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
# The fields that say how much is drawn, which is all digits, or what may be taken for them.
DRAWN = ("variants", "non_digits", "pens", "font_digits", "font_letters", "lines")


def fastest_precision() -> str:
    """`bfloat16` if the processor has instructions for it, otherwise `float32`.

    Without them, bfloat16 is many times slower. Only Linux lists the processor's instructions.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "float32"
    return "bfloat16" if re.search(r"\b(avx512_bf16|amx_bf16)\b", flags) else "float32"


def _setting(default: Any, meaning: str, low: float, high: float) -> Any:
    """A field with its meaning, unit included, and its valid range, ends included."""
    return field(default=default, metadata={"help": meaning, "range": (low, high)})


def _word(default: str, meaning: str, *choices: str) -> Any:
    return field(default=default, metadata={"help": meaning, "choices": choices})


@dataclass(frozen=True)
class Recipe:
    """What decides the result of a training run, together with the data and the machine.

    Raises:
        DigitsError: a value is out of its range; the message names it.
    """

    name: str = field(default="custom", metadata={"help": "what the recipe is called"})
    network: str = _word(
        "cnn",
        f"architecture, or your own: {network_file.FORM}",
        *("cnn", "small", "tiny", "upright", "vgg", "resnet", "branched"),
    )
    epochs: int = _setting(12, "passes over the training images", 1, 10_000)
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
    pens: int = _setting(0, "training digits as other pens write them, added", 0, 1_000_000)
    font_digits: int = _setting(0, "digits of fonts, added", 0, 1_000_000)
    font_letters: int = _setting(0, "letters and signs of fonts, added", 0, 1_000_000)
    lines: int = _setting(
        0, "lines of writing, drawn to train the network for lines; 0: none", 0, 10_000_000
    )
    line_epochs: int = _setting(8, "passes over these lines", 1, 10_000)
    held_out: int = _setting(HELD_OUT, "training images held out for validation", 1, MOST_HELD_OUT)
    precision: str = _word(
        fastest_precision(),
        "floating-point format; default bfloat16 where the processor has it",
        *("float32", "bfloat16"),
    )
    seed: int = _setting(1, "seed of every random number", 0, 2**31 - 1)
    network_sha256: str = field(default="", metadata={"help": "of the file of one's own network"})

    @property
    def distorts(self) -> bool:
        """Whether any image is changed in training, other than by clutter."""
        return any(getattr(self, name) for name in AUGMENTATIONS if name != "clutter")

    def __post_init__(self) -> None:
        for name, about in SETTINGS.items():
            value = getattr(self, name)
            if "range" in about:
                low, high = about["range"]
                if not low <= value <= high:
                    raise DigitsError(
                        f"{_flag(name)} must be from {low:,g} to {high:,g}, not {value:,}; "
                        f"it is: {about['help']}."
                    )
            elif name == "network" and network_file.is_own(value):
                continue
            elif value not in about["choices"]:
                choices = " or ".join(about["choices"])
                if name == "network":
                    choices += f", or a network of your own, {network_file.FORM}"
                raise DigitsError(f"{_flag(name)} must be {choices}, not {value!r}.")
        left = TRAINING_IMAGES - self.held_out
        if self.batch > left:
            raise DigitsError(
                f"A batch of {self.batch:,} is more than the {left:,} images left to train on; "
                "choose a smaller --batch or --held-out."
            )


# Each field that a flag sets, with its metadata.
SETTINGS = {
    setting.name: setting.metadata
    for setting in fields(Recipe)
    if setting.name not in ("name", "network_sha256")
}


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
        # The network that ships: for other people's handwriting, and for what is no digit.
        Recipe(
            name="reader",
            network="upright",
            epochs=40,
            shear=0.4,
            clutter=0.4,
            variants=24_000,
            pens=12_000,
            font_digits=12_000,
            font_letters=36_000,
            non_digits=28_000,
            lines=320_000,
            line_epochs=7,
        ),
        Recipe(name="best", network="branched", variants=0),
        Recipe(name="vgg", network="vgg", variants=0),
        Recipe(name="resnet", network="resnet", variants=0),
    )
}


ABOUT = {  # what each is, in a few words
    "default": "for MNIST and for other people's handwriting",
    "fast": "a result in seconds, by one epoch without distortion",
    "tiny": "fewer than 10,000 parameters, for MNIST alone",
    "reader": "the model that ships, for handwriting, print, lines, and no letters",
    "best": "the most accurate on MNIST alone, two networks in one",
    "vgg": "a deep network of pairs of convolutions, for MNIST alone",
    "resnet": "a deep network of residual blocks, for MNIST alone",
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds `--recipe` and a flag for each field of a recipe to a command's parser."""
    meanings = "; ".join(f"{name}: {about}" for name, about in ABOUT.items())
    parser.add_argument(
        "--recipe",
        metavar="NAME",
        help=f"{meanings} (default: default). 'digits models' says how good each is, and how long "
        "it takes here",
    )
    group = parser.add_argument_group("fields of the recipe, each overriding it")
    for name, about in SETTINGS.items():
        usual = getattr(RECIPES["default"], name)
        others = [
            f"; {recipe.name}: {value}"
            for recipe in RECIPES.values()
            if (value := getattr(recipe, name)) != usual
        ]
        group.add_argument(
            _flag(name),
            type=type(usual),
            metavar=type(usual).__name__.upper(),
            help=f"{about['help']} ({usual}{''.join(others)})",
        )


def from_flags(arguments: argparse.Namespace) -> Recipe | None:
    """The recipe that the flags make; None if there are none of those that `add_flags` adds.

    Raises:
        DigitsError: there is no recipe of that name, or a value is out of its range.
    """
    given = {name: getattr(arguments, name) for name in SETTINGS}
    overrides = {name: value for name, value in given.items() if value is not None}
    if arguments.recipe is None and not overrides:
        return None
    return named(arguments.recipe or "default", overrides)


def named(recipe: Recipe | str, overrides: Mapping[str, Any]) -> Recipe:
    """A recipe, or the one of that name, with some of its fields overridden.

    Raises:
        DigitsError: there is no recipe or field of that name, a value is out of its range, or the
            file of the user's own network cannot be read.
    """
    if isinstance(recipe, str):
        if recipe not in RECIPES:
            names = " or ".join(RECIPES)
            raise DigitsError(
                f"There is no recipe {recipe!r}; choose {names}, which digits models describes."
            )
        recipe = RECIPES[recipe]
    for name in overrides:
        if name not in SETTINGS:
            raise DigitsError(f"A recipe has no field {name!r}; it has {', '.join(SETTINGS)}.")
    recipe = replace(recipe, **overrides)
    own = network_file.is_own(recipe.network)
    return replace(recipe, network_sha256=network_file.digest(recipe.network) if own else "")


def for_data(recipe: Recipe, data: Dataset) -> Recipe:
    """The recipe as it trains on these data; on MNIST, as it is.

    The usual 5,000 images that are held out become fewer where there are fewer than MNIST's: a
    twelfth, or 1,000 if that is more, but at most a fifth. Where the images show no digits, nothing
    is drawn. The result stays as it is if it is given again.

    Raises:
        DigitsError: there are too few images.
    """
    if data.own is None:
        return recipe
    images = data.own.training
    if images < FEWEST:
        raise DigitsError(
            f"{data.source} holds {images:,} images to train on; at least {FEWEST} are needed."
        )
    if recipe.held_out == HELD_OUT and images < TRAINING_IMAGES:
        recipe = replace(recipe, held_out=max(images // 12, min(1_000, images // 5)))
    if recipe.batch > images - recipe.held_out:
        left = max(0, images - recipe.held_out)
        raise DigitsError(
            f"A batch of {recipe.batch:,} is more than the {left:,} images left to train on; "
            "choose a smaller --batch or --held-out."
        )
    nothing: dict[str, Any] = {} if data.digits else dict.fromkeys(DRAWN, 0)
    return replace(recipe, **nothing)


def changes(recipe: Recipe) -> dict[str, Any]:
    """The fields, other than the seed, in which a recipe differs from the one that it is named
    after; one with a name of its own is compared with the default recipe."""
    named = RECIPES.get(recipe.name, RECIPES["default"])
    values = {name: getattr(recipe, name) for name in SETTINGS if name != "seed"}
    return {name: value for name, value in values.items() if value != getattr(named, name)}


def command_line(recipe: Recipe) -> str:
    """The command line that trains this recipe."""
    named = recipe.name if recipe.name in RECIPES else "default"
    values = {**changes(recipe), "precision": recipe.precision, "seed": recipe.seed}
    flags = [f"{_flag(name)} {shlex.quote(str(value))}" for name, value in values.items()]
    return " ".join(["python mnist_model.py --recipe", named, *flags])


def title(recipe: Recipe) -> str:
    """The recipe's name, after that of the user's own network if it trains one."""
    if not network_file.is_own(recipe.network):
        return recipe.name
    function = network_file.function_name(recipe.network)
    return f"{function} of {network_file.file_of(recipe.network).name}, recipe {recipe.name}"


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
