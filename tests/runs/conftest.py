"""A sweep of the smallest runs that have everything."""

from pathlib import Path

import pytest
from processes import TINY


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A file that asks for two runs."""
    path = tmp_path / "spec.txt"
    path.write_text(f"# two seeds\n{' '.join(TINY)} --seed 1..2\n")
    return path
