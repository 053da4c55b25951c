"""The Open Inference Protocol, version 2: tensors over HTTP, as KServe and Triton speak it.

Both signatures of the bundle are models, `canvas` and `digit`. Tensors come and go as JSON or, by
the extension `binary_tensor_data`, as bytes after the JSON.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.bundle import CANVAS_SIDE, DIGIT_SIDE
from digits.serving.problems import RequestError
from digits.serving.requests import MOST_PICTURES, parsed, too_many

VERSION = "1"  # of the models, in paths that name one
HEADER = "Inference-Header-Content-Length"  # bytes of JSON in front of binary tensors
DATATYPES = {"FP32": np.float32, "BOOL": np.bool_}
INPUTS = {"canvas": (CANVAS_SIDE, CANVAS_SIDE), "digit": (DIGIT_SIDE, DIGIT_SIDE)}
OUTPUTS: dict[str, dict[str, tuple[str, tuple[int, ...]]]] = {
    "canvas": {
        "probabilities": ("FP32", (10,)),
        "is_digit": ("FP32", ()),
        "accepted": ("BOOL", ()),
        "digit": ("FP32", (DIGIT_SIDE, DIGIT_SIDE)),
    },
    "digit": {
        "probabilities": ("FP32", (10,)),
        "is_digit": ("FP32", ()),
        "accepted": ("BOOL", ()),
    },
}

Model = Callable[[str, NDArray[np.uint8]], Mapping[str, NDArray[Any]]]


def server_metadata(version: str) -> dict[str, Any]:
    return {"name": "digits", "version": version, "extensions": ["binary_tensor_data"]}


def metadata(model: str) -> dict[str, Any]:
    """Names, types and shapes of a model's tensors; -1 stands for how many images."""
    return {
        "name": model,
        "versions": [VERSION],
        "platform": "litert",
        "inputs": [{"name": model, "datatype": "UINT8", "shape": [-1, *INPUTS[model]]}],
        "outputs": [
            {"name": name, "datatype": kind, "shape": [-1, *shape]}
            for name, (kind, shape) in OUTPUTS[model].items()
        ],
    }


def checked(model: str, version: str = VERSION) -> str:
    """A model's name, if there is such a one.

    Raises:
        RequestError: 404.
    """
    if model not in INPUTS:
        raise RequestError(
            404, f"There is no model {model!r:.40}; there are {' and '.join(INPUTS)}."
        )
    if version != VERSION:
        raise RequestError(404, f"There is no version {version!r:.40} of {model}, only {VERSION}.")
    return model


def infer(model: str, run: Model, body: bytes, json_length: str | None) -> tuple[bytes, int | None]:
    """Answers a request for inference.

    Args:
        model: from `checked`.
        run: (model, uint8 image) -> its outputs with a leading 1 in their shapes.
        body: of the request.
        json_length: the request's `HEADER`, if it has one.

    Returns:
        the body of the answer and, if tensors are in it as bytes, how many bytes of JSON come
        before them.

    Raises:
        RequestError: 400, 413 or 422; what is wrong with the request.
    """
    request, binary = _parts(body, json_length)
    images = _images(model, request, binary)
    wanted = _wanted(model, request)
    answers = [run(model, image) for image in images]
    outputs, contents = [], []
    for name, as_bytes in wanted.items():
        kind, shape = OUTPUTS[model][name]
        tensor = np.concatenate([answer[name].reshape(1, *shape) for answer in answers])
        tensor = tensor.astype(DATATYPES[kind])
        told: dict[str, Any] = {"name": name, "datatype": kind, "shape": list(tensor.shape)}
        if as_bytes:
            contents.append(tensor.tobytes())
            told["parameters"] = {"binary_data_size": len(contents[-1])}
        else:
            told["data"] = tensor.ravel().tolist()
        outputs.append(told)
    head: dict[str, Any] = {"model_name": model, "model_version": VERSION, "outputs": outputs}
    if "id" in request:
        head["id"] = request["id"]
    text = json.dumps(head).encode()
    return b"".join([text, *contents]), len(text) if contents else None


def _parts(body: bytes, json_length: str | None) -> tuple[Mapping[str, Any], bytes]:
    """The JSON of a request, and the bytes after it."""
    length = len(body)
    if json_length is not None:
        if not json_length.isdecimal() or int(json_length[:20]) > length:
            raise RequestError(
                400, f"{HEADER} is {json_length!r:.40}, which is no length within the body."
            )
        length = int(json_length)
    request = parsed(body[:length])
    if not isinstance(request, Mapping):
        raise RequestError(422, 'The JSON must be an object with "inputs".')
    if not isinstance(request.get("id", ""), str):
        raise RequestError(422, '"id" must be a string.')
    return request, body[length:]


def _images(model: str, request: Mapping[str, Any], binary: bytes) -> NDArray[np.uint8]:
    """The one input of a model, uint8 of shape (n, height, width)."""
    side = INPUTS[model]
    wanted = f'"inputs" must be one tensor {{"name": "{model}", "datatype": "UINT8", "shape": '
    wanted += f"[n, {side[0]}, {side[1]}]}}"
    inputs = request.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], Mapping):
        raise RequestError(422, f"{wanted}.")
    (tensor,) = inputs
    shape = tensor.get("shape")
    if tensor.get("name") != model or tensor.get("datatype") != "UINT8":
        told = f"{tensor.get('datatype')!r:.20} of name {tensor.get('name')!r:.40}"
        raise RequestError(422, f"{wanted}, not {told}.")
    if not isinstance(shape, list) or len(shape) != 3 or tuple(shape[1:]) != side:
        raise RequestError(422, f"{wanted}, not {shape!r:.60}.")
    count = shape[0]
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise RequestError(422, f"{wanted} with n from 1 to {MOST_PICTURES}, not {count!r:.20}.")
    if count > MOST_PICTURES:
        raise too_many(count, MOST_PICTURES)
    size = count * math.prod(side)
    parameters = tensor.get("parameters", {})
    if isinstance(parameters, Mapping) and "binary_data_size" in parameters:
        if parameters["binary_data_size"] != size or len(binary) != size:
            raise RequestError(422, f"There must be {size:,} bytes of tensor, not {len(binary):,}.")
        return np.frombuffer(binary, np.uint8).reshape(count, *side)
    if binary:
        raise RequestError(422, 'There are bytes after the JSON, but no "binary_data_size" in it.')
    return _from_json(tensor.get("data"), model, (count, *side))


def _from_json(data: Any, model: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    try:
        array = np.array(data)
    except (ValueError, TypeError, OverflowError):  # rows of unequal length
        array = np.array(None)
    size = math.prod(shape)
    if not np.issubdtype(array.dtype, np.integer) or array.size != size:
        raise RequestError(422, f'"data" of {model} must be {size:,} whole numbers.')
    if array.min() < 0 or array.max() > 255:
        raise RequestError(422, f'"data" of {model} must be from 0 to 255.')
    return array.astype(np.uint8).reshape(shape)


def _wanted(model: str, request: Mapping[str, Any]) -> dict[str, bool]:
    """Which outputs are asked for, and whether each as bytes."""
    parameters = request.get("parameters", {})
    all_binary = isinstance(parameters, Mapping) and parameters.get("binary_data_output") is True
    outputs = request.get("outputs")
    if outputs is None or outputs == []:
        return dict.fromkeys(OUTPUTS[model], all_binary)
    found = {}
    for output in outputs if isinstance(outputs, list) else [outputs]:
        name = output.get("name") if isinstance(output, Mapping) else output
        if not isinstance(name, str) or name not in OUTPUTS[model]:
            there = ", ".join(OUTPUTS[model])
            raise RequestError(422, f"{model} has no output {name!r:.40}; it has {there}.")
        parameters = output.get("parameters", {})
        binary = parameters.get("binary_data") if isinstance(parameters, Mapping) else None
        found[name] = all_binary if binary is None else binary is True
    return found
