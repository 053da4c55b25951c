"""Where every benchmark leaves its results, as JSON lines."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"

Lines = Sequence[dict[str, Any]]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; none when there is no such file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
