"""Errors over HTTP as `application/problem+json` (RFC 9457): mistakes of a client, and overload."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """The JSON of an error."""

    type: str = field(metadata={"description": 'always "about:blank"'})
    title: str = field(metadata={"description": "the same for every error of this status"})
    status: int = field(metadata={"description": "the status of HTTP"})
    detail: str = field(metadata={"description": "what was wrong, and what to do"})
    error: str = field(
        default="",
        metadata={
            "description": "under /v2 only: the detail, as the Open Inference Protocol has it"
        },
    )


class RequestError(Exception):
    """A request that cannot be answered.

    Attributes:
        status: of HTTP.
        detail: one sentence that says what was wrong and what to do.
        headers: sent with the answer.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def response(error: RequestError, path: str) -> Response:
    """The response to a request for `path` that ended in an error."""
    of_protocol = error.detail if path.startswith("/v2") else ""
    phrase = HTTPStatus(error.status).phrase
    problem = Problem("about:blank", phrase, error.status, error.detail, of_protocol)
    content = {name: value for name, value in vars(problem).items() if value != ""}
    return Response(json.dumps(content), error.status, error.headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes an application answer its own errors and the framework's with a `Problem`."""

    @app.exception_handler(RequestError)
    async def of_service(request: Request, error: RequestError) -> Response:
        return response(error, request.url.path)

    @app.exception_handler(HTTPException)
    async def of_framework(request: Request, error: HTTPException) -> Response:
        path = request.url.path
        details = {
            404: f"There is nothing at {path}; the paths are listed at /docs.",
            405: f"{path} does not support {request.method}; see /docs.",
        }
        detail = details.get(error.status_code, str(error.detail))
        return response(RequestError(error.status_code, detail, error.headers), path)
