"""One command for each claim; each writes its results as JSON lines into results/.

`ablation/`, `textbook/` and `fill/` are commands of several modules. `harness/` is how measurements
are run and kept, and `handwriting/` is what the reading benchmarks read.
"""

from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS_FOLDER = ROOT / "benchmarks" / "results"
