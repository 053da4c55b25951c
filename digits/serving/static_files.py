"""The files of the page over HTTP. Only what lay in the folder at the start can be had."""

import hashlib
import mimetypes
import re
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.routing import request_response

from digits.serving.problems import RequestError

# A name with a hash of the content in it never changes what it means.
HASHED = re.compile(r"[.-][0-9a-f]{8,}(?=[./]|$)")
COPIES = {".br": "br", ".gz": "gzip"}  # what a compressed copy's name ends in; the smaller first
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".tflite": "application/octet-stream",
}


def install(app: FastAPI, folder: Path) -> None:
    """Serves a folder wherever the application has nothing else; compressed to whoever takes that.

    Args:
        app: what it is added to.
        folder: from `site.build`.
    """
    files = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    tags = {
        name: f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"'
        for name, path in files.items()
    }

    async def file(request: Request) -> Response:
        name = request.url.path.removeprefix("/") or "index.html"
        if name not in files or name.endswith((*COPIES,)):
            raise RequestError(404, f"There is nothing at /{name:.200}; the page is at /.")
        if request.method not in ("GET", "HEAD"):
            raise RequestError(405, f"/{name} can only be got.", {"Allow": "GET, HEAD"})
        headers = {
            "Cache-Control": "max-age=31536000, immutable" if HASHED.search(name) else "no-cache",
            "Content-Type": KINDS.get(Path(name).suffix)
            or mimetypes.guess_type(name)[0]
            or "application/octet-stream",
        }
        sent = name
        taken = request.headers.get("accept-encoding", "")
        for suffix, coding in COPIES.items():
            if name + suffix in files:
                headers["Vary"] = "Accept-Encoding"
                if sent == name and re.search(rf"\b{coding}\b", taken):
                    sent = name + suffix
                    headers["Content-Encoding"] = coding
        headers["ETag"] = tags[sent]
        if tags[sent] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return FileResponse(files[sent], headers=headers)

    app.router.default = request_response(file)
