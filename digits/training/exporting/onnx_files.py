"""A bundle's networks -> a file of each signature for ONNX Runtime, for any number of images."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
from tf2onnx import convert

from digits.bundle import Bundle
from digits.data.mnist import Bytes
from digits.errors import DigitsError
from digits.training.exporting.export import answers, check, loaded, signatures

OPSET = 17
ABOUT = ("name", "created", "commit")  # of the manifest


def onnx_files(source: Bundle) -> dict[str, bytes]:
    """The files `digit.onnx` and, if the model has these signatures, `canvas.onnx` and one for each
    width of lines.

    Each takes and gives what the signature of its name does, for n images instead of one. Its
    metadata hold the contract, the threshold of `is_digit`, and where the model comes from.

    Raises:
        DigitsError: a file of the bundle is missing or damaged, or ONNX Runtime answers something
            else to the bundle's golden inputs than Keras did.
    """
    model = loaded(source, "model.keras")
    reads_lines = "line.keras" in source.manifest["files"]
    functions = signatures(model, loaded(source, "line.keras") if reads_lines else None, None)
    golden = np.load(io.BytesIO(source.file("golden.npz")))
    files = {}
    for name in (name for name in functions if name in source.manifest["contract"]):
        function = functions[name]
        converted, _ = convert.from_function(
            function, function.input_signature, opset=OPSET, custom_op_handlers=HANDLERS
        )
        for tensor in (*converted.graph.input, *converted.graph.output):
            tensor.type.tensor_type.shape.dim[0].dim_param = "n"
        onnx.helper.set_model_props(converted, _metadata(source, name))
        content = bytes(converted.SerializeToString())
        inputs = golden[f"{name}_input"]
        run = _runtime(content, name)
        expected = {
            key.removeprefix(f"{name}_"): golden[key]
            for key in golden.files
            if key.startswith(f"{name}_") and key != f"{name}_input"
        }
        for found in (run(inputs), answers(run, inputs[:, None])):
            check(f"ONNX Runtime, {name}.onnx", expected, found)
        files[f"{name}.onnx"] = content
    return files


def _metadata(source: Bundle, name: str) -> dict[str, str]:
    manifest = source.manifest
    contract = manifest["contract"][name].replace("(1,", "(n,")
    about = {key: str(manifest[key]) for key in ABOUT if key in manifest}
    thresholds = json.dumps(manifest["thresholds"])
    return {**about, "contract": contract, "thresholds": thresholds}


def _erfc(graph: Any, node: Any, name: str, _: Any) -> None:
    """1 - erf(x), as in `gelu`, which the converter does not know by the name Erfc."""
    (taken,), (given,) = node.input, node.output
    shape, kind = graph.get_shape(given), graph.get_dtype(given)
    graph.remove_node(name)
    one = graph.make_const(f"{name}_one", np.array(1, np.float32)).output[0]
    erf = graph.make_node("Erf", [taken]).output[0]
    graph.make_node("Sub", [one, erf], outputs=[given], name=name, shapes=[shape], dtypes=[kind])


HANDLERS: dict[str, Any] = {"Erfc": (_erfc, [])}  # in the form of the converter


def _runtime(content: bytes, name: str) -> Callable[[Bytes], Mapping[str, Any]]:
    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # of a class for each of its error codes
        reason = str(error).rpartition("Error ")[2].strip().rstrip(".")
        raise DigitsError(
            f"ONNX Runtime cannot run {name}.onnx ({reason}); do it with other layers."
        ) from None
    outputs = [output.name for output in session.get_outputs()]

    def run(images: Bytes) -> Mapping[str, Any]:
        return dict(zip(outputs, session.run(outputs, {name: images}), strict=True))

    return run
