"""Where every benchmark leaves its results, as JSON lines, and what they all compute of them."""

import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"

Lines = Sequence[dict[str, Any]]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; none when there is no such file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean by Student's t, from at least two values."""
    from scipy.stats import t as student_t  # which most benchmarks do without

    centre, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    margin = float(student_t.ppf(0.975, len(values) - 1)) * error
    return centre - margin, centre + margin
