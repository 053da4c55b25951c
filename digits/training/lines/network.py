"""The network that reads a line of writing whole, without cutting it into digits."""

import keras
import numpy as np
from keras import layers, ops

from digits.bundle import STRIP_HEIGHT, STRIP_WIDTH
from digits.data.lines.texts import CHARACTERS
from digits.data.mnist import Bytes
from digits.training.networks.models import StandardizedConv2D, plain

BLANK = len(CHARACTERS)  # the output for "no character begins here"
OUTPUTS = BLANK + 1
STEP = 2  # columns of the strip that one step of the outputs stands for
STEPS = STRIP_WIDTH // STEP


def build(precision: str) -> keras.Model:
    """The network with fresh weights: strips, float32 of shape (n, 32, 192, 1), ink 255 on 0, to
    logits, float32 of shape (n, 96, 21).

    Convolutional throughout, for connectionist temporal classification (Graves et al. 2006): sides
    go 32×192, 16×96, 8×48, then 4×48 and 1×48. 308 thousand parameters, 149 MFLOP a strip.
    """
    strip = keras.Input((STRIP_HEIGHT, STRIP_WIDTH, 1), name="strip")
    usual = keras.config.dtype_policy()
    mixed = "mixed_" if precision == "bfloat16" else ""
    keras.config.set_dtype_policy(mixed + precision)
    try:
        x = layers.Rescaling(1 / 255, dtype="float32")(strip)
        x = _convolution(x, 16, 5, pool=(2, 2))
        x = _convolution(x, 32)
        x = _convolution(x, 32, pool=(2, 2))
        x = _convolution(x, 64)
        x = _convolution(x, 96, pool=(2, 1))
        x = _convolution(x, 96)
        x = _convolution(x, 128, (4, 1), padding="valid")
        x = _convolution(x, 128, (1, 5))
        # Two steps for each column of features, so that narrow digits that repeat are told apart.
        x = layers.Conv2D(2 * OUTPUTS, 1, dtype="float32")(x)
        logits = layers.Reshape((STEPS, OUTPUTS), dtype="float32")(x)
    finally:
        keras.config.set_dtype_policy(usual)
    return keras.Model(strip, logits, name="line")


def _convolution(
    x: keras.KerasTensor,
    filters: int,
    size: int | tuple[int, int] = 3,
    padding: str = "same",
    pool: tuple[int, int] | None = None,
) -> keras.KerasTensor:
    x = StandardizedConv2D(filters, size, padding=padding)(x)
    if pool:
        x = layers.MaxPooling2D(pool)(x)
    return layers.Activation("relu")(x)


def finish(model: keras.Model) -> keras.Model:
    """The trained network as it ships: float32, plain Keras layers, and as its output
    `log_probabilities`, float32 of shape (n, 96, 21)."""
    return _with_log_probabilities(plain(model))


def finished_at(finished: keras.Model, width: int) -> keras.Model:
    """The finished network, with the same weights, for strips of another width that is a multiple
    of 4."""
    return _with_log_probabilities(at(finished, width))


def at(model: keras.Model, width: int) -> keras.Model:
    """The network to its logits, with the same weights, for strips of a width that is a multiple of
    4."""
    strip = keras.Input((STRIP_HEIGHT, width, 1), name="strip")
    x = strip
    for layer in model.layers[1:]:
        fixed = isinstance(layer, layers.Reshape)
        x = layers.Reshape((width // STEP, OUTPUTS), dtype="float32")(x) if fixed else layer(x)
    return keras.Model(strip, x, name=f"{model.name}_{width}")


def _with_log_probabilities(model: keras.Model) -> keras.Model:
    outputs = {"log_probabilities": ops.log_softmax(model.output)}
    return keras.Model(model.input, outputs, name=model.name)


def read(model: keras.Model, strips: Bytes) -> list[str]:
    """The text of the likeliest path through each strip, uint8 of shape (n, 32, 192)."""
    texts = []
    for start in range(0, len(strips), 250):
        batch = strips[start : start + 250, ..., None].astype(np.float32)
        for path in np.asarray(model(batch, training=False)).argmax(axis=2):
            shown = path[np.flatnonzero(np.diff(path, prepend=-1))]
            texts.append("".join(CHARACTERS[i] for i in shown if i != BLANK))
    return texts
