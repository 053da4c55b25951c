"""digits.tflite -> what browsers load in its place: the same networks in two fifths of the bytes.

The network for lines has a signature for each of `WIDTHS` as well, `line64` and so on, of the same
weights: a strip of one digit need not take as long as one of ten. Weights are stored as whole
numbers, two bytes each, and one in the large layers of the network for lines. In the model that
ships, probabilities of digits stay within 1e-4. reading/worker.js makes float32 of them again, so
that they run as fast as before.
"""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from digits.bundle import STRIP_WIDTH

WIDTHS = (64, 96, 128)  # of strips, in columns, besides the widest
LINE = "line"
LEAST = 256  # weights that are worth it
LARGE = 40_000  # weights of a layer that has one byte for each
BYTE = 127


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
    whole = _with_widths(model)
    found = sorted(_weights(whole))
    pieces = [np.array([len(whole), len(found), *np.ravel(found)], "<u4").tobytes()]
    end = 0
    for place, rows, columns, parts in found:
        pieces.append(whole[end:place])
        end = place + 4 * rows * columns
        weights = np.frombuffer(whole[place:end], "<f4").reshape(rows, columns)
        pieces += _in_bytes(weights, parts)
    return b"".join([*pieces, whole[end:]])


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
                parts = 1 if name.startswith(LINE) and size >= LARGE else 2
                rows = tensor.Shape(0)
                yield Weights(place, rows, size // rows, parts)


MULTIPLY = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED)


def _with_widths(model: bytes) -> bytes:
    """The model with further signatures for narrower strips."""
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    of_lines = [one for one in tree.signatureDefs if one.signatureKey == LINE.encode()]
    for signature in of_lines:
        for width in WIDTHS:
            narrow = copy.deepcopy(signature)
            narrow.signatureKey = narrow.inputs[0].name = f"{LINE}{width}".encode()
            narrow.subgraphIndex = len(tree.subgraphs)
            tree.signatureDefs.append(narrow)
            tree.subgraphs.append(_narrowed(tree, signature.subgraphIndex, width))
    builder = flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _narrowed(tree: Any, index: int, width: int) -> Any:
    """A copy of the graph of lines for strips of another width. It shares the weights."""
    graph = copy.deepcopy(tree.subgraphs[index])
    graph.name = f"{LINE}{width}".encode()
    for tensor in graph.tensors:
        if tree.buffers[tensor.buffer].data is None:
            tensor.shape = _narrow(tensor.shape, width)
    for operator in graph.operators:
        code = tree.operatorCodes[operator.opcodeIndex].builtinCode
        if code == schema.BuiltinOperator.RESHAPE:  # to a shape that is a constant
            shape = graph.tensors[operator.inputs[1]]
            data = np.array(_narrow(tree.buffers[shape.buffer].data.view("<i4"), width), "<i4")
            shape.buffer = len(tree.buffers)
            tree.buffers.append(schema.BufferT())
            tree.buffers[-1].data = data.view(np.uint8)
    return graph


def _narrow(shape: Any, width: int) -> list[int]:
    """The shape of a tensor for strips of another width, which is the last but one of a picture's
    sides and of the outputs', and the last of the strip's."""
    sides = [int(side) for side in shape]
    across = 1 if len(sides) == 3 and sides[1] * 2 == STRIP_WIDTH else 2
    sides[across] = sides[across] * width // STRIP_WIDTH
    return sides
