"""The two halves meet only at the bundle: what must not import TensorFlow, does not."""

import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = [
    "attempts",
    "bodies",
    "bundle",
    "cli",
    "compare",
    "compare_page",
    "compare_runs",
    "compare_text",
    "connections",
    "data",
    "describe",
    "documents",
    "engines",
    "ensemble",
    "errors",
    "evaluate",
    "files",
    "gallery",
    "history",
    "ink",
    "measure",
    "oip",
    "page_files",
    "pictures",
    "problems",
    "read",
    "reader",
    "recipes",
    "runs",
    "segment",
    "serve",
    "show",
    "site",
    "spec",
    "sweep",
    "suspects",
    "terminal",
    "traffic",
    "workers",
]
HEAVY = (
    "tensorflow",
    "keras",
    "matplotlib",
    "sklearn",
    "scipy",
    "seaborn",
    "cleanlab",
    "pandas",
    "ray",
)


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_stay_light(module: str) -> None:
    program = f"import sys, digits.{module}; print([x for x in {HEAVY} if x in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr


def test_no_import_prints_or_writes(tmp_path: Path) -> None:
    program = f"import {', '.join(f'digits.{module}' for module in LIGHT)}"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert found.stdout == found.stderr == ""
    assert list(tmp_path.iterdir()) == []
