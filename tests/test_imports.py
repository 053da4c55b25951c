"""The two halves meet only at the bundle: only the modules listed import the training libraries.

The contracts in pyproject.toml check what modules import anywhere in their code; here they are
imported for real.
"""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import digits

HEAVY = (
    "tensorflow", "keras", "matplotlib", "sklearn", "scipy", "seaborn", "cleanlab", "pandas", "ray",
    "filelock", "rich",
)  # fmt: skip
TRAINING_SIDE = (  # modules that import one of these when they are imported
    "digits.training.",
    "digits.reporting.plots",
    "digits.studies.cross_validation",
    "digits.studies.distillation",
    "digits.data.corruptions",
    "digits.data.pens",
)
MODULES = sorted(module.name for module in pkgutil.walk_packages(digits.__path__, "digits."))
LIGHT = [name for name in MODULES if not name.startswith(TRAINING_SIDE)]


def test_modules_are_found() -> None:
    """Or the tests below would pass for want of modules."""
    assert {"digits.cli", "digits.pictures.masks", "digits.serving.app"} < {*LIGHT}
    assert "digits.training.train" in {*MODULES} - {*LIGHT}


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_stay_light(module: str) -> None:
    program = f"import sys, {module}; print([x for x in {HEAVY} if x in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr


def test_no_import_prints_or_writes(tmp_path: Path) -> None:
    program = f"import {', '.join(LIGHT)}"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert found.stdout == found.stderr == ""
    assert list(tmp_path.iterdir()) == []
