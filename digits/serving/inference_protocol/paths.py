"""The paths of the protocol."""

from functools import partial

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from typing_extensions import TypedDict

from digits.serving import openapi
from digits.serving.errors import RequestError
from digits.serving.inference_protocol.tensors import (
    OUTPUTS,
    SIDES,
    VERSION,
    InferenceAnswer,
    TensorMetadata,
    infer,
)
from digits.serving.openapi import Route
from digits.serving.reading_processes.pool import RETRY, ReadingProcesses
from digits.serving.reading_processes.requests import MOST_PICTURES

TAG = "Open Inference Protocol"
BINARY = "application/octet-stream"
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


class ModelMetadata(TypedDict):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class TensorConfiguration(TypedDict):
    name: str
    data_type: str
    dims: list[int]  # of one image


class ModelConfiguration(TypedDict):
    name: str
    platform: str
    backend: str
    max_batch_size: int
    input: list[TensorConfiguration]
    output: list[TensorConfiguration]


class ModelReady(TypedDict):
    name: str
    ready: bool


def install(app: FastAPI, pool: ReadingProcesses) -> None:
    """Adds the protocol's paths to an application; the processes answer."""
    server = APIRouter(prefix="/v2", route_class=Route, tags=[TAG])

    @server.get("")
    async def server_metadata(request: Request) -> ServerMetadata:
        """The server's name, version and extensions."""
        extensions = ["binary_tensor_data", "model_configuration"]
        return ServerMetadata(name="digits", version=app.version, extensions=extensions)

    @server.get("/health/live")
    async def server_live(request: Request) -> dict[str, bool]:
        """Whether the server is alive."""
        return {"live": True}

    @server.get("/health/ready")
    async def server_ready(request: Request) -> dict[str, bool]:
        """Whether the server is ready."""
        if not pool.ready:
            raise RequestError(503, "No process can read at the moment; try again soon.", RETRY)
        return {"ready": True}

    app.include_router(server)
    unversioned, versioned = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
    app.include_router(_of_model(unversioned, [MODEL_PARAMETER], pool))
    app.include_router(_of_model(versioned, [MODEL_PARAMETER, VERSION_PARAMETER], pool))


def _of_model(prefix: str, parameters: list[openapi.Schema], pool: ReadingProcesses) -> APIRouter:
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

    @router.get("/config", **openapi.operation(404, parameters=parameters))
    async def model_config(request: Request) -> ModelConfiguration:
        """A model's configuration, as Triton's extension `model_configuration` has it."""
        model = checked(**request.path_params)
        side = SIDES[model]
        inputs = [TensorConfiguration(name=model, data_type="TYPE_UINT8", dims=[side, side])]
        outputs = [
            TensorConfiguration(name=name, data_type=f"TYPE_{datatype}", dims=[*shape])
            for name, (datatype, shape) in OUTPUTS[model].items()
        ]
        return ModelConfiguration(
            name=model,
            platform="litert",
            backend="litert",
            max_batch_size=MOST_PICTURES,
            input=inputs,
            output=outputs,
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
        return await pool.run(request, partial(infer, model=model))

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
