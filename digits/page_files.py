"""The files of the page over HTTP. Only what lay in the folder at the start can be had."""

import hashlib
import mimetypes
import re
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response

from digits.problems import RequestError

# A name with a hash of the content in it never changes what it means.
HASHED = re.compile(r"[.-][0-9a-f]{8,}(?=[./]|$)")
KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".tflite": "application/octet-stream",
}


def install(app: FastAPI, folder: Path) -> None:
    """Serves a folder at `/`, after all other paths, with compressed copies to whoever takes them.

    Args:
        app: what it is added to.
        folder: from `site.build`; `NAME.gz` is a compressed copy of `NAME`.
    """
    files = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    tags = {
        name: f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"'
        for name, path in files.items()
    }

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def file(request: Request, path: str) -> Response:
        name = path or "index.html"
        if name not in files or name.endswith(".gz"):
            raise RequestError(404, f"There is nothing at /{path:.200}; the page is at /.")
        headers = {
            "Cache-Control": "max-age=31536000, immutable" if HASHED.search(name) else "no-cache",
            "Content-Type": KINDS.get(Path(name).suffix)
            or mimetypes.guess_type(name)[0]
            or "application/octet-stream",
        }
        sent = name
        if f"{name}.gz" in files:
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in request.headers.get("accept-encoding", ""):
                sent = f"{name}.gz"
                headers["Content-Encoding"] = "gzip"
        headers["ETag"] = tags[sent]
        if tags[sent] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return FileResponse(files[sent], headers=headers)
