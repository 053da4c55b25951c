"""What `digits models` says about each recipe: from the result files into a file of the package,
since an installed package has no result files."""

import json
import statistics

from benchmarks import RESULTS_FOLDER, records
from benchmarks.fill.blocks import every_run, of_mnist
from digits import bundle
from digits.commands.models import RECORDED
from digits.runs.recipes import RECIPES

FILE = RECORDED


def content() -> str:
    """The content of the file; the figures of the recipe `reader` are those of the model that
    ships."""
    timed, others = (of_mnist(RESULTS_FOLDER / f"{of}.jsonl") for of in ("training", "records"))
    by_recipe = records.by_recipe(every_run(timed, others))
    manifest = bundle.read().manifest
    by_recipe[manifest["recipe"]["name"]] = [manifest["metrics"]]
    found = {}
    for name in RECIPES:
        runs = by_recipe[name]
        accuracies = [run["test_accuracy"] for run in runs]
        found[name] = {
            "parameters": runs[0]["parameters"],
            "mflop": round(runs[0]["mflop"], 3),
            "accuracy": round(statistics.fmean(accuracies), 6),
            "sd": round(statistics.stdev(accuracies), 6) if len(accuracies) > 1 else None,
            "seeds": len(accuracies),
        }
    return json.dumps(found, indent=2) + "\n"
