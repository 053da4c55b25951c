"""The Open Inference Protocol, as Triton's own client uses it."""

from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from services import Client

from digits import bundle
from digits.reading.reader import Reader


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("model", ["canvas", "digit"])
def test_triton_client(address: tuple[str, int], reader: Reader, model: str, binary: bool) -> None:
    with np.load(bundle.SHIPPED / "golden.npz") as golden:
        images = golden[f"{model}_input"][:5]
    server = triton.InferenceServerClient("{}:{}".format(*address))
    assert server.is_server_live()
    assert server.is_server_ready()
    assert server.is_model_ready(model)
    described = server.get_model_metadata(model)
    extensions = server.get_server_metadata()["extensions"]
    assert extensions == ["binary_tensor_data", "model_configuration"]
    configured = server.get_model_config(model)
    assert configured["input"][0]["dims"] == [*images.shape[1:]]
    assert [one["name"] for one in configured["output"]] == [
        output["name"] for output in described["outputs"]
    ]
    (declared,) = described["inputs"]
    assert declared["shape"] == [-1, *images.shape[1:]]
    tensor = triton.InferInput(declared["name"], images.shape, declared["datatype"])
    tensor.set_data_from_numpy(images, binary_data=binary)
    wanted = [
        triton.InferRequestedOutput(output["name"], binary_data=binary)
        for output in described["outputs"]
    ]
    answer = server.infer(model, [tensor], outputs=wanted, request_id="one")
    assert answer.get_response()["id"] == "one"
    for place, image in enumerate(images):
        for name, value in reader.outputs(model, image).items():
            np.testing.assert_allclose(answer.as_numpy(name)[place], value[0], rtol=1e-6)
    accepted = answer.as_numpy("accepted")
    assert accepted.dtype == bool
    assert (accepted == (answer.as_numpy("is_digit") >= reader.threshold)).all()
    server.close()


def test_triton_client_gets_the_error(address: tuple[str, int]) -> None:
    server = triton.InferenceServerClient("{}:{}".format(*address))
    tensor = triton.InferInput("canvas", [1, 28, 28], "UINT8")
    tensor.set_data_from_numpy(np.zeros((1, 28, 28), np.uint8))
    with pytest.raises(triton.InferenceServerException, match=r"256, 256"):
        server.infer("canvas", [tensor])
    server.close()


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"inputs": []}, "must be one tensor"),
        ({"inputs": [{"datatype": "FP32"}]}, "not 'FP32'"),
        ({"inputs": [{"shape": [0, 28, 28]}]}, "n from 1"),
        ({"inputs": [{"shape": [1000, 28, 28]}]}, "more than the 64"),
        ({"inputs": [{"shape": [True, 28, 28]}]}, "n from 1"),
        ({"inputs": [{"data": [0] * 783}]}, "784 whole numbers"),
        ({"inputs": [{"data": [0.5] * 784}]}, "784 whole numbers"),
        ({"inputs": [{"data": [256] * 784}]}, "0 to 255"),
        (
            {"inputs": [{"parameters": {"binary_data_size": 784}}]},
            "784 bytes after the JSON, not 0",
        ),
        ({"outputs": [{"name": "logits"}]}, "no output 'logits'"),
        ({"id": 5}, "must be a string"),
    ],
)
def test_a_wrong_request_gets_a_sentence(
    client: Client, change: dict[str, Any], detail: str
) -> None:
    whole: dict[str, Any] = {"name": "digit", "datatype": "UINT8", "shape": [1, 28, 28]}
    whole["data"] = [0] * 784
    request = {"inputs": [whole], **change}
    request["inputs"] = [whole | tensor for tensor in request["inputs"]]
    answer = client.post("/v2/models/digit/infer", json=request)
    assert answer.status_code in (413, 422)
    assert detail in answer.json()["error"]


@pytest.mark.parametrize("length", ["x", "-1", "9" * 30, "0" * 5000, "100000"])
def test_a_wrong_length_of_the_json(client: Client, length: str) -> None:
    headers = {"Inference-Header-Content-Length": length}
    answer = client.post("/v2/models/digit/infer", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert "not a length within the body" in answer.json()["detail"]
