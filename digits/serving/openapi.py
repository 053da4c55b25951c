"""How the service describes itself: OpenAPI for programs, a page for people.

FastAPI derives the schemas of answers from their types; those of request bodies are here.
"""

import base64
import hashlib
import html
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.types import Receive, Scope, Send

from digits.serving.problems import MEDIA_TYPE, Problem
from digits.serving.reading_processes.bodies import BODY_SECONDS, LARGEST_BODY
from digits.serving.reading_processes.pool import READING_SECONDS
from digits.serving.reading_processes.requests import MOST_PICTURES, PICTURES, SIDES

Schema = dict[str, Any]

OF_BODY = (400, 408, 413, 415, 422, 503)  # statuses that a wrong or untimely body can have
FILE: Schema = {"type": "string", "format": "binary"}
PROBLEM = {MEDIA_TYPE: {"schema": TypeAdapter(Problem).json_schema()}}
DOCS = Template((Path(__file__).parent / "docs.html").read_text("utf-8"))


class Route(APIRoute):
    """A documented path whose function takes the request, and returns a response or what is JSON.

    FastAPI would look for parameters, which takes as long as decoding a small picture.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            content = await self.endpoint(request)
            if isinstance(content, Response):
                return content
            return Response(json.dumps(content), media_type="application/json")

        return answer

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers HEAD as GET; the server leaves the body out."""
        if scope["method"] == "HEAD" and "GET" in (self.methods or ()):
            scope = {**scope, "method": "GET"}
        await super().handle(scope, receive, send)


def operation(
    *errors: int,
    body: Mapping[str, Any] | None = None,
    parameters: Sequence[Schema] = (),
    answers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Keyword arguments of a route: the statuses of its errors, what it takes by media type, the
    parameters in its path, and what it answers besides the JSON of its model by media type."""
    responses = {code: {"description": "What was wrong", "content": PROBLEM} for code in errors}
    if answers:
        responses[200] = {"content": answers}
    extra: Schema = {"requestBody": {"required": True, "content": body}} if body else {}
    if parameters:
        extra["parameters"] = [*parameters]
    return {"responses": responses, "openapi_extra": extra, "response_description": "Answered"}


def path_parameter(name: str, values: Iterable[str]) -> Schema:
    """A parameter in a path that has one of some values."""
    return {"name": name, "in": "path", "required": True, "schema": one_of(values)}


def one_of(values: Iterable[str]) -> Schema:
    """The schema of a string that has one of some values."""
    return {"type": "string", "enum": [*values]}


def object_of(required: Sequence[str], **properties: Schema) -> Schema:
    """The schema of an object with these properties."""
    return {"type": "object", "required": required, "properties": properties}


def array_of(items: Schema, least: int, most: int) -> Schema:
    """The schema of an array of `least` to `most` items."""
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def pictures_body(most: int) -> dict[str, Any]:
    """What a path takes that reads up to `most` pictures, by media type."""

    def one_or_more(picture: Schema) -> Schema:
        return picture if most == 1 else array_of(picture, 1, most)

    choices = []
    for key, side in SIDES.items():
        row = array_of({"type": "integer", "minimum": 0, "maximum": 255}, side, side)
        choices.append(object_of([key], **{key: one_or_more(array_of(row, side, side))}))
    return {name: {"schema": FILE} for name in PICTURES if most == 1} | {
        "multipart/form-data": {"schema": object_of(["file"], file=one_or_more(FILE))},
        "application/json": {"schema": {"oneOf": choices}},
    }


def page(described: Mapping[str, Any], at: str) -> HTMLResponse:
    """The OpenAPI document for people, and how to ask the service `at` "http://localhost:8000"."""
    tables: dict[str, str] = {}
    for path, methods in described["paths"].items():
        for method, details in methods.items():
            tag, meaning = details["tags"][0], html.escape(details["description"])
            row = f"<tr><td>{method.upper()} {path}<td>{meaning}\n"
            tables[tag] = tables.get(tag, "") + row
    text = DOCS.substitute(
        described["info"],
        at=html.escape(at),
        tables="\n".join(
            f"<h2>{tag[0].upper() + tag[1:]}</h2>\n<table>\n{rows}</table>"
            for tag, rows in tables.items()
        ),
        megabytes=LARGEST_BODY >> 20,
        seconds=BODY_SECONDS,
        reading_seconds=READING_SECONDS,
        kept=(
            "Digits that are sent to /collect are kept, and nothing else."
            if "/collect" in described["paths"]
            else "Nothing that is sent is kept."
        ),
        pictures=MOST_PICTURES,
    )
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})
