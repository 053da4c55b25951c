"""The two halves meet only at the bundle: only the modules listed import the training libraries.

The contracts in pyproject.toml check what modules import anywhere in their code; here they are
imported for real.
"""

import pkgutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import digits
from digits.reading.page import Page, Reading

HEAVY = (
    "tensorflow", "keras", "matplotlib", "sklearn", "scipy", "seaborn", "cleanlab", "pandas", "ray",
    "filelock", "rich",
)  # fmt: skip
TRAINING_SIDE = (  # modules that import one of these when they are imported
    "digits.training.",
    "digits.reporting.plots",
    "digits.studies.cross_validation",
    "digits.studies.distillation",
    "digits.studies.recipe_times",
    "digits.studies.teaching.",
    "digits.data.corruptions",
    "digits.data.lines.drawing",
    "digits.data.pens",
)
MODULES = sorted(module.name for module in pkgutil.walk_packages(digits.__path__, "digits."))
LIGHT = [name for name in MODULES if not name.startswith(TRAINING_SIDE)]


def test_modules_are_found() -> None:
    """Or the tests below would pass for want of modules."""
    assert {"digits.cli", "digits.pictures.masks", "digits.serving.app"} < {*LIGHT}
    assert "digits.training.train" in {*MODULES} - {*LIGHT}


def test_light_modules_stay_light_and_neither_print_nor_write(tmp_path: Path) -> None:
    """All in one process, one after another: the first that is not light is named."""
    program = f"""
import importlib, sys
for module in {LIGHT}:
    importlib.import_module(module)
    found = [name for name in {HEAVY} if name in sys.modules]
    assert not found, (module, found)
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert (found.stdout, found.stderr, found.returncode) == ("", "", 0)
    assert list(tmp_path.iterdir()) == []


def test_the_package_shows_what_scripts_need() -> None:
    assert digits.__version__ == version("mnist-classification")
    assert digits.Page is Page
    assert digits.Reading is Reading
    assert issubclass(digits.DigitsError, Exception)
    assert set(digits.__all__) <= set(dir(digits))
    with pytest.raises(AttributeError, match="has no attribute 'Writer'"):
        _ = digits.Writer  # type: ignore[attr-defined]  # checkers see it too
    assert (Path(digits.__file__).parent / "py.typed").exists()
