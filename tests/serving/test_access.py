"""Who may ask for what, where the service listens, and what it leaves behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from processes import ROOT
from services import FILES, JSON, PNG, Started, running

from digits import bundle
from digits.cli import main
from digits.errors import DigitsError
from digits.reading.reader import Reader
from digits.serving import browser_runtime, site
from digits.serving.app import create_app
from digits.serving.connections.access import Access
from digits.serving.connections.listening import Address, listening
from digits.serving.connections.protocol import Server
from digits.serving.server import Service, serve

CANVAS = json.dumps({"canvas": [[0] * 256] * 256})


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_bytes(FILES["index.html"])
    return tmp_path / "site"


def test_a_token_guards_all_but_the_page_and_health(reader: Reader, page: Path) -> None:
    with (
        running(create_app(reader, page, access=Access(token="s3cret"))) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", timeout=60) as client,
    ):
        for path in ("/", "/index.html", "/healthz", "/readyz", "/v2/health/ready"):
            assert client.get(path).status_code == 200, path
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic s3cret"}):
            for method, path in (("POST", "/predict"), ("GET", "/metrics"), ("GET", "/v2")):
                answer = client.request(method, path, headers=given)
                assert answer.status_code == 401, path
                assert answer.headers["www-authenticate"] == "Bearer"
                assert "Authorization: Bearer TOKEN" in answer.json()["detail"]
        right = JSON | {"Authorization": "Bearer s3cret"}
        assert client.post("/predict", content=CANVAS, headers=right).status_code == 200


def test_only_named_hosts_and_origins_are_let_in(reader: Reader) -> None:
    access = Access(hosts=("digits.example.org", "*.local", "::1"), origins=("https://a.example",))
    with running(create_app(reader, access=access)) as (host, port):
        url = f"http://{host}:{port}"
        for name, status in (
            ("digits.example.org", 200),
            ("DIGITS.example.org:80", 200),
            ("my.local", 200),
            ("[::1]:8000", 200),
            ("evil.example", 421),
            ("local", 421),
            ("", 421),
        ):
            assert httpx.get(f"{url}/v2", headers={"Host": name}).status_code == status, name
        assert httpx.get(f"{url}/readyz", headers={"Host": "10.0.0.1"}).status_code == 200
        known = {"Host": "my.local"}
        asked = known | {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        answer = httpx.options(f"{url}/predict", headers=asked)
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        other = httpx.get(f"{url}/v2", headers=known | {"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers


def test_the_command_line_has_it_all(started: Started, tmp_path: Path, picture: bytes) -> None:
    (tmp_path / "token").write_text("abc\n")
    process, url = started(
        *("--host", "localhost", "--root-path", "/digits/", "--metrics-port", "0"),
        *("--token", f"@{tmp_path / 'token'}", "--allow-host", "localhost"),
    )
    token = {"Authorization": "Bearer abc"}
    at = httpx.URL(url)
    for *_, address in socket.getaddrinfo("localhost", at.port, type=socket.SOCK_STREAM):
        host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        answer = httpx.get(f"http://{host}:{at.port}/v2", headers=token | {"Host": "localhost"})
        assert answer.status_code == 200, host
    assert httpx.get(f"{url}/v2", headers=token).status_code == 421
    localhost = token | {"Host": "localhost"}
    assert httpx.get(f"{url}/metrics", headers=localhost).status_code == 404
    assert "<title>" in httpx.get(f"{url}/", headers=localhost).text
    unknown = httpx.get(f"{url}/nothing", headers=localhost).json()
    assert "at /nothing" in unknown["detail"]
    answer = httpx.post(f"{url}/predict", content=picture, headers=localhost | PNG, timeout=60)
    assert answer.json()["digits"] == "72"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6")
def test_every_address_of_both_versions() -> None:
    with listening(Address("::", 0)) as ((listener,), _):
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), timeout=5).close()


def test_metrics_have_a_port_of_their_own(reader: Reader) -> None:
    with listening(Address(port=0, metrics_port=0)) as (_, of_metrics):
        port = of_metrics[0].getsockname()[1]
    access = Access(hosts=("digits.example.org",), token="s3cret", metrics_port=port)
    right = {"Host": "digits.example.org", "Authorization": "Bearer s3cret"}
    with running(create_app(reader, access=access), port) as (host, main_port):
        assert "digits_requests" in httpx.get(f"http://{host}:{port}/metrics").text
        assert httpx.get(f"http://{host}:{port}/readyz").status_code == 200
        assert httpx.get(f"http://{host}:{port}/v2").status_code == 404
        assert httpx.get(f"http://{host}:{main_port}/metrics").status_code == 404
        assert httpx.get(f"http://{host}:{main_port}/v2").status_code == 421
        assert httpx.get(f"http://{host}:{main_port}/v2", headers=right).status_code == 200


def test_a_taken_port_is_named_by_its_flag() -> None:
    with listening(Address(port=0)) as ((taken,), _):
        port = taken.getsockname()[1]
        for address, flag in (
            (Address(port=port), "--port"),
            (Address(port=0, metrics_port=port), "--metrics-port"),
        ):
            with pytest.raises(DigitsError, match=f"choose another {flag},"), listening(address):
                pass
    with (
        pytest.raises(DigitsError, match="--metrics-port must be from 0 to 65535"),
        listening(Address(port=0, metrics_port=1 << 16)),
    ):
        pass


def test_the_page_is_opened_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here no proxy takes the path of --root-path off, and a name that is not allowed gets 421."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(browser_runtime, "is_cached", lambda: True)
    monkeypatch.setattr(site, "build", lambda *_, **__: [])
    monkeypatch.setattr(Server, "run", lambda self, _: setattr(self, "started", True))
    for hosts in ((), ("127.0.0.1",), ("digits.example.org",)):
        access = Access(hosts=hosts)
        serve(bundle.read(), Service(Address(port=0), 1, "/digits", access, browser=True))
    assert [urlsplit(url)._replace(netloc="").geturl() for url in opened] == ["http:///"] * 2


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no Unix sockets")
def test_a_unix_socket(tmp_path: Path, picture: bytes) -> None:
    path = tmp_path / "digits.sock"
    with socket.socket(socket.AF_UNIX) as left:  # by a process that was killed
        left.bind(str(path))
    command = [sys.executable, "-m", "digits.cli", "serve", "--no-browser", "--uds", str(path)]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert str(path) in process.stdout.readline()
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=60) as client:
            answer = client.post("http://digits/predict", content=picture, headers=PNG)
        with (
            pytest.raises(DigitsError, match="Another program listens"),
            listening(Address(uds=str(path))),
        ):
            pass
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert answer.json()["digits"] == "72"
    assert process.returncode == 0
    assert [*tmp_path.iterdir()] == []  # neither the socket nor temporary files


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--token", ""], "--token must be"),
        (["--token", "a b"], "--token must be"),
        (["--token", "@/nowhere"], "/nowhere cannot be read"),
        (["--root-path", "digits"], "must begin with /"),
        (["--uds", "x", "--metrics-port", "1"], "--metrics-port needs"),
        (["--uds", "/nowhere/at/all"], "Cannot listen on /nowhere/at/all"),
        (["--uds", "pyproject.toml"], "is not a socket"),
        (["--collect", "pyproject.toml"], "cannot be made"),
    ],
)
def test_mistakes(
    arguments: list[str],
    said: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["serve", "--no-browser", *arguments]) == 2
    assert said in capfd.readouterr().err


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder for temporary files; the path of `tmp_path` may be too long for that."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_sigterm_with_a_full_queue_is_obeyed_and_all_are_answered(
    started: Started, short: Path
) -> None:
    """Bodies that never end, in every place that there is; they are told, and nothing is left."""
    process, url = started("--workers", "2", temporary=short)
    httpx.get(f"{url}/readyz", timeout=60)
    at = httpx.URL(url)
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n"
    )
    lines = []
    for _ in range(30):
        line = socket.create_connection((at.host, at.port or 80), timeout=60)
        line.sendall(head)
        lines.append(line)
    time.sleep(0.5)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    answers = []
    for line in lines:
        with line:
            answers.append(line.recv(1 << 16))
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert time.monotonic() - begun < 12
    assert {answer.split()[1] for answer in answers} <= {b"503", b"408"}
    assert [*short.iterdir()] == []


def test_npm_that_hangs_holds_nothing(started: Started, tmp_path: Path, short: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("npm", "node"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\nexec sleep 600\n")
        (tmp_path / "bin" / name).chmod(0o755)
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "DIGITS_CACHE": str(tmp_path / "cache"),
    }
    begun = time.monotonic()
    process, url = started(environment=environment, temporary=short)
    assert "<title>" in httpx.get(f"{url}/", timeout=60).text
    assert time.monotonic() - begun < 60
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert [*short.iterdir()] == []
    assert [*(tmp_path / "cache").iterdir()] == []


def test_without_room_for_files_there_is_a_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(**_: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", none)
    assert main(["serve", "--no-browser", "--port", "0"]) == 2
    assert re.search(r"no folder for temporary files \(.*\); set TMPDIR", capfd.readouterr().err)


def test_a_folder_for_temporary_files_far_down_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("a" * 80)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert main(["serve", "--no-browser", "--port", "0"]) == 2
    assert "more than 75 bytes; set TMPDIR to a shorter one." in capfd.readouterr().err
