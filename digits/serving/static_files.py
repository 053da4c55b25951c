"""The files of the page over HTTP: only those that were in the folder at the start."""

import hashlib
import mimetypes
import re
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.routing import request_response

from digits.serving.problems import RequestError

# A path with a hash of the content never changes its content.
HASHED = re.compile(r"[.-][0-9a-f]{8,}(?=[./]|$)")
CODINGS = {".br": "br", ".gz": "gzip"}  # of compressed copies, by suffix; the smaller first
MEDIA_TYPES = {  # which not every system knows
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


def install(app: FastAPI, folder: Path) -> None:
    """Serves a folder from `site.build` at every path that the application does not have itself.

    Compressed copies go to clients that accept them.
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
        if name not in files or name.endswith((*CODINGS,)):
            raise RequestError(404, f"There is nothing at /{name:.200}; the page is at /.")
        if request.method not in ("GET", "HEAD"):
            detail = f"/{name} supports GET and HEAD only."
            raise RequestError(405, detail, {"Allow": "GET, HEAD"})
        fresh = "max-age=31536000, immutable" if HASHED.search(name) else "no-cache"
        headers, sent = {"Cache-Control": fresh}, name
        accepted = request.headers.get("accept-encoding", "")
        for suffix, coding in CODINGS.items():
            if name + suffix in files:
                headers["Vary"] = "Accept-Encoding"
                if sent == name and re.search(rf"\b{coding}\b", accepted):
                    sent = name + suffix
                    headers["Content-Encoding"] = coding
        headers["ETag"] = tags[sent]
        if tags[sent] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        media_type = MEDIA_TYPES.get(files[name].suffix) or mimetypes.guess_type(name)[0]
        return FileResponse(
            files[sent], headers=headers, media_type=media_type or "application/octet-stream"
        )

    app.router.default = request_response(file)
