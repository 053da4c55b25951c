"""The service gives the reader's answers, and the page's files."""

import gzip
import http.client
import io
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pillow_heif
import pytest
from PIL import Image
from services import FILES, PNG, Client, task

from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.reading.page import page_of_one
from digits.reading.reader import Reader
from digits.serving.errors import RequestError
from digits.serving.reading_processes import answers, requests
from digits.serving.reading_processes.bodies import LARGEST_BODY

# Answers.


def test_predict_answers_as_the_reader_does(client: Client, reader: Reader, picture: bytes) -> None:
    expected = reader.read(picture).to_dict()
    assert expected["digits"] == "72"
    raw = client.post("/predict", content=picture, headers=PNG)
    form = client.post("/predict", files={"file": ("two digits.png", picture)})
    assert raw.status_code == form.status_code == 200
    assert raw.json() == form.json() == expected
    assert raw.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        ("HEIF", "image/heic"),
        ("HEIF", "image/heif"),
        ("AVIF", "image/avif"),
        ("PDF", "application/pdf"),
    ],
)
def test_predict_reads_what_phones_and_scanners_write(
    client: Client, reader: Reader, picture: bytes, form: str, content_type: str
) -> None:
    """Of a document, the first page."""
    pillow_heif.register_heif_opener()
    content, more = io.BytesIO(), {"resolution": 300} if form == "PDF" else {"quality": 95}
    with Image.open(io.BytesIO(picture)) as image:
        image.save(content, form, save_all=True, append_images=[Image.new("L", image.size)], **more)
    body = content.getvalue()
    raw = client.post("/predict", content=body, headers={"Content-Type": content_type})
    (batch,) = client.post("/predict/batch", files=[("file", body)]).json()["pictures"]
    assert raw.json() == batch == reader.read(body).to_dict()
    assert batch["digits"] == "72"
    broken = client.post("/predict", content=body[:99], headers={"Content-Type": content_type})
    assert broken.status_code == 422
    with pytest.raises(DigitsError) as caught:
        reader.read(body[:99])
    assert broken.json()["detail"] == str(caught.value)


def test_predict_without_the_extra_names_it(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("pypdfium2")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(RequestError) as caught:
        next(answers.predict(task(reader, b"%PDF-1.7\n", "application/pdf"), None, None, []))
    assert caught.value.status_code == 422
    assert "pip install 'mnist-classification[files]'" in caught.value.detail


def test_predict_keeps_to_a_form_and_to_regions(
    client: Client, reader: Reader, picture: bytes
) -> None:
    form = client.post("/predict?pattern=%23-%23", content=picture, headers=PNG).json()
    assert form == reader.read(picture, pattern="#-#").to_dict()
    assert form["text"] != reader.read(picture).text
    one = client.post("/predict?region=0,0,132,132&count=1", content=picture, headers=PNG).json()
    assert one["text"] == "7"
    for query in ("pattern=x", "count=x", "count=", "region=1,2", "region=9999,0,9,9"):
        answer = client.post(f"/predict?{query}", content=picture, headers=PNG)
        assert answer.status_code == 422, query
        assert answer.json()["detail"].endswith(".")


def test_a_body_may_come_packed(client: Client, picture: bytes) -> None:
    packed = gzip.compress(picture)
    headers = PNG | {"Content-Encoding": "gzip"}
    plain = client.post("/predict", content=picture, headers=PNG).json()
    assert client.post("/predict", content=packed, headers=headers).json() == plain
    files = {"file": ("two.png", picture)}
    form = client.build_request("POST", "/predict", files=files)
    head = {"Content-Type": form.headers["content-type"], "Content-Encoding": "gzip"}
    answer = client.post("/predict", content=gzip.compress(form.read()), headers=head)
    assert answer.json() == plain
    members = gzip.compress(picture[:99]) + gzip.compress(picture[99:])
    assert client.post("/predict", content=members, headers=headers).json() == plain
    bomb = gzip.compress(bytes(LARGEST_BODY + 1))
    half = gzip.compress(bytes(LARGEST_BODY // 2 + 1))
    for body, encoding, status in (
        (bomb, "gzip", 413),
        (half * 2, "gzip", 413),
        (packed + b"more", "gzip", 400),
        (packed[:-9], "gzip", 400),
        (picture, "gzip", 400),
        (picture, "br", 415),
    ):
        answer = client.post("/predict", content=body, headers=PNG | {"Content-Encoding": encoding})
        assert (answer.status_code, encoding) == (status, encoding)
        assert answer.json()["detail"].endswith(".")


def test_predict_reads_arrays(client: Client, reader: Reader, mnist: Mnist) -> None:
    pixels = mnist.test_images[3]
    answer = client.post("/predict", json={"pixels": pixels.tolist()}).json()
    assert answer == page_of_one(reader.classify(pixels)).to_dict()
    canvas = np.zeros((256, 256), np.uint8)
    canvas[100:184, 30:114] = pixels.repeat(3, axis=0).repeat(3, axis=1)
    answer = client.post("/predict", json={"canvas": canvas.tolist()}).json()
    assert answer == page_of_one(reader.canvas(canvas)).to_dict()
    assert answer["digits"] == "0"
    blank = client.post("/predict", json={"canvas": [[0] * 256] * 256}).json()
    assert blank["digits"] == ""
    assert [reading["accepted"] for reading in blank["readings"]] == [False]


def test_a_batch_is_answered_in_order_with_errors_in_place(
    client: Client, reader: Reader, picture: bytes, mnist: Mnist
) -> None:
    files = [("file", picture), ("file", b"no picture"), ("file", picture)]
    first, broken, last = client.post("/predict/batch", files=files).json()["pictures"]
    assert first == last == reader.read(picture).to_dict()
    assert list(broken) == ["error"]
    assert "not a picture" in broken["error"]
    many = mnist.test_images[: requests.MOST_PICTURES]
    answers = client.post("/predict/batch", json={"pixels": many.tolist()}).json()["pictures"]
    assert [answer["readings"][0]["digit"] for answer in answers] == [
        reader.classify(pixels).digit for pixels in many
    ]


def test_concurrent_requests_get_their_own_answers(
    client: Client, reader: Reader, mnist: Mnist
) -> None:
    images = mnist.test_images[:40]

    def ask(pixels: Any) -> int:
        return client.post("/predict", json={"pixels": pixels.tolist()}).json()["readings"][0][
            "digit"
        ]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, images)) == [reader.classify(one).digit for one in images]


def test_a_form_stays_in_memory(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starlette by itself moves files of more than 1 MB to temporary files."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    form = httpx.Request("POST", "http://x", files={"file": ("large", bytes(5 << 20))})
    content = form.read()
    with pytest.raises(RequestError, match="422"):  # it was received, and is not a picture
        next(answers.predict(task(reader, content, form.headers["content-type"]), None, None, []))


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
def test_no_other_file_is_served(address: tuple[str, int], path: str) -> None:
    raw = http.client.HTTPConnection(*address, timeout=30)
    raw.putrequest("GET", path, skip_host=True)
    raw.putheader("Host", "x")
    raw.endheaders()
    answer = raw.getresponse()
    assert answer.status in (400, 404)
    assert b"not for all" not in answer.read()
    raw.close()


# Operation and description.


def test_answers_have_the_fields_that_openapi_declares(client: Client, picture: bytes) -> None:
    described = client.get("/openapi.json").json()
    schemas = described["components"]["schemas"]

    def check(answer: dict[str, Any], path: str, method: str = "get") -> dict[str, Any]:
        content = described["paths"][path][method]["responses"]["200"]["content"]
        name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert list(answer) == list(schemas[name]["properties"])
        return answer

    read = check(client.post("/predict", content=picture, headers=PNG).json(), "/predict", "post")
    assert [*read["readings"][0]] == [*schemas["ReadingAnswer"]["properties"]]
    files = {"file": ("two.png", picture)}
    check(client.post("/predict/batch", files=files).json(), "/predict/batch", "post")
    for path in ("/healthz", "/readyz", "/v2"):
        check(client.get(path).json(), path)
    for path in ("/v2/models/{model}", "/v2/models/{model}/ready"):
        check(client.get(path.format(model="canvas")).json(), path)


def test_health_metrics_and_the_page_for_people(client: Client, picture: bytes) -> None:
    assert client.get("/healthz").json() == {"status": "alive", "process": os.getpid()}
    assert client.get("/readyz").json()["status"] == "ready"
    for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/metrics"):
        head = client.head(path)
        assert (head.status_code, head.content) == (200, b""), path

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
