"""How the service describes itself: OpenAPI for programs, a page for people."""

import base64
import hashlib
import html
from string import Template
from typing import Any

from fastapi.responses import HTMLResponse

from digits.serving.inference_protocol import INPUTS, OUTPUTS, VERSION
from digits.serving.problems import MEDIA
from digits.serving.requests import BODY_SECONDS, LARGEST_BODY, MOST_PICTURES, PICTURES, SIDES

Extra = dict[str, Any]

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"type": "string"},
    },
}
FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
READING = {
    "type": "object",
    "required": ["digit", "confidence", "accepted", "probabilities", "box"],
    "properties": {
        "digit": {"type": "integer", "minimum": 0, "maximum": 9},
        "confidence": FRACTION,
        "accepted": {"type": "boolean", "description": "false: not sure, or no digit"},
        "probabilities": {"type": "array", "items": FRACTION, "minItems": 10, "maxItems": 10},
        "box": {
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 4,
            "maxItems": 4,
            "description": "x, y, width, height of the ink in pixels",
        },
    },
}
PAGE_READ = {
    "type": "object",
    "required": ["digits", "lines", "readings"],
    "properties": {
        "digits": {"type": "string", "description": "all accepted digits, in reading order"},
        "lines": {"type": "array", "items": {"type": "string"}},
        "readings": {"type": "array", "items": READING},
    },
}
UNREAD = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def _rows(side: int) -> Extra:
    row = {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 255},
        "minItems": side,
        "maxItems": side,
    }
    return {"type": "array", "items": row, "minItems": side, "maxItems": side}


def _arrays(many: bool) -> Extra:
    def content(side: int) -> Extra:
        if not many:
            return _rows(side)
        return {
            "type": "array", "items": _rows(side), "minItems": 1, "maxItems": MOST_PICTURES,
        }  # fmt: skip

    return {
        "oneOf": [
            {"type": "object", "required": [key], "properties": {key: content(side)}}
            for key, side in SIDES.items()
        ]
    }


def _answers(content: Extra, *statuses: int) -> Extra:
    problem = {"description": "what was wrong", "content": {MEDIA: {"schema": PROBLEM}}}
    answered: Extra = {"description": "answered", "content": content}
    return {"200": answered} | {str(status): problem for status in statuses}


def _json(schema: Extra) -> Extra:
    return {"application/json": {"schema": schema}}


def _extra(
    answer: Extra, *statuses: int, body: Extra | None = None, parameters: Any = (), tag: str
) -> Extra:
    """The keywords of a route."""
    more: Extra = {}
    if body is not None:
        more["requestBody"] = {"required": True, "content": body}
    if parameters:
        more["parameters"] = list(parameters)
    more["responses"] = _answers(answer, *statuses)
    return {"openapi_extra": more, "tags": [tag], "response_model": None}


BINARY = {"schema": {"type": "string", "format": "binary"}}
WRONG = (400, 408, 413, 415, 422, 503)
PREDICT = _extra(
    _json(PAGE_READ),
    *WRONG,
    body={f"image/{name}": BINARY for name in PICTURES}
    | {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        }
    }
    | _json(_arrays(many=False)),
    tag="reading",
)
BATCH = _extra(
    _json(
        {
            "type": "object",
            "required": ["pictures"],
            "properties": {"pictures": {"type": "array", "items": {"anyOf": [PAGE_READ, UNREAD]}}},
        }
    ),
    *WRONG,
    body={
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "array",
                        "items": {"type": "string", "format": "binary"},
                        "minItems": 1,
                        "maxItems": MOST_PICTURES,
                    }
                },
            }
        }
    }
    | _json(_arrays(many=True)),
    tag="reading",
)
ANY = {"type": "object"}
HEALTH = _extra(_json(ANY), tag="operation")
METRICS = _extra({"text/plain": {"schema": {"type": "string"}}}, tag="operation")
PAGE = _extra({"text/html": {"schema": {"type": "string"}}}, tag="operation")
V2 = _extra(_json(ANY), tag="Open Inference Protocol")


def _named(versioned: bool) -> list[Extra]:
    names = {"model": list(INPUTS)} | ({"version": [VERSION]} if versioned else {})
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": values}}
        for name, values in names.items()
    ]


def model(versioned: bool) -> Extra:
    """Of a path that names a model and perhaps a version."""
    return _extra(_json(ANY), 404, parameters=_named(versioned), tag="Open Inference Protocol")


def infer(versioned: bool) -> Extra:
    """Of a path that runs a model."""
    tensor = {
        "type": "object",
        "required": ["name", "datatype", "shape"],
        "properties": {
            "name": {"type": "string", "enum": list(INPUTS)},
            "datatype": {"type": "string", "enum": ["UINT8"]},
            "shape": {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3},
            "data": {"type": "array"},
            "parameters": ANY,
        },
    }
    wanted = {name for outputs in OUTPUTS.values() for name in outputs}
    output = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "enum": sorted(wanted)}, "parameters": ANY},
    }
    request = {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string"},
            "inputs": {"type": "array", "items": tensor, "minItems": 1, "maxItems": 1},
            "outputs": {"type": "array", "items": output},
            "parameters": ANY,
        },
    }
    answer = _json(ANY) | {"application/octet-stream": BINARY}
    return _extra(
        answer,
        404,
        *WRONG,
        body=_json(request) | {"application/octet-stream": BINARY},
        parameters=_named(versioned),
        tag="Open Inference Protocol",
    )


EXAMPLES = """\
curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' $at/predict
curl -F file=@photo.jpg $at/predict
curl -F file=@one.png -F file=@two.png $at/predict/batch
curl $at/v2/models/canvas"""

_STYLE = """
  :root { color-scheme: light dark; }
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 52rem;
    margin: 2rem auto; padding: 0 1rem; }
  pre { overflow-x: auto; padding: 1rem; border-radius: 8px; background: #8882; }
  table { border-collapse: collapse; width: 100%; }
  td { padding: .3rem .8rem .3rem 0; vertical-align: top; }
  td:first-child, code { font-family: ui-monospace, monospace; }
  h2 { margin-top: 2rem; font-size: 1.15rem; }
"""
_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title: the interface</title>
<style>$style</style>
<h1>$title $version</h1>
<p>$description For programs: <a href="openapi.json">openapi.json</a>.</p>
<pre>$examples</pre>
$tables
<h2>Limits</h2>
<p>A body has at most $megabytes MB, comes within $seconds seconds, and brings at most $pictures
pictures. Errors are <code>application/problem+json</code>; <code>detail</code> says what to do.
When too many requests wait, the answer is 503 with <code>Retry-After</code>. Nothing that is sent
is kept.</p>
</html>
""")


def page(described: dict[str, Any], at: str) -> HTMLResponse:
    """The interface for people.

    Args:
        described: of OpenAPI.
        at: where the service is, as in "http://localhost:8000".
    """
    rows: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            meaning = html.escape(told["description"])
            row = f"<tr><td>{method.upper()} {html.escape(path)}<td>{meaning}"
            rows.setdefault(told["tags"][0], []).append(row)
    tables = "\n".join(
        f"<h2>{tag[0].upper() + tag[1:]}</h2>\n<table>\n" + "\n".join(of_tag) + "\n</table>"
        for tag, of_tag in rows.items()
    )
    text = _PAGE.substitute(
        title=html.escape(described["info"]["title"]),
        version=html.escape(described["info"]["version"]),
        description=html.escape(described["info"]["description"]),
        style=_STYLE,
        examples=html.escape(EXAMPLES.replace("$at", at)),
        tables=tables,
        megabytes=LARGEST_BODY >> 20,
        seconds=BODY_SECONDS,
        pictures=MOST_PICTURES,
    )
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})
