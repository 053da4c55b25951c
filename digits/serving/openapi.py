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

from digits.serving.problems import MEDIA_TYPE, Problem
from digits.serving.requests import BODY_SECONDS, LARGEST_BODY, MOST_PICTURES, PICTURES, SIDES

Schema = dict[str, Any]

OF_BODY = (400, 408, 413, 415, 422, 503)  # statuses that a wrong or untimely body can have
FILE: Schema = {"type": "string", "format": "binary"}
DOCS = Template((Path(__file__).parent / "docs.html").read_text("utf-8"))


class Route(APIRoute):
    """A documented path whose function takes the request and returns the response.

    FastAPI would look for parameters, which takes as long as decoding a small picture.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        return self.endpoint


def answer(content: Any) -> Response:
    """A response with JSON.

    Args:
        content: of the types of JSON, and dataclasses of them.
    """
    return Response(json.dumps(content, default=vars), media_type="application/json")


def operation(
    *errors: int,
    body: Mapping[str, Any] | None = None,
    parameters: Sequence[Schema] = (),
    answers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Keyword arguments of a route.

    Args:
        errors: the statuses with which it answers with a `Problem`.
        body: what it takes, by media type.
        parameters: in its path.
        answers: what it answers besides the JSON of its model, by media type.
    """
    problem = {MEDIA_TYPE: {"schema": TypeAdapter(Problem).json_schema()}}
    responses: dict[int, Any] = {
        status: {"description": "What was wrong", "content": problem} for status in errors
    }
    if answers is not None:
        responses[200] = {"content": answers}
    extra: dict[str, Any] = {}
    if body is not None:
        extra["requestBody"] = {"required": True, "content": body}
    if parameters:
        extra["parameters"] = [*parameters]
    return {"responses": responses, "openapi_extra": extra, "response_description": "Answered"}


def path_parameter(name: str, values: Iterable[str]) -> Schema:
    """A parameter in a path that has one of some values."""
    schema = {"type": "string", "enum": [*values]}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def object_of(required: Schema, optional: Schema | None = None) -> Schema:
    """The schema of an object with these properties."""
    return {
        "type": "object",
        "required": [*required],
        "properties": required | (optional or {}),
    }


def array_of(items: Schema, least: int, most: int) -> Schema:
    """The schema of an array of `least` to `most` items."""
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def pictures_body(most: int) -> dict[str, Any]:
    """What a path takes that reads up to `most` pictures, by media type."""
    files, media_types = FILE, {f"image/{name}": {"schema": FILE} for name in PICTURES}
    if most > 1:
        files, media_types = array_of(FILE, 1, most), {}
    choices = []
    for key, side in SIDES.items():
        row = array_of({"type": "integer", "minimum": 0, "maximum": 255}, side, side)
        rows = array_of(row, side, side)
        choices.append(object_of({key: rows if most == 1 else array_of(rows, 1, most)}))
    return media_types | {
        "multipart/form-data": {"schema": object_of({"file": files})},
        "application/json": {"schema": {"oneOf": choices}},
    }


def page(described: Mapping[str, Any], at: str) -> HTMLResponse:
    """The description for people.

    Args:
        described: the OpenAPI document.
        at: where the service is, such as "http://localhost:8000".
    """
    rows: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, details in methods.items():
            meaning = html.escape(details["description"])
            row = f"<tr><td>{method.upper()} {html.escape(path)}<td>{meaning}"
            rows.setdefault(details["tags"][0], []).append(row)
    tables = "\n".join(
        f"<h2>{tag[0].upper() + tag[1:]}</h2>\n<table>\n" + "\n".join(of_tag) + "\n</table>"
        for tag, of_tag in rows.items()
    )
    style = DOCS.template.partition("<style>")[2].partition("</style>")[0]
    text = DOCS.substitute(
        {
            name: html.escape(described["info"][name])
            for name in ("title", "version", "description")
        },
        at=html.escape(at),
        tables=tables,
        megabytes=LARGEST_BODY >> 20,
        seconds=BODY_SECONDS,
        pictures=MOST_PICTURES,
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})
