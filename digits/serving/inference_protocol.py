"""The Open Inference Protocol, version 2: tensors over HTTP, as KServe and Triton use it.

Both signatures of the bundle are models, `canvas` and `digit`. Tensors travel as JSON or, with the
extension `binary_tensor_data`, as bytes after the JSON.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from typing_extensions import NotRequired, TypedDict

from digits.bundle import CANVAS_SIDE, DIGIT_SIDE
from digits.reading.reader import Reader
from digits.serving import openapi, requests
from digits.serving.openapi import Route
from digits.serving.problems import RequestError
from digits.serving.requests import MOST_PICTURES, Array, Body, ReadingThreads

TAG = "Open Inference Protocol"
VERSION = "1"  # of both models, in paths that name one
HEADER = "Inference-Header-Content-Length"  # bytes of JSON before binary tensors
BINARY = "application/octet-stream"
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
MODEL_PARAMETER = openapi.path_parameter("model", SIDES)
VERSION_PARAMETER = openapi.path_parameter("version", [VERSION])
INPUT = openapi.object_of(
    ["name", "datatype", "shape"],
    name=openapi.one_of(SIDES),
    datatype=openapi.one_of(["UINT8"]),
    shape=openapi.array_of({"type": "integer"}, 3, 3),
    data={"type": "array"},
    parameters={"type": "object"},
)
OUTPUT = openapi.object_of(
    ["name"], name=openapi.one_of(sorted(OUTPUTS["canvas"])), parameters={"type": "object"}
)
REQUEST = openapi.object_of(
    ["inputs"],
    inputs=openapi.array_of(INPUT, 1, 1),
    id={"type": "string"},
    outputs={"type": "array", "items": OUTPUT},
    parameters={"type": "object"},
)


class ServerMetadata(TypedDict):
    name: str
    version: str
    extensions: list[str]


class TensorMetadata(TypedDict):
    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(TypedDict):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelReady(TypedDict):
    name: str
    ready: bool


class OutputTensor(TensorMetadata):
    parameters: NotRequired[dict[str, int]]  # binary_data_size, if it is binary
    data: NotRequired[list[float] | list[bool]]  # if it is not


class InferenceAnswer(TypedDict):
    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: NotRequired[str]


def install(app: FastAPI, reader: Reader, threads: ReadingThreads) -> None:
    """Adds the protocol's paths to an application; the reader's model answers, in the threads."""
    server = APIRouter(prefix="/v2", route_class=Route, tags=[TAG])

    @server.get("")
    async def server_metadata(request: Request) -> ServerMetadata:
        """The server's name, version and extensions."""
        extensions = ["binary_tensor_data"]
        return ServerMetadata(name="digits", version=app.version, extensions=extensions)

    @server.get("/health/live")
    async def server_live(request: Request) -> dict[str, bool]:
        """Whether the server is alive."""
        return {"live": True}

    @server.get("/health/ready")
    async def server_ready(request: Request) -> dict[str, bool]:
        """Whether the server is ready."""
        return {"ready": True}

    app.include_router(server)
    unversioned, versioned = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
    app.include_router(_of_model(unversioned, [MODEL_PARAMETER], reader, threads))
    app.include_router(_of_model(versioned, [MODEL_PARAMETER, VERSION_PARAMETER], reader, threads))


def _of_model(
    prefix: str, parameters: list[openapi.Schema], reader: Reader, threads: ReadingThreads
) -> APIRouter:
    """The paths of a model, with or without its version."""
    router = APIRouter(prefix=prefix, route_class=Route, tags=[TAG])

    @router.get("", **openapi.operation(404, parameters=parameters))
    async def model_metadata(request: Request) -> ModelMetadata:
        """The names, types and shapes of a model's tensors; -1 stands for any number of images."""
        model = checked(**request.path_params)
        shape = [-1, SIDES[model], SIDES[model]]
        return ModelMetadata(
            name=model,
            versions=[VERSION],
            platform="litert",
            inputs=[TensorMetadata(name=model, datatype="UINT8", shape=shape)],
            outputs=[
                TensorMetadata(name=name, datatype=datatype, shape=[-1, *shape])
                for name, (datatype, shape) in OUTPUTS[model].items()
            ],
        )

    @router.get("/ready", **openapi.operation(404, parameters=parameters))
    async def model_ready(request: Request) -> ModelReady:
        """Whether a model is ready."""
        return ModelReady(name=checked(**request.path_params), ready=True)

    @router.post(
        "/infer",
        response_model=InferenceAnswer,
        **openapi.operation(
            404,
            *openapi.OF_BODY,
            body={"application/json": {"schema": REQUEST}, BINARY: {"schema": openapi.FILE}},
            parameters=parameters,
            answers={BINARY: {"schema": openapi.FILE}},
        ),
    )
    async def infer_with_model(request: Request) -> InferenceAnswer | Response:
        """Runs a model."""
        model = checked(**request.path_params)
        return await threads.run(request, partial(infer, reader, model))

    return router


def checked(model: str, version: str = VERSION) -> str:
    """The name of a model; raises a RequestError, 404, if there is none."""
    if model not in SIDES:
        raise RequestError(
            404, f"There is no model {model!r:.40}; the models are {' and '.join(SIDES)}."
        )
    if version != VERSION:
        raise RequestError(404, f"There is no version {version!r:.40} of {model}, only {VERSION}.")
    return model


def infer(reader: Reader, model: str, body: Body) -> InferenceAnswer | Response:
    """Answers a request for inference; raises a RequestError, 400, 413 or 422, if it is wrong."""
    request, binary = _parts(body)
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
    if not contents:
        return head
    text = json.dumps(head).encode()
    content = b"".join([text, *contents])
    return Response(content, headers={HEADER: str(len(text))}, media_type=BINARY)


def _parts(body: Body) -> tuple[Mapping[str, Any], bytes]:
    """The JSON of a request, and the bytes after it."""
    content = body.content
    length = body.headers.get(HEADER, str(len(content)))
    # More than 20 digits, of which Python refuses thousands, are too much in any case.
    if not length.isdecimal() or len(length) > 20 or int(length) > len(content):
        raise RequestError(
            400, f"{HEADER} is {length!r:.40}, which is not a length within the body."
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
