"""The service answers every mistake in a request with its status and a sentence."""

import json
import zlib

import pytest
from services import PNG, Client, chunk

from digits.serving.reading_processes.bodies import LARGEST_BODY

ROWS = [[0] * 28] * 28
BOMB = b"\x89PNG\r\n\x1a\n" + b"".join(  # 100,000 by 100,000 pixels, all black
    [
        chunk(b"IHDR", b"\0\1\x86\xa0" * 2 + b"\x08\0\0\0\0"),
        chunk(b"IDAT", zlib.compress(b"\0" * 100_000)),
        chunk(b"IEND", b""),
    ]
)
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n'


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
        ("image/png", BOMB, 413, "pixels"),
        ("application/json", b"{", 400, "not valid JSON"),
        ("application/json", b"\xff\xfe", 400, "not valid JSON"),
        ("application/json", b"[" * 100_000, 400, "not valid JSON"),
        ("application/json", b"[]", 422, "contains no picture"),
        ("application/json", b'{"pixels": 1, "canvas": 1}', 422, "contains no picture"),
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
        ("multipart/form-data", b"--x", 400, "Missing boundary"),
        (
            "multipart/form-data; boundary=x",
            b"nothing of the kind",
            400,
            "not a valid multipart form",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="photo"\r\n\r\nabc\r\n--x--\r\n',
            422,
            "no field 'file', only 'photo'",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--x--\r\n',
            422,
            "field 'file' is not a file",
        ),
        (
            "multipart/form-data; boundary=x",
            FILE * 2 + b"--x--\r\n",
            413,
            "2 pictures, more than the 1",
        ),
        (
            "multipart/form-data; boundary=x",
            FILE * 1001 + b"--x--\r\n",
            400,
            "not a valid multipart form (Too many files",
        ),
    ],
)
def test_a_mistake_gets_a_sentence(
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


def test_unknown_paths_and_methods(client: Client) -> None:
    assert client.head("/predict").status_code == 405
    for answer, status in (
        (client.get("/nothing"), 404),
        (client.get("/predict"), 405),
        (client.post("/healthz"), 405),
        (client.get("/collect"), 404),
        (client.get("/v2/models/other"), 404),
        (client.get("/v2/models/digit/versions/2"), 404),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].endswith(".")


def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    declared = client.post("/predict", content=b"0" * (LARGEST_BODY + 1), headers=PNG)
    assert declared.status_code == 413
    parts = (b"0" * (1 << 20) for _ in range(20))
    undeclared = client.post("/predict", content=parts, headers=PNG)
    assert undeclared.status_code == 413
    assert "16 MB" in undeclared.json()["detail"]
