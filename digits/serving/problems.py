"""Errors over HTTP as `application/problem+json` (RFC 9457): mistakes of a client, and overload."""

import json
from http import HTTPStatus
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.types import Scope
from typing_extensions import NotRequired, TypedDict

from digits.serving.errors import RequestError
from digits.serving.scopes import path_of

MEDIA_TYPE = "application/problem+json"
FAULT = "The request met a fault of this program; please report it."


class Problem(TypedDict):
    """The JSON of an error."""

    type: Annotated[str, Field(description='always "about:blank"')]
    title: Annotated[str, Field(description="the same for every error of this status")]
    status: Annotated[int, Field(description="the HTTP status")]
    detail: Annotated[str, Field(description="what was wrong, and what to do")]
    error: NotRequired[Annotated[str, Field(description="the detail again, under /v2 only")]]


def install(app: FastAPI) -> None:
    """Makes an application answer its own errors and the framework's with a `Problem`."""

    @app.exception_handler(HTTPException)
    async def answer(request: Request, error: HTTPException) -> Response:
        path = path_of(request.scope)
        if not isinstance(error, RequestError):
            of_framework = {
                404: f"There is nothing at {path:.200}; the paths are listed at /docs.",
                405: f"{path:.200} does not support {request.method:.20}; see /docs.",
            }
            detail = of_framework.get(error.status_code, error.detail)
            error = RequestError(error.status_code, detail, error.headers)
        return response(request.scope, error)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        return response(request.scope, RequestError(500, FAULT))


def response(scope: Scope, error: RequestError) -> Response:
    """The answer that an error makes to the request with a scope."""
    status, detail = error.status_code, error.detail
    title = HTTPStatus(status).phrase
    problem = Problem(type="about:blank", title=title, status=status, detail=detail)
    if path_of(scope).startswith("/v2"):
        problem["error"] = detail
    return Response(json.dumps(problem), status, error.headers, MEDIA_TYPE)
