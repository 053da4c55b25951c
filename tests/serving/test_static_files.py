"""The page is served as it was last written."""

import re
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI
from services import ask

from digits import bundle
from digits.serving import site, static_files


def test_a_site_that_is_written_again_is_served_anew(tmp_path: Path) -> None:
    """As when `digits serve` has fetched the runtime for browsers while it serves."""
    app, plain = FastAPI(), bundle.read()
    site.build(tmp_path / "site", plain, runtime=False)
    exists = static_files.install(app, tmp_path / "site")
    before, worker = ask(app, "/"), ask(app, "/sw.js")
    changed = replace(plain, manifest=plain.manifest | {"name": "another"})
    assert site.build(tmp_path / "site", changed, runtime=False) != []
    seen = {"If-None-Match": worker.headers["etag"]}
    assert ask(app, "/sw.js", headers=seen).status_code == 200  # browsers ask for it alone
    after = ask(app, "/", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    (model,) = {*re.findall(r"model-[0-9a-f]{16}", after.text + ask(app, "/sw.js").text)}
    assert model not in worker.text
    assert exists(f"/{model}/manifest.json")
    assert ask(app, f"/{model}/manifest.json").json()["name"] == "another"
