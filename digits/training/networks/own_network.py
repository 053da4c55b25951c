"""A function in the user's file -> a Keras model that training, export and report can take."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
from keras import layers

from digits.bundle import DIGIT_SIDE
from digits.errors import DigitsError
from digits.evaluation import CLASSES
from digits.runs import network_file
from digits.runs.recipes import Recipe

INPUT = (DIGIT_SIDE, DIGIT_SIDE, 1)
NAME = "network"  # of the user's part in the whole model


def build(recipe: Recipe, folder: Path | None) -> keras.Model:
    """The user's network with fresh weights: float32 of shape (n, 28, 28, 1), ink 255 on 0, to
    logits of shape (n, 10) or (n, 11).

    Args:
        recipe: names the function, and is handed to it if it takes an argument.
        folder: of the run, which has the copy of the user's file; None for the file itself.

    Raises:
        DigitsError: the file is missing or was changed, its code fails, or the function gives
            something else; the message says what to do.
    """
    copy = folder / network_file.COPY if folder else None
    source = network_file.content(recipe.network, recipe.network_sha256, copy)
    function = network_file.load(recipe.network, source)
    arguments = _arguments(function, recipe)
    with network_file.blamed(recipe.network, source):
        made = function(*arguments)
        if isinstance(made, keras.Sequential) and not made.built:
            made = keras.Sequential([keras.Input(INPUT), *made.layers])
    return _functional(made, recipe.network)


def every_layer(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers of a model, and of the models in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from every_layer(layer)
        else:
            yield layer


def normalises(model: keras.Model) -> bool:
    """Whether the network normalises over the images of a batch."""
    return any(isinstance(layer, layers.BatchNormalization) for layer in every_layer(model))


def in_float32(model: keras.Model) -> keras.Model:
    """A copy that computes in float32, with the same weights."""
    config = model.to_json()
    for policy in ("mixed_bfloat16", "bfloat16"):
        config = config.replace(f'"{policy}"', '"float32"')
    copy = keras.models.model_from_json(config)
    copy.set_weights(model.get_weights())
    return copy


def _arguments(function: Any, recipe: Recipe) -> list[Recipe]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty and one.kind in (*kinds, inspect.Parameter.KEYWORD_ONLY)
    ]
    if len(needed) > 1 or any(one.kind not in kinds for one in needed):
        names = ", ".join(one.name for one in needed)
        raise DigitsError(
            f"{recipe.network} takes {names}; let it take the recipe alone, or nothing."
        )
    return [recipe] * len(needed)


def _functional(made: Any, network: str) -> keras.Model:
    """The model as Keras's functional one, called `NAME`, after checking what can be seen of it."""

    def refused(reason: str) -> DigitsError:
        return DigitsError(f"{network} {reason}")

    wanted = "give back a keras.Sequential, or a keras.Model of its inputs and outputs"
    if not isinstance(made, keras.Model):
        raise refused(f"gives {type(made).__name__}; {wanted}.")
    if not _is_kerass(made):
        raise refused(f"gives a class of its own, {type(made).__name__}; {wanted}.")
    if len(made.inputs) != 1 or len(made.outputs) != 1:
        raise refused(
            f"has {len(made.inputs)} inputs and {len(made.outputs)} outputs; let it have one each."
        )
    (taken,), (given,) = made.inputs, made.outputs
    if tuple(taken.shape[1:]) != INPUT or taken.dtype != "float32":
        raise refused(
            f"takes {taken.dtype} of shape {_shape(taken)}; let it begin with "
            f"keras.Input({INPUT}), and bring the bytes into its range itself, as by "
            "layers.Rescaling(1 / 255)."
        )
    if len(given.shape) != 2 or given.shape[1] not in (CLASSES, CLASSES + 1):
        raise refused(
            f"gives the shape {_shape(given)}; let it end in layers.Dense({CLASSES + 1}), one "
            "logit for each digit and one for what is no digit, or in "
            f"layers.Dense({CLASSES})."
        )
    last = given._keras_history.operation
    activation = last if isinstance(last, layers.Softmax) else getattr(last, "activation", None)
    name = getattr(activation, "__name__", type(activation).__name__).lower()
    if activation is not None and name != "linear":
        raise refused(
            f"ends in {name}, and training needs logits; leave {name} out. The model that is "
            "exported has a softmax."
        )
    _check_layers(made, refused)
    if isinstance(last, layers.Layer):  # in bfloat16, logits would have three digits
        last.dtype_policy = "float32"
    return keras.Model(taken, given, name=NAME)


def _check_layers(made: keras.Model, refused: Any) -> None:
    """Checks that Keras alone can open the model."""
    for layer in every_layer(made):
        own = not _is_kerass(layer)
        if own or isinstance(layer, layers.Lambda):
            what = f"a class of its own, {type(layer).__name__}" if own else "a Lambda"
            raise refused(
                f"has the layer {layer.name}, {what}, which no other program could open; use "
                "Keras's layers and keras.ops instead."
            )
    if not made.trainable_weights:
        raise refused("has no weights to train; add a layer that has.")
    try:
        keras.models.model_from_json(made.to_json())
    except Exception as error:
        reason = str(error).strip().splitlines()[-1].strip().rstrip(".")
        raise refused(
            f"cannot be saved as Keras saves models ({reason}); use Keras's layers and keras.ops "
            "alone."
        ) from None


def _is_kerass(thing: Any) -> bool:
    """Whether its class is of Keras, so that Keras can open it from a file."""
    return type(thing).__module__.startswith("keras.")


def _shape(tensor: Any) -> str:
    return "×".join(map(str, tensor.shape[1:])) or "()"
