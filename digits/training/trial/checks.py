"""What a network of the user's own must do: learn, and be exported."""

import re
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits.bundle import DIGIT_SIDE
from digits.errors import DigitsError
from digits.evaluation import CLASSES
from digits.runs import network_file
from digits.runs.recipes import Recipe
from digits.runtime import Model
from digits.terminal import note, own_words_only
from digits.training.exporting import export
from digits.training.networks import models
from digits.training.train import use_cores

PICTURES = 4
# How LiteRT's converter names what it lacks: `"…/layer/Operation@…` and `'tf.Operation' op is`.
LACKING = re.compile(r"\"[^\"]*?([^/\"]+)/\w+@[^\n]*?'tf\.(\w+)' op is")


def run(recipe: Recipe) -> dict[str, Any]:
    """Tries the network; returns what its recipe has to be changed to. See `trial.all_tried`."""
    use_cores()  # before TensorFlow's first operation, which is this one's
    model = models.build(recipe)
    pictures = np.random.default_rng(0).uniform(0, 255, (PICTURES, DIGIT_SIDE, DIGIT_SIDE, 1))
    pictures = pictures.astype(np.float32)
    with network_file.blamed(recipe.network, b""):
        _check_training(recipe.network, model, pictures)
    _check_export(recipe.network, model, pictures)
    _forget_names()
    if model.output_shape[-1] > CLASSES:
        return {}
    note(
        f"{recipe.network} gives ten logits and none for what is no digit, so no letters and "
        f"scribbles are drawn for it, and it refuses only what it is unsure of; "
        f"{CLASSES + 1} logits would let it learn them."
    )
    return {"non_digits": 0, "font_letters": 0}


def _forget_names() -> None:
    """Lets Keras count its layers anew, so that they are called as in a run that is resumed, which
    has no trial: the bundles are the same to the bit."""
    policy = keras.config.dtype_policy()
    keras.utils.clear_session(free_memory=False)
    keras.config.set_dtype_policy(policy)


def _check_training(network: str, model: keras.Model, pictures: np.ndarray) -> None:
    with tf.GradientTape() as tape:
        logits = model(pictures, training=True)[:, 0]
        loss = tf.reduce_mean(tf.nn.log_softmax(logits)[:, 0])
    given = np.asarray(logits)
    if not np.isfinite(given).all():
        raise DigitsError(
            f"{network} gives numbers that are not finite; look for a division by 0 or a logarithm."
        )
    if (given >= 0).all() and np.allclose(given.sum(axis=1), 1, atol=1e-3):
        raise DigitsError(
            f"{network} gives probabilities, and training needs logits; leave the softmax at its "
            "end out. The model that is exported has one."
        )
    variables = model.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        if gradient is None:
            raise DigitsError(
                f"{network} has weights that change no answer, {variable.path}; give their layer a "
                "place in the network, or take it out."
            )


def _check_export(network: str, model: keras.Model, pictures: np.ndarray) -> None:
    """LiteRT reads with what is exported, and has fewer operations than TensorFlow."""
    finished = models.finish(model, 1.0)
    digit = export.signatures(finished)["digit"]
    digits = pictures[..., 0].astype(np.uint8)
    try:
        with own_words_only():
            lite = export.converted([finished], {"digit": digit})
    except Exception as error:
        if lacking := LACKING.search(str(error)):
            what = f"the operation {lacking[2]}, in its layer {lacking[1]}"
        else:
            what = f"something ({str(error).strip().splitlines()[0]})"
        raise DigitsError(
            f"{network} needs {what}, which LiteRT, with which a model reads, does not have; do it "
            "with other layers."
        ) from None
    with own_words_only():
        runtime = Model(lite)
        outputs = export.answers(partial(runtime.run, "digit"), digits)
    export.check("LiteRT", export.answers(digit, digits[:, None]), outputs)
