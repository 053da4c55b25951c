"""The files of the page over HTTP: only those that were in the folder when it was made."""

import hashlib
import mimetypes
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.routing import request_response

from digits.serving.errors import RequestError
from digits.serving.scopes import path_of

INDEX = "index.html"
# A path with a hash of the content never changes its content.
HASHED = re.compile(r"[.-][0-9a-f]{8,}(?=[./]|$)")
CODINGS = {".br": "br", ".gz": "gzip"}  # of compressed copies, by suffix; the smaller first
MEDIA_TYPES = {  # which not every system knows
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


class Folder:
    """The files that are in a folder, as of when its `index.html` was written, which is last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._load()

    def _load(self) -> None:
        seen = self._stamp()  # before the files, so that a change meanwhile is seen next time
        self.files = {
            path.relative_to(self._path).as_posix(): path
            for path in self._path.rglob("*")
            if path.is_file()
        }
        self._seen = seen
        self._tags: dict[str, str] = {}

    def _stamp(self) -> tuple[int, ...]:
        """What differs once `index.html` has been written again."""
        found = (self._path / INDEX).stat()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def refresh(self) -> None:
        """Finds the files again if the site has been written again, in this folder or in another
        one in its place."""
        with suppress(OSError):  # it is being replaced: what was there is still right
            if self._stamp() != self._seen:
                self._load()

    def tag(self, name: str) -> str:
        """The entity tag of a file."""
        if name not in self._tags:
            digest = hashlib.sha256(self.files[name].read_bytes()).hexdigest()
            self._tags[name] = f'"{digest[:32]}"'
        return self._tags[name]


def install(app: FastAPI, path: Path) -> Callable[[str], bool]:
    """Serves a folder from `site.build` at every path that the application does not have itself.

    Compressed copies go to clients that accept them. The folder may be written again by
    `site.build`, or replaced. Returns a function that says whether there is a file at a path.
    """
    folder = Folder(path)

    def name_of(path: str) -> str:
        name = path.removeprefix("/") or INDEX
        if not HASHED.search(name):
            folder.refresh()
        return name

    async def file(request: Request) -> Response:
        name = name_of(path_of(request.scope))
        if name not in folder.files or name.endswith((*CODINGS,)):
            raise RequestError(404, f"There is nothing at /{name:.200}; the page is at /.")
        if request.method not in ("GET", "HEAD"):
            detail = f"/{name} supports GET and HEAD only."
            raise RequestError(405, detail, {"Allow": "GET, HEAD"})
        fresh = "max-age=31536000, immutable" if HASHED.search(name) else "no-cache"
        headers, sent = {"Cache-Control": fresh}, name
        accepted = request.headers.get("accept-encoding", "")
        for suffix, coding in CODINGS.items():
            if name + suffix in folder.files:
                headers["Vary"] = "Accept-Encoding"
                if sent == name and re.search(rf"\b{coding}\b", accepted):
                    sent = name + suffix
                    headers["Content-Encoding"] = coding
        headers["ETag"] = folder.tag(sent)
        if folder.tag(sent) in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        media_type = MEDIA_TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
        return FileResponse(
            folder.files[sent], headers=headers, media_type=media_type or "application/octet-stream"
        )

    app.router.default = request_response(file)
    return lambda path: name_of(path) in folder.files
