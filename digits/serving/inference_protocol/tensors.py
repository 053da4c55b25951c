"""Inference: tensors of a request, what the model makes of them, and the tensors of the answer."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from typing_extensions import NotRequired, TypedDict

from digits.bundle import CANVAS_SIDE, DIGIT_SIDE
from digits.serving.errors import RequestError
from digits.serving.reading_processes import requests
from digits.serving.reading_processes.messages import INFERENCE_LENGTH, Body, Kind, Reply, Task
from digits.serving.reading_processes.requests import MOST_PICTURES, Array

VERSION = "1"  # of both models, in paths that name one
SIDES = {"canvas": CANVAS_SIDE, "digit": DIGIT_SIDE}  # of the images that each model takes
OF_DIGIT: dict[str, tuple[str, tuple[int, ...]]] = {  # datatype, and shape for one image
    "probabilities": ("FP32", (10,)),
    "is_digit": ("FP32", ()),
    "accepted": ("BOOL", ()),
}
OUTPUTS = {
    "canvas": OF_DIGIT | {"digit": ("FP32", (DIGIT_SIDE, DIGIT_SIDE))},
    "digit": OF_DIGIT,
}


class TensorMetadata(TypedDict):
    name: str
    datatype: str
    shape: list[int]


class OutputTensor(TensorMetadata):
    parameters: NotRequired[dict[str, int]]  # binary_data_size, if it is binary
    data: NotRequired[list[float] | list[bool]]  # if it is not


class InferenceAnswer(TypedDict):
    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: NotRequired[str]


def infer(task: Task, model: str) -> Iterator[Reply]:
    """Answers a request for inference; raises a RequestError, 400, 413 or 422, if it is wrong."""
    reader = task.reader
    request, binary = _parts(task.body)
    images = _images(model, request, binary)
    wanted = _wanted(model, request)
    answers = [reader.outputs(model, image) for image in images]
    tensors: dict[str, Any] = {
        name: np.concatenate([one[name] for one in answers]) for name in answers[0]
    }
    tensors["accepted"] = tensors["is_digit"] >= reader.threshold
    outputs, contents = [], []
    for name, as_bytes in wanted.items():
        tensor, (datatype, _) = tensors[name], OUTPUTS[model][name]
        output = OutputTensor(name=name, datatype=datatype, shape=list(tensor.shape))
        if as_bytes:
            contents.append(tensor.tobytes())
            output["parameters"] = {"binary_data_size": len(contents[-1])}
        else:
            output["data"] = tensor.ravel().tolist()
        outputs.append(output)
    head = InferenceAnswer(model_name=model, model_version=VERSION, outputs=outputs)
    if "id" in request:
        head["id"] = request["id"]
    text = json.dumps(head).encode()
    length = len(text) if contents else 0
    yield Reply(Kind.ANSWER, b"".join([text, *contents]), json_length=length)


def _parts(body: Body) -> tuple[Mapping[str, Any], bytes]:
    """The JSON of a request, and the bytes after it."""
    content = bytes(requests.content_of(body))
    length = body.inference_length or str(len(content))
    # More than 20 digits, of which Python refuses thousands, are too much in any case.
    if not length.isdecimal() or len(length) > 20 or int(length) > len(content):
        raise RequestError(
            400, f"{INFERENCE_LENGTH} is {length!r:.40}, which is not a length within the body."
        )
    request = requests.parsed(content[: int(length)])
    if not isinstance(request, Mapping):
        raise RequestError(422, 'The JSON must be an object with "inputs".')
    if not isinstance(request.get("id", ""), str):
        raise RequestError(422, '"id" must be a string.')
    return request, content[int(length) :]


def _images(model: str, request: Mapping[str, Any], binary: bytes) -> Array:
    """The input of a model, uint8 of shape (n, side, side)."""
    side = SIDES[model]
    wanted = (
        f'"inputs" must be one tensor {{"name": "{model}", "datatype": "UINT8", '
        f'"shape": [n, {side}, {side}]}} with n from 1 to {MOST_PICTURES}'
    )
    match request.get("inputs"):
        case [{"name": name, "datatype": datatype, "shape": [count, *sides] as shape} as tensor]:
            fits = [name, datatype, *sides] == [model, "UINT8", side, side]
            if not fits or type(count) is not int or count < 1:
                given = f"{datatype!r:.20} with the name {name!r:.40} and shape {shape!r:.60}"
                raise RequestError(422, f"{wanted}, not {given}.")
        case _:
            raise RequestError(422, f"{wanted}.")
    requests.check_number(count, MOST_PICTURES)
    size = count * side**2
    if (declared := _parameter(tensor, "binary_data_size")) is not None:
        if not declared == size == len(binary):
            detail = f"The tensor must have {size:,} bytes after the JSON, not {len(binary):,}."
            raise RequestError(422, detail)
        data = np.frombuffer(binary, np.uint8)
    elif binary:
        raise RequestError(422, 'There are bytes after the JSON, but no "binary_data_size" in it.')
    else:
        wanted = f'"data" of {model} must be {size:,} whole numbers from 0 to 255'
        data = requests.as_bytes(tensor.get("data"), (size,), wanted)
    return data.reshape(count, side, side)


def _wanted(model: str, request: Mapping[str, Any]) -> dict[str, bool]:
    """The outputs that a request asks for, and whether it wants each as bytes."""
    all_binary = _parameter(request, "binary_data_output") is True
    outputs = request.get("outputs") or [*OUTPUTS[model]]
    found = {}
    for output in outputs if isinstance(outputs, list) else [outputs]:
        name = output.get("name") if isinstance(output, Mapping) else output
        if not isinstance(name, str) or name not in OUTPUTS[model]:
            names = ", ".join(OUTPUTS[model])
            raise RequestError(422, f"{model} has no output {name!r:.40}; its outputs are {names}.")
        binary = _parameter(output, "binary_data")
        found[name] = all_binary if binary is None else binary is True
    return found


def _parameter(described: Any, name: str) -> Any:
    """A parameter of a request, an input or an output, all of which need not have any."""
    match described:
        case {"parameters": {**parameters}}:
            return parameters.get(name)
    return None
