"""Opens the test set, once everything is decided: a calibrated network -> all that is reported."""

import platform
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from digits.data.mnist import Dataset
from digits.evaluation import Evaluation, evaluate
from digits.reporting.report import metrics_of
from digits.runs.recipes import Recipe
from digits.training import dataset
from digits.training.calibration import Trained
from digits.training.networks.size import mflop

LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "sklearn", "PIL", "matplotlib", "seaborn")
NON_DIGITS = 1000  # on which refusal is measured


def measure(trained: Trained, recipe: Recipe, data: Dataset) -> tuple[Evaluation, dict[str, Any]]:
    """Measures a network once on the test digits, when everything is decided.

    Args:
        trained: from `calibrate`.
        recipe: that it was trained with.
        data: what to train on, and to measure on once.

    Returns:
        the evaluation on the test digits, and the content of metrics.json without the time of the
            whole command, which has not ended.
    """
    answers = trained.read(data.test_images)
    test = evaluate(data.test_labels, answers["probabilities"])
    return test, {
        **metrics_of(test),
        "parameters": trained.model.count_params(),
        "mflop": mflop(trained.model),
        "outputs": trained.outputs,
        "temperature": trained.temperature,
        "threshold": trained.threshold,
        **(_acceptance(trained, answers["is_digit"], recipe.seed) if data.digits else {}),
        "validation_accuracy": trained.history[-1].validation_accuracy,
        "train_seconds": sum(epoch.seconds for epoch in trained.history),
        "peak_memory_mb": _peak_memory_mb(),
        "seed": recipe.seed,
        "recipe": asdict(recipe),
        "data_source": data.source,
        **({"own_data": asdict(data.own)} if data.own else {}),
        **({"drawn_from": dataset.drawn_from(recipe)} if data.digits else {}),
        "cores": trained.cores,
        "versions": {"python": platform.python_version()}
        | {name: import_module(name).__version__ for name in LIBRARIES},
    }


def _acceptance(trained: Trained, is_digit: Any, seed: int) -> dict[str, float]:
    """The fractions of the test digits, and of drawn non-digits, that are accepted as digits."""
    strange = dataset.non_digits(NON_DIGITS, *trained.validation, seed + 1)
    mistaken = trained.read(strange)["is_digit"] >= trained.threshold
    return {
        "test_accepted": float(np.mean(is_digit >= trained.threshold)),
        "non_digits_accepted": float(np.mean(mistaken)),
    }


def _peak_memory_mb() -> float | None:
    """Peak resident memory of this process in MiB; None on Windows, which does not report it."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `getrusage` counts the process that started this one, too
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS: in bytes
