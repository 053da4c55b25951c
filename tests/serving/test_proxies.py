"""The examples of proxies in deploy/: nginx as it is, with other names and paths."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from processes import ROOT
from services import JSON, PNG, Started, png

SEVEN = np.eye(28, dtype=np.uint8) * 255
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
OPENSSL = shutil.which("openssl")
CADDY = shutil.which("caddy")


def certificate(folder: Path) -> None:
    """A certificate for this test alone."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=digits.example.org", "-keyout", "digits.key", "-out", "digits.pem"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.mark.skipif(
    None in (NGINX, OPENSSL) and "CI" not in os.environ, reason="nginx or openssl is not installed"
)
def test_nginx(started: Started, tmp_path: Path, picture: bytes) -> None:
    """TLS ends at nginx, which finds the service on a Unix socket, below a path."""
    certificate(tmp_path)
    sock, port = tmp_path / "digits.sock", free_port()
    text = (ROOT / "deploy/nginx.conf").read_text()
    arguments = re.search(r"digits serve ((?:.*\\\n)?.*)", text)
    assert arguments
    flags = arguments[1].replace("\\\n#", "").split()
    flags[flags.index("--uds") + 1] = str(sock)
    for old, new in (
        ("/run/digits/digits.sock", str(sock)),
        ("/etc/ssl/", f"{tmp_path}/"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("    listen [::]:443 ssl;\n", ""),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "digits.conf").write_text(text)
    places = "".join(
        f"{name}_temp_path {tmp_path}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log stderr;\n{'user root;' * (os.getuid() == 0)}\n"
        f"events {{}}\nhttp {{ access_log off;\n{places} include {tmp_path}/digits.conf; }}\n"
    )
    started(*flags, "--collect", str(tmp_path / "collected"))
    assert NGINX is not None, "nginx is needed for this test"
    command = [NGINX, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as nginx:
        try:
            trusted = ssl.create_default_context(cafile=str(tmp_path / "digits.pem"))
            trusted.check_hostname = False
            with httpx.Client(
                base_url=f"https://127.0.0.1:{port}",
                verify=trusted,
                headers={"Host": "digits.example.org"},
                timeout=60,
            ) as client:
                for _ in range(200):
                    try:
                        client.get("/digits/readyz")
                        break
                    except httpx.ConnectError:
                        assert nginx.poll() is None, nginx.communicate()
                        time.sleep(0.05)
                answer = client.post("/digits/predict", content=picture, headers=PNG)
                assert answer.json()["digits"] == "72"
                assert "<title>" in client.get("/digits/").text
                assert client.get("/digits").headers["location"].endswith("/digits/")
                assert (
                    "https://digits.example.org/digits/predict" in client.get("/digits/docs").text
                )
                assert client.get("/digits/metrics").status_code == 403
                assert client.get("/digits/nothing").json()["detail"].endswith("the page is at /.")
                origin = f"digits.example.org:{port}"
                own = {"Host": origin, "Origin": f"https://{origin}"}
                sent = client.post("/digits/collect", files={"7": png(SEVEN)}, headers=own)
                assert sent.json()["kept"] == 1
                large = client.post("/digits/predict", content=bytes(17 << 20), headers=JSON)
                assert large.status_code == 413
                many = {client.get("/digits/healthz").status_code for _ in range(100)}
                assert 429 in many
        finally:
            nginx.send_signal(signal.SIGTERM)


@pytest.mark.skipif(CADDY is None, reason="Caddy is not in every Debian")
def test_caddy_takes_its_example() -> None:
    assert CADDY is not None
    command = [CADDY, "adapt", "--config", str(ROOT / "deploy/Caddyfile")]
    subprocess.run(command, check=True, capture_output=True)
