"""The two halves meet only at the bundle: what must not import TensorFlow, does not."""

import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = [
    "bundle",
    "cli",
    "commands.info",
    "commands.read",
    "data.mnist",
    "errors",
    "evaluation",
    "files",
    "reading.annotation",
    "reading.cuts",
    "reading.ink",
    "reading.masks",
    "reading.page",
    "reading.pictures",
    "reading.reader",
    "reading.recogniser",
    "reading.search",
    "reading.segmentation",
    "runs.engines",
    "runs.history",
    "runs.recipes",
    "runs.run",
    "runs.scheduler",
    "runs.sweep",
    "runs.sweep_spec",
    "runs.workers",
    "runtime",
    "serving.app",
    "serving.connections",
    "serving.inference_protocol",
    "serving.openapi",
    "serving.problems",
    "serving.requests",
    "serving.site",
    "serving.static_files",
    "serving.telemetry",
    "studies.comparison",
    "studies.comparison_page",
    "studies.comparison_runs",
    "studies.comparison_text",
    "studies.ensemble",
    "studies.gallery",
    "studies.measure",
    "studies.suspects",
    "terminal",
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
