"""Does the service answer as the reader does, refuse what it should, and stand what comes?"""

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
import uvicorn
from conftest import ROOT
from PIL import Image

from digits import bodies, bundle, connections, serve
from digits.cli import main
from digits.data import Mnist
from digits.errors import DigitsError
from digits.read import as_dict
from digits.reader import Reader, page_of

JSON = {"Content-Type": "application/json"}
PNG = {"Content-Type": "image/png"}
Client = httpx.Client


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def picture(mnist: Mnist) -> bytes:
    """Two test digits, dark on white, as PNG."""
    both = np.hstack([np.pad(255 - mnist.test_images[i], 8, constant_values=255) for i in (0, 1)])
    return png(both.repeat(3, axis=0).repeat(3, axis=1))


def png(pixels: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


@pytest.fixture(scope="module")
def address(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A real server, in a thread, with a folder of files in place of the page."""
    site = tmp_path_factory.mktemp("site")
    for name, content in FILES.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_bytes(content)
    (site.parent / "secret.txt").write_text("not for all")
    with running(serve.create_app(reader, site)) as at:
        yield at


@contextmanager
def running(app: Any) -> Iterator[tuple[str, int]]:
    """Serves an application within the block; gives host and port."""
    server = uvicorn.Server(uvicorn.Config(app, **connections.SETTINGS))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join(60)
    assert not thread.is_alive()


FILES = {
    "index.html": b"<!doctype html><title>page</title>",
    "app-0123456789ab.js": b"export {}\n" * 100,
    "app-0123456789ab.js.gz": b"compressed",
    "app-0123456789ab.js.br": b"compressed more",
    "sw.js": b"self",
    "wasm-89abcdef/run.wasm": b"\0asm",
}


@pytest.fixture
def client(address: tuple[str, int]) -> Iterator[Client]:
    with httpx.Client(base_url="http://{}:{}".format(*address), timeout=60) as client:
        yield client


# Answers.


def test_a_picture_is_read_as_digits_read_does(
    client: Client, reader: Reader, picture: bytes
) -> None:
    expected = as_dict(reader.read(picture))
    assert expected["digits"] == "72"
    raw = client.post("/predict", content=picture, headers=PNG)
    form = client.post("/predict", files={"file": ("two digits.png", picture)})
    assert raw.status_code == form.status_code == 200
    assert raw.json() == form.json() == expected
    assert raw.headers["content-type"] == "application/json"


def test_arrays_are_read(client: Client, reader: Reader, mnist: Mnist) -> None:
    pixels = mnist.test_images[3]
    answer = client.post("/predict", json={"pixels": pixels.tolist()}).json()
    assert answer == as_dict(page_of(reader.classify(pixels)))
    canvas = np.zeros((256, 256), np.uint8)
    canvas[100:184, 30:114] = pixels.repeat(3, axis=0).repeat(3, axis=1)
    answer = client.post("/predict", json={"canvas": canvas.tolist()}).json()
    assert answer == as_dict(page_of(reader.canvas(canvas)))
    assert answer["digits"] == "0"
    blank = client.post("/predict", json={"canvas": [[0] * 256] * 256}).json()
    assert blank["digits"] == ""
    assert [reading["accepted"] for reading in blank["readings"]] == [False]


def test_a_batch_answers_in_order_and_tells_what_cannot_be_read(
    client: Client, reader: Reader, picture: bytes, mnist: Mnist
) -> None:
    files = [("file", picture), ("file", b"no picture"), ("file", picture)]
    first, broken, last = client.post("/predict/batch", files=files).json()["pictures"]
    assert first == last == as_dict(reader.read(picture))
    assert list(broken) == ["error"]
    assert "not a picture" in broken["error"]
    many = mnist.test_images[: bodies.MOST_PICTURES]
    answers = client.post("/predict/batch", json={"pixels": many.tolist()}).json()["pictures"]
    assert [answer["readings"][0]["digit"] for answer in answers] == [
        reader.classify(pixels).digit for pixels in many
    ]


def test_answers_wait_for_no_acknowledgement(client: Client) -> None:
    """A kernel that does not know better holds back the second part of each answer for 40 ms."""
    client.get("/healthz")
    seconds = []
    for _ in range(50):
        started = time.perf_counter()
        client.get("/healthz")
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.03


def test_many_at_once_get_their_own_answers(client: Client, reader: Reader, mnist: Mnist) -> None:
    images = mnist.test_images[:40]

    def ask(pixels: Any) -> int:
        return client.post("/predict", json={"pixels": pixels.tolist()}).json()["readings"][0][
            "digit"
        ]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, images)) == [reader.classify(one).digit for one in images]


# What is wrong.

ROWS = [[0] * 28] * 28


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + check


BOMB = b"\x89PNG\r\n\x1a\n" + b"".join(  # 100,000 by 100,000 pixels, all black
    [
        chunk(b"IHDR", b"\0\1\x86\xa0" * 2 + b"\x08\0\0\0\0"),
        chunk(b"IDAT", zlib.compress(b"\0" * 100_000)),
        chunk(b"IEND", b""),
    ]
)


def with_value(value: str) -> bytes:
    rows = json.dumps(ROWS)
    return ('{"pixels": ' + rows.replace("0", value, 1) + "}").encode()


@pytest.mark.parametrize(
    ("content_type", "body", "status", "detail"),
    [
        ("text/plain", b"7", 415, "send a picture"),
        (None, b"7", 415, "no content type"),
        ("image/svg+xml", b"<svg/>", 415, "image/svg"),
        ("image/png", b"", 422, "empty"),
        ("image/png", b"no picture", 422, "not a picture"),
        ("image/png", BOMB, 422, "pixels"),
        ("application/json", b"{", 400, "no JSON"),
        ("application/json", b"\xff\xfe", 400, "no JSON"),
        ("application/json", b"[" * 100_000, 400, "no JSON"),
        ("application/json", b"[]", 422, "holds no picture"),
        ("application/json", b'{"pixels": 1, "canvas": 1}', 422, "holds no picture"),
        ("application/json", b'{"pixels": [[1, 2], [3]]}', 422, "28 rows of 28"),
        ("application/json", json.dumps({"canvas": ROWS}).encode(), 422, "256 rows of 256"),
        ("application/json", with_value("NaN"), 400, "NaN"),
        ("application/json", with_value("-Infinity"), 400, "Infinity"),
        ("application/json", with_value("1e999"), 422, "0 to 255"),
        ("application/json", with_value("256"), 422, "not 256"),
        ("application/json", with_value("-1"), 422, "not -1"),
        ("application/json", with_value("0.5"), 422, "not 0.5"),
        ("application/json", with_value('"7"'), 422, "numbers"),
        ("application/json", with_value("9" * 400), 422, "numbers"),
        ("multipart/form-data", b"--x", 400, "names no boundary"),
        ("multipart/form-data; boundary=x", b"nothing of the kind", 400, "no multipart form"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="photo"\r\n\r\nabc\r\n--x--\r\n',
            422,
            "no field 'file', only 'photo'",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n' * 2 + b"--x--\r\n",
            413,
            "2 pictures are more than the 1",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    client: Client, content_type: str | None, body: bytes, status: int, detail: str
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = client.post("/predict", content=body, headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in problem["detail"]
    assert len(problem["detail"]) < 300
    assert problem["detail"].endswith(".")


def test_paths_and_methods_that_are_not_there(client: Client) -> None:
    for answer, status in (
        (client.get("/nothing"), 404),
        (client.get("/predict"), 405),
        (client.post("/healthz"), 405),
        (client.get("/v2/models/other"), 404),
        (client.get("/v2/models/digit/versions/2"), 404),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].endswith(".")


def test_a_body_that_is_too_large(client: Client) -> None:
    declared = client.post("/predict", content=b"0" * (bodies.LARGEST_BODY + 1), headers=PNG)
    assert declared.status_code == 413
    parts = (b"0" * (1 << 20) for _ in range(20))
    undeclared = client.post("/predict", content=parts, headers=PNG)
    assert undeclared.status_code == 413
    assert "16 MB" in undeclared.json()["detail"]


# Too slow, too many.


def test_a_slow_body_is_given_up(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.3)
    with running(serve.create_app(reader)) as at:
        slow = http.client.HTTPConnection(*at, timeout=30)
        slow.putrequest("POST", "/predict")
        slow.putheader("Content-Type", "image/png")
        slow.putheader("Content-Length", "1000")
        slow.endheaders()
        slow.send(b"\x89PNG")
        answer = slow.getresponse()
        assert answer.status == 408
        assert "did not come within 0.3 seconds" in json.loads(answer.read())["detail"]
        slow.close()


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_slow_header_is_given_up(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    with running(serve.create_app(reader)) as at, socket.create_connection(at, timeout=30) as slow:
        slow.sendall(sent)
        started = time.monotonic()
        assert slow.recv(1000) == b""
        assert time.monotonic() - started < 10


def test_an_endless_header_is_refused(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=30) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\n")
        answer = b""
        try:
            for _ in range(100):
                endless.sendall(b"X-More: " + b"0" * 10_000 + b"\r\n")
            answer = endless.recv(1000)
        except OSError:  # it was closed while we wrote
            pass
    assert not answer or answer.startswith(b"HTTP/1.1 431")


def test_a_body_may_come_along_with_its_header(address: tuple[str, int]) -> None:
    body = json.dumps({"canvas": [[0] * 256] * 256}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection(address, timeout=30) as line:
        line.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        assert line.recv(100).startswith(b"HTTP/1.1 200")


def test_too_many_are_told_to_come_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, mnist: Mnist
) -> None:
    """And as many as may wait are answered."""
    monkeypatch.setattr(serve, "MOST_WAITING", 3)
    page = np.full((900, 900), 255, np.uint8)
    for place, digit in enumerate(mnist.test_images[:100]):
        top, left = 20 + 85 * (place // 10), 20 + 85 * (place % 10)
        page[top : top + 56, left : left + 56] -= digit.repeat(2, axis=0).repeat(2, axis=1)
    content = png(page)

    with running(serve.create_app(reader)) as (host, port):

        def ask(_: int) -> httpx.Response:
            return httpx.post(
                f"http://{host}:{port}/predict", content=content, headers=PNG, timeout=120
            )

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(ask, range(20)))
        later = ask(0)
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= 3
    for answer in answers:
        if answer.status_code == 503:
            assert answer.headers["retry-after"] == "1"
            assert "try again" in answer.json()["detail"]
    assert later.status_code == 200


def test_memory_for_bodies_is_bounded(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = bodies.Memory(1000)
    monkeypatch.setattr(bodies, "Memory", lambda: memory)
    with running(serve.create_app(reader)) as (host, port):

        def send(count: int) -> httpx.Response:
            return httpx.post(f"http://{host}:{port}/predict", content=b"0" * count, headers=PNG)

        assert send(1001).status_code == 503
        assert send(1001).headers["retry-after"] == "1"
        assert [send(900).status_code for _ in range(3)] == [422] * 3
    assert memory.left == 1000


# The Open Inference Protocol, by Triton's own client.


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
    assert server.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    (told,) = described["inputs"]
    assert told["shape"] == [-1, *images.shape[1:]]
    tensor = triton.InferInput(told["name"], images.shape, told["datatype"])
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


def test_triton_client_hears_what_is_wrong(address: tuple[str, int]) -> None:
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
        ({"inputs": [{"parameters": {"binary_data_size": 784}}]}, "784 bytes of tensor, not 0"),
        ({"outputs": [{"name": "logits"}]}, "no output 'logits'"),
        ({"id": 5}, "must be a string"),
    ],
)
def test_requests_for_inference_that_are_wrong(
    client: Client, change: dict[str, Any], detail: str
) -> None:
    whole: dict[str, Any] = {"name": "digit", "datatype": "UINT8", "shape": [1, 28, 28]}
    whole["data"] = [0] * 784
    request = {"inputs": [whole], **change}
    request["inputs"] = [whole | tensor for tensor in request["inputs"]]
    answer = client.post("/v2/models/digit/infer", json=request)
    assert answer.status_code in (413, 422)
    assert detail in answer.json()["error"]


@pytest.mark.parametrize("length", ["x", "-1", "9" * 30, "100000"])
def test_a_length_of_json_that_is_wrong(client: Client, length: str) -> None:
    headers = {"Inference-Header-Content-Length": length}
    answer = client.post("/v2/models/digit/infer", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert "no length within the body" in answer.json()["detail"]


# The files of the page.


def test_files_of_the_page(client: Client) -> None:
    plain = {"Accept-Encoding": "identity"}
    page = client.get("/")
    assert page.content == FILES["index.html"]
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["content-type"].startswith("text/html")
    script = client.get("/app-0123456789ab.js", headers=plain)
    assert script.content == FILES["app-0123456789ab.js"]
    assert script.headers["cache-control"] == "max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    wasm = client.get("/wasm-89abcdef/run.wasm")
    assert wasm.headers["content-type"] == "application/wasm"
    assert "immutable" in wasm.headers["cache-control"]
    for accepted, coding, suffix in (("gzip", "gzip", "gz"), ("gzip, br;q=0.9", "br", "br")):
        headers = {"Accept-Encoding": accepted}
        with client.stream("GET", "/app-0123456789ab.js", headers=headers) as answer:
            assert answer.headers["content-encoding"] == coding
            assert b"".join(answer.iter_raw()) == FILES[f"app-0123456789ab.js.{suffix}"]
    same = client.get("/sw.js", headers={"If-None-Match": client.get("/sw.js").headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert client.head("/sw.js").headers["content-length"] == "4"
    for answer in (page, script, client.get("/nothing"), client.get("/healthz")):
        assert "'wasm-unsafe-eval'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/wasm-89abcdef/../../secret.txt",
     "//secret.txt", "/app-0123456789ab.js.gz", "/wasm-89abcdef", "/%00"],
)  # fmt: skip
def test_nothing_else_can_be_had(address: tuple[str, int], path: str) -> None:
    raw = http.client.HTTPConnection(*address, timeout=30)
    raw.putrequest("GET", path, skip_host=True)
    raw.putheader("Host", "x")
    raw.endheaders()
    answer = raw.getresponse()
    assert answer.status in (400, 404)
    assert b"not for all" not in answer.read()
    raw.close()


# For whoever runs it.


def test_health_counts_and_documents(client: Client, picture: bytes) -> None:
    assert client.get("/healthz").json() == {"status": "alive", "process": os.getpid()}
    assert client.get("/readyz").json()["status"] == "ready"

    def count() -> float:
        text = client.get("/metrics").text
        found = re.search(r'digits_requests_total\{path="/predict",status="200"\} ([\d.e+]+)', text)
        return float(found[1]) if found else 0.0

    before = count()
    client.post("/predict", content=picture, headers=PNG)
    assert count() == before + 1
    assert 'digits_readings_total{accepted="yes"}' in client.get("/metrics").text
    described = client.get("/openapi.json").json()
    assert {"/predict", "/predict/batch", "/v2/models/{model}/infer"} <= set(described["paths"])
    page = client.get("/docs")
    assert "sha256-" in page.headers["content-security-policy"]
    for path in described["paths"]:
        assert path in page.text


@pytest.fixture
def started() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts `digits serve` as a user does, and gives its process and address."""
    processes = []

    def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "digits.cli", "serve", "--no-browser", "--port", "0"]
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://[\d.:]+", line)
        assert found, line
        return process, found[0]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_under_load_answers_all_that_was_accepted(
    started: Callable[..., tuple[subprocess.Popen[str], str]], workers: str, picture: bytes
) -> None:
    process, url = started("--workers", workers)
    answering: set[int] = set()
    while len(answering) < int(workers):  # all of them
        answering.add(httpx.get(f"{url}/healthz", timeout=60).json()["process"])
    cut, answered, stop = [], [0], threading.Event()

    def load() -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not stop.is_set():
                try:
                    answer = client.post("/predict", content=picture, headers=PNG)
                except httpx.ConnectError:  # it listens no more
                    return
                except httpx.HTTPError as error:
                    cut.append(error)
                    return
                assert answer.status_code == 200
                answered[0] += 1

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    while answered[0] < 30:
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    stop.set()
    for thread in threads:
        thread.join(60)
    # A connection that nobody had accepted yet may be cut when the last of several processes
    # listens no more.
    assert not cut or int(workers) > 1
    assert process.returncode in (0, -signal.SIGTERM)
    lines = errors.splitlines()
    if "npm" in lines[0]:  # it was the first to need the runtime for browsers
        lines.pop(0)
    requests = [json.loads(line) for line in lines]  # nothing else
    accepted = [line for line in requests if line.get("path") == "/predict"]
    assert len(accepted) == answered[0]
    assert {line["status"] for line in accepted} == {200}
    assert max(map(len, lines)) < 400  # nothing of the pictures


def test_an_address_that_is_taken(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--no-browser", "--port", port]) == 2
    assert "choose another --port" in capfd.readouterr().err
    assert main(["serve", "--no-browser", "--workers", "0"]) == 2
    assert "from 1 to 64" in capfd.readouterr().err
    for host, number in (("nowhere.invalid", 8000), ("127.0.0.1", 70_000)):
        with pytest.raises(DigitsError), serve.listening(host, number):
            pass


def test_a_bundle_that_is_not_there(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["serve", "--no-browser", "--model", str(tmp_path)]) == 2
    assert "There is no bundle" in capfd.readouterr().err
