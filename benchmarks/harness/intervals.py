"""Confidence intervals of means over seeds."""

import math
import statistics
from collections.abc import Sequence


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95% interval of a mean by Student's t, from at least two values."""
    from scipy.stats import t as student_t  # slow to import, and most benchmarks do not need it

    centre, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    margin = float(student_t.ppf(0.975, len(values) - 1)) * error
    return centre - margin, centre + margin
