"""What an HTTP client did wrong, or what is too much for now, as `application/problem+json`.

RFC 9457: `title` is the same for a status, `detail` is a sentence for people.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

MEDIA = "application/problem+json"


class RequestError(Exception):
    """A request that is not answered with what it asked for.

    Attributes:
        status: of HTTP.
        detail: one sentence that says what was wrong and what to do.
        headers: to be sent with it.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def response(problem: RequestError, path: str) -> Response:
    """As it is sent to who asked for a path."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if path.startswith("/v2"):
        content["error"] = problem.detail  # where the Open Inference Protocol looks
    return Response(json.dumps(content), problem.status, problem.headers, MEDIA)


def install(app: FastAPI) -> None:
    """Makes an application answer its own and the framework's errors thus."""

    @app.exception_handler(RequestError)
    async def own(request: Request, problem: RequestError) -> Response:
        return response(problem, request.url.path)

    @app.exception_handler(HTTPException)
    async def of_framework(request: Request, error: HTTPException) -> Response:
        told = {
            404: f"There is nothing at {request.url.path}; the paths are listed at /docs.",
            405: f"{request.url.path} does not take {request.method}; see /docs.",
        }
        detail = told.get(error.status_code, str(error.detail))
        problem = RequestError(error.status_code, detail, error.headers)
        return response(problem, request.url.path)
