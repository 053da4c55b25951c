"""Corrected digits are kept in the folders that `digits teach` reads, and nothing else is."""

import base64
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from services import FILES, Client, chunk, png, running, task

from digits.reading.reader import Reader
from digits.serving import collecting
from digits.serving.app import create_app
from digits.serving.errors import RequestError
from digits.studies.teaching.own_digits import collect

SEVEN = np.zeros((256, 256), np.uint8)
SEVEN[60:70, 60:180] = SEVEN[60:200, 170:180] = 255
SMALL = np.zeros((28, 28), np.uint8)
SMALL[4:24, 13:16] = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("collected")


@pytest.fixture(scope="module")
def client(reader: Reader, folder: Path) -> Iterator[Client]:
    with (
        running(create_app(reader, processes=1000, collect=folder)) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", timeout=60) as client,
    ):
        yield client


def digit(label: Any, picture: Any) -> dict[str, Any]:
    """Of pixels, or of the bytes of a file."""
    content = picture if isinstance(picture, bytes) else png(picture)
    encoded = base64.b64encode(content).decode()
    return {"label": label, "picture": f"data:image/png;base64,{encoded}"}


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_digits_are_kept_once_and_can_be_taught(
    client: Client, folder: Path, reader: Reader
) -> None:
    assert client.get("/collect").json() == {"kept": 0, "folder": str(folder)}
    body = {"digits": [digit("7", SEVEN), digit("1", SMALL), digit("none", SEVEN.T)]}
    for _ in range(2):
        assert client.post("/collect", json=body).json() == {"kept": 3, "folder": str(folder)}
    form = client.post("/collect", files=[("7", ("a.png", png(SEVEN.T)))] * 2)
    assert form.json() == {"kept": 1, "folder": str(folder)}
    assert client.get("/collect").json()["kept"] == 4
    assert [name.split("/")[0] for name in files(folder)] == ["1", "7", "7", "none"]
    (one,) = (folder / "1").iterdir()
    np.testing.assert_array_equal(np.asarray(Image.open(one)), SMALL)
    assert collect(folder, reader).in_words == "1 of 1, 2 of 7, 1 that are none"
    described = client.get("/openapi.json").json()["paths"]["/collect"]
    assert {*described} == {"get", "post"}


def _wrong() -> list[tuple[Any, int, str]]:
    jpeg = io.BytesIO()
    Image.fromarray(SMALL).save(jpeg, "JPEG")
    other = {"label": "7", "picture": "data:image/png;base64,!"}
    whole = png(SMALL)
    header, rest = whole[:33], whole[33:]  # what comes before and after the end of IHDR
    damaged = [
        whole[:8] + chunk(b"IHDR", whole[16:20]) + rest,
        header + chunk(b"acTL", b"") + rest,
        header + chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(2 << 20))) + rest,
        whole[:-40],
    ]
    return [
        ({}, 422, "no digits"),
        ({"digits": []}, 422, "no digits"),
        ({"digits": 7}, 422, "no digits"),
        ({"digits": [7]}, 422, "not as it should be"),
        ({"digits": [digit("10", SMALL)]}, 422, "'10'"),
        ({"digits": [digit("../7", SMALL)]}, 422, "'../7'"),
        ({"digits": [digit(7, SMALL)]}, 422, "not as it should be"),
        ({"digits": [other]}, 422, "base64"),
        ({"digits": [digit("7", b"x")]}, 422, "no PNG"),
        *(({"digits": [digit("7", one)]}, 422, "damaged") for one in damaged),
        ({"digits": [digit("7", SMALL[:20])]}, 422, "28×20"),
        ({"digits": [digit("7", np.zeros((28, 28), np.uint8))]}, 422, "blank"),
        ({"digits": [digit("7", SMALL), digit("8", SMALL[1:])]}, 422, "28×27"),
        ({"digits": [digit("7", SMALL)] * (collecting.MOST_IN_REQUEST + 1)}, 413, "501"),
    ]


@pytest.mark.parametrize(("body", "status", "detail"), _wrong())
def test_nothing_is_kept_of_what_is_wrong(
    client: Client, folder: Path, body: Any, status: int, detail: str
) -> None:
    before = files(folder)
    answer = client.post("/collect", json=body)
    assert answer.status_code == status, answer.text
    assert detail in answer.json()["detail"]
    assert files(folder) == before


def test_pages_elsewhere_may_not_send(client: Client, folder: Path) -> None:
    body, before = {"digits": [digit("3", SMALL)]}, files(folder)
    answer = client.post("/collect", json=body, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert files(folder) == before
    own = {"Origin": str(client.base_url).rstrip("/")}
    assert client.post("/collect", json=body, headers=own).status_code == 200


def test_a_full_folder_and_a_full_disk(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = digit("1", SMALL), digit("2", SMALL)

    def keep(*digits: dict[str, Any]) -> None:
        content = httpx.Request("POST", "http://x", json={"digits": digits}).read()
        [*collecting.keep(task(reader, content, "application/json"), tmp_path)]

    keep(one)
    monkeypatch.setattr(collecting, "MOST_KEPT", 1)
    keep(one)  # it is there already
    with pytest.raises(RequestError, match="413"):
        keep(two)
    monkeypatch.undo()

    save = Image.Image.save

    def full(self: Image.Image, *arguments: Any) -> None:
        if any((tmp_path / "2").glob("*.png")):
            raise OSError(28, "No space left on device")
        save(self, *arguments)

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(RequestError, match=r"503.*No space left"):
        keep(two, digit("3", SMALL))
    assert [name.split("/")[0] for name in files(tmp_path)] == ["1", "2"]  # what was written stays
    monkeypatch.undo()
    keep(two, digit("3", SMALL))
    assert len(files(tmp_path)) == 3


def test_without_the_flag_nothing_is_taken(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_bytes(FILES["index.html"])
    with running(create_app(reader, tmp_path, processes=1000)) as (host, port):
        for method in ("GET", "POST"):
            answer = httpx.request(method, f"http://{host}:{port}/collect")
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
