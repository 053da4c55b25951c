"""digits.tflite -> what browsers load in its place: the same networks in two fifths of the bytes.

Weights are stored as whole numbers, two bytes each, and one in the large layers of the network for
lines. In the model that ships, probabilities of digits stay within 1e-4. reading/worker.js makes
float32 of them again, so that they run as fast as before.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from digits.bundle import LINE_WIDTHS

LEAST = 256  # weights that are worth it
LARGE = 40_000  # weights of a layer that has one byte for each
BYTE = 127
MULTIPLY = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED)


class Weights(NamedTuple):
    """Weights in a model file: their place in bytes, a row for each filter, and how many bytes a
    weight is to have."""

    place: int
    rows: int
    columns: int
    parts: int


def packed(model: bytes) -> bytes:
    """The model for browsers, from the content of a bundle's digits.tflite.

    It begins with two numbers, uint32: the size of the model file, and how many arrays of weights
    were taken out of it. For each of them follow, as uint32, `Weights`. Then comes what is before
    the first array, and then that array: for each of its parts float32 `steps`, one for each row,
    and int8 numbers; a weight is the sum of its numbers times its row's steps. So on to the end.
    """
    found = sorted(_weights(model))
    pieces = [np.array([len(model), len(found), *np.ravel(found)], "<u4").tobytes()]
    end = 0
    for place, rows, columns, parts in found:
        pieces.append(model[end:place])
        end = place + 4 * rows * columns
        weights = np.frombuffer(model[place:end], "<f4").reshape(rows, columns)
        pieces += _in_bytes(weights, parts)
    return b"".join([*pieces, model[end:]])


def _in_bytes(weights: NDArray[np.float32], parts: int) -> Iterator[bytes]:
    """Steps and whole numbers of each part; what one part leaves over is left to the next."""
    # Rounded up to 8 bits, so that steps are small, too, and all products are exact.
    bits = np.abs(weights).max(axis=1).astype("<f4") / BYTE
    steps = ((bits.view("<u4") + 0xFFFF) & 0xFFFF0000).view("<f4")
    left = weights.astype(np.float64)
    for _ in range(parts):
        steps = np.maximum(steps, np.finfo(np.float32).tiny)
        numbers = np.clip(np.rint(left / steps[:, None]), -BYTE - 1, BYTE)
        left = left - numbers * steps[:, None]
        yield steps.tobytes()
        yield numbers.astype(np.int8).tobytes()
        steps = steps / 256


def _weights(model: bytes) -> Iterator[Weights]:
    """The large weights in a model file; those that several signatures share come once."""
    seen = set()
    root = schema.Model.GetRootAs(model, 0)
    start = np.frombuffer(model, np.uint8).__array_interface__["data"][0]
    codes = [root.OperatorCodes(i).BuiltinCode() for i in range(root.OperatorCodesLength())]
    for signature in range(root.SignatureDefsLength()):
        name = root.SignatureDefs(signature).SignatureKey().decode()
        graph = root.Subgraphs(root.SignatureDefs(signature).SubgraphIndex())
        for i in range(graph.OperatorsLength()):
            operator = graph.Operators(i)
            if codes[operator.OpcodeIndex()] not in MULTIPLY:
                continue
            tensor = graph.Tensors(operator.Inputs(1))
            buffer = root.Buffers(tensor.Buffer())
            size = buffer.DataLength() // 4
            if size < LEAST or tensor.Type() != schema.TensorType.FLOAT32:
                continue
            place = buffer.DataAsNumpy().__array_interface__["data"][0] - start
            if place not in seen:
                seen.add(place)
                parts = 1 if name in LINE_WIDTHS and size >= LARGE else 2
                rows = tensor.Shape(0)
                yield Weights(place, rows, size // rows, parts)
