"""Fixtures of the service and of the page."""

import os
import shutil
from pathlib import Path

import pytest
from processes import made_once
from services import address, client, picture, reader, started
from visits import chromium, host, service, visit

from digits import bundle
from digits.serving import site

__all__ = [
    "address",
    "chromium",
    "client",
    "host",
    "picture",
    "reader",
    "service",
    "started",
    "visit",
]


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site with the model that ships, built once."""
    if shutil.which("npm") is None and "CI" not in os.environ:
        pytest.skip("npm is not installed, which fetches the runtime for browsers")
    with made_once(tmp_path_factory, "site") as folder:
        if not folder.exists():
            site.build(folder, bundle.read())
    return folder
