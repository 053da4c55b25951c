"""Files of JSON lines, in which benchmarks keep their results."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Line = dict[str, Any]
Lines = Sequence[Line]


def read_lines(path: Path) -> list[Line]:
    """The objects in a file of JSON lines; none if there is no such file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    """Replaces a file, and makes its folder if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def append_line(path: Path, line: Line) -> None:
    """Adds one object at the end of a file."""
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
