"""Pictures that people put beside their own readers: of one digit, of several, and of none."""

import json
from pathlib import Path

from benchmarks.harness.json_lines import Line
from digits.evaluation import wilson_interval
from digits.reading.reader import Reader


def measure(reader: Reader, folder: Path, limit: int | None) -> list[Line]:
    """A line for each kind: how many pictures are right, every line of them, and nothing else.

    Args:
        reader: reads them.
        folder: of the pictures, with their truth.json.
        limit: how many of each kind, from the first on; None is all.
    """
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    of_kind: dict[str, list[bool]] = {"one": [], "several": [], "none": []}
    for picture in truth:
        count = len("".join(picture["lines"]))
        right = of_kind["none" if not count else "one" if count == 1 else "several"]
        if limit is None or len(right) < limit:
            lines = reader.read(folder / picture["file"]).lines
            right.append(list(lines) == picture["lines"])
    return [
        {
            "set": f"pictures_{kind}",
            "n": len(right),
            "accuracy": sum(right) / len(right),
            "interval": list(wilson_interval(sum(right), len(right))),
        }
        for kind, right in of_kind.items()
    ]
