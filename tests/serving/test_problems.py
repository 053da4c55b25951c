"""Errors have the form that their path asks for, wherever a proxy has the service."""

import asyncio
import json

import pytest
from fastapi import FastAPI
from services import ask

from digits.serving import problems, telemetry
from digits.serving.errors import RequestError


@pytest.mark.parametrize("root_path", ["", "/digits"])
@pytest.mark.parametrize("path", ["/v2/models", "/predict"])
def test_errors_below_v2_have_its_field(root_path: str, path: str) -> None:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(telemetry.Middleware, headers={})
    errors = [RequestError(422, "no"), ValueError("a fault"), asyncio.CancelledError()]

    @app.get(path)
    async def fail() -> None:
        raise errors.pop(0)

    for status in (422, 500, 503):
        answer = ask(app, root_path + path, root_path)
        assert answer.status_code == status
        problem = json.loads(answer.content)
        assert problem.get("error") == (problem["detail"] if path.startswith("/v2") else None)
