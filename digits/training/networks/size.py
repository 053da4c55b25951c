"""How large a network is: its operations, and its layers one by one."""

import itertools
from typing import Any

import keras
import numpy as np
from keras import layers

from digits.training.networks import own_network as own


def mflop(model: keras.Model) -> float:
    """Millions of floating-point operations that a network takes to read one image.

    Two for each multiply-add of its convolutions, dense and recurrent layers, and of what attention
    multiplies, as is usual. Biases, activations and pools take little beside these and are not
    counted. Images must have a fixed size and channels last; transposed convolutions are not
    supported.
    """
    return 2 * _multiplications(model) / 1e6


def _multiplications(model: keras.Model) -> int:
    total = 0
    # Of this model's graph: its layers may also be called elsewhere.
    graph = getattr(model, "_functional", model)._nodes_by_depth
    for node in itertools.chain(*graph.values()):
        layer = node.operation
        if isinstance(layer, keras.Model):
            total += _multiplications(layer)
        elif isinstance(layer, layers.Layer):
            total += _of_layer(layer, node.input_tensors, node.output_tensors[0])
    return total


def _of_layer(layer: keras.layers.Layer, taken: list[Any], given: Any) -> int:
    places = given.shape[1:-1]  # a kernel is used once at each place of the output,
    if isinstance(layer, (layers.RNN, layers.Bidirectional)):
        places = taken[0].shape[1:2]  # or in each step
    kernels = [weight.shape for weight in layer.weights if weight.name.endswith("kernel")]
    total = sum(int(np.prod(kernel)) for kernel in kernels) * int(np.prod(places))
    if isinstance(layer, layers.MultiHeadAttention):
        settings = layer.get_config()
        sizes = settings["key_dim"] + (settings["value_dim"] or settings["key_dim"])
        total += taken[0].shape[1] * taken[1].shape[1] * settings["num_heads"] * sizes
    return total


def layer_table(model: keras.Model) -> list[tuple[str, str, int]]:
    """Each layer's kind, its output's shape for one image, and its number of parameters.

    Of a model that holds a network of the user's own, the layers of that.
    """
    within = [layer for layer in model.layers if layer.name == own.NAME]
    return [_row(layer) for layer in own.every_layer(within[0] if within else model)]


def _row(layer: Any) -> tuple[str, str, int]:
    settings = layer.get_config()
    size = settings.get("kernel_size") or settings.get("pool_size") or ()
    detail = "×".join(map(str, size)) or settings.get("rate") or ""
    if isinstance(layer, layers.Activation):
        detail = settings["activation"]
    shape = "×".join(map(str, layer.output.shape[1:]))
    return f"{type(layer).__name__} {detail}".rstrip(), shape, layer.count_params()
