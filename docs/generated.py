"""The parts of the site that are made from the program itself, as a hook of MkDocs.

A line `<!-- generated: NAME -->` in a page is replaced by what the function of that name in
`PARTS` returns. The marks of `benchmarks/fill` are taken out.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parent.parent
GENERATED = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
FIGURES = re.compile(r"^<!-- /?\w+ -->\n", re.MULTILINE)
ROWS = re.compile(r"^\|.*", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs calls this with the text of each page, before it makes HTML of it."""
    text = GENERATED.sub(lambda mark: PARTS[mark[1]](), FIGURES.sub("", markdown))
    return ROWS.sub(
        lambda row: re.sub(
            r" (±|to|s,) (?=[\d.])", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", row[0]
        ),
        text,
    )


def commands() -> str:
    """Every command's own --help."""
    from digits.cli import COMMANDS

    return "\n\n".join(f"## digits {name}\n\n```text\n{help_text(name)}```" for name in COMMANDS)


def help_text(command: str) -> str:
    """What `digits COMMAND --help` prints on a terminal of 80 columns."""
    from digits.cli import main

    printed = io.StringIO()
    plain = {"COLUMNS": "80", "NO_COLOR": "1"}
    with mock.patch.dict(os.environ, plain), redirect_stdout(printed), suppress(SystemExit):
        main([command, "--help"])
    return printed.getvalue()


def recipes() -> str:
    """The fields of a recipe with their meaning, and what each recipe sets them to."""
    from digits.runs.recipes import RECIPES, Recipe

    rows = [
        f"| `{field.name}` | {field.metadata['help']} | "
        + " | ".join(str(getattr(recipe, field.name)) for recipe in RECIPES.values())
        for field in fields(Recipe)
        if field.name not in ("name", "precision", "network_sha256")
    ]
    head = ["field", "meaning", *(f"`{name}`" for name in RECIPES)]
    return "\n".join(
        [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"{r} |" for r in rows)]
    )


def contract() -> str:
    """What the model takes and gives, as every bundle's manifest says it."""
    from digits import bundle

    found = bundle.read().manifest["contract"]
    return "\n".join(f"- `{name}`: {meaning}" for name, meaning in found.items())


def manifest() -> str:
    """The manifest of the model that ships."""
    from digits import bundle

    return f"```json\n{json.dumps(bundle.read().manifest, indent=2, ensure_ascii=False)}\n```"


def http() -> str:
    """The paths of the service, from the OpenAPI document that it serves."""
    from digits import Reader
    from digits.serving.app import create_app

    by_tag: dict[str, list[str]] = {}
    app = create_app(Reader(), collect=Path("DIR"))
    for path, methods in app.openapi()["paths"].items():
        if "{version}" in path:  # the same as without a version
            continue
        for method, operation in methods.items():
            kinds = operation.get("requestBody", {}).get("content", {})
            kinds = dict.fromkeys(re.sub("image/.*", "image/*", kind) for kind in kinds)
            takes = f" Takes {', '.join(f'`{kind}`' for kind in kinds)}." if kinds else ""
            row = (
                f"| `{method.upper()} {path}` | {operation['description']}{takes} "
                f"| {', '.join(operation['responses'])} |"
            )
            by_tag.setdefault(operation["tags"][0], []).append(row)
    head = "| path | what it does | statuses |\n|---|---|---|\n"
    return "\n\n".join(
        f"## {tag[0].upper()}{tag[1:]}\n\n{head}" + "\n".join(rows) for tag, rows in by_tag.items()
    )


def limits() -> str:
    """What the service bounds."""
    from digits.commands import serve
    from digits.serving import collecting
    from digits.serving.connections import protocol
    from digits.serving.reading_processes import bodies, memory, pool, requests

    one = memory.Budget.of(1 << 30, 2).one
    bounds = {
        "a body": f"{bodies.LARGEST_BODY >> 20} MB, packed and unpacked, and "
        f"{bodies.BODY_SECONDS} s to send it",
        "a header, and trailers": f"{protocol.LARGEST_HEADER >> 10} kB, and "
        f"{protocol.HEADER_SECONDS} s to send it",
        "pictures in a body": str(requests.MOST_PICTURES),
        "pixels of a picture": f"{memory.pixels(1 << 40):,}; fewer where there is less memory, "
        f"such as {memory.pixels(one) // 1_000_000} million with 1 GiB and two cores",
        "the reading of a request": f"{pool.READING_SECONDS} s, and what memory there is for it",
        "requests that wait, in each worker": f"{pool.MOST_WAITING}, each for "
        f"{pool.WAITING_SECONDS} s in all",
        "connections, in each worker": f"{protocol.MOST_CONNECTIONS}; each may be idle for "
        f"{protocol.IDLE_SECONDS} s, and makes room before that",
        "workers": str(serve.MOST_WORKERS),
        "digits that are collected": f"{collecting.MOST_KEPT:,}, and "
        f"{collecting.MOST_IN_REQUEST} in a request",
    }
    return "| what | at most |\n|---|---|\n" + "\n".join(
        f"| {k} | {v} |" for k, v in bounds.items()
    )


def of_repository(name: str) -> Callable[[], str]:
    """A page that stands at the top of the repository, with links that hold on the site."""

    def text() -> str:
        return (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")

    return text


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "recipes": recipes,
    "contract": contract,
    "manifest": manifest,
    "http": http,
    "limits": limits,
    "contributing": of_repository("CONTRIBUTING.md"),
    "security": of_repository("SECURITY.md"),
    "changelog": of_repository("CHANGELOG.md"),
}
