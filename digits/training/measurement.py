"""Opens the test set, once everything is decided: a calibrated network -> all that is reported."""

import platform
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from digits.data.mnist import Mnist
from digits.evaluation import Evaluation, evaluate
from digits.reporting.report import metrics_of
from digits.runs.recipes import Recipe
from digits.training import dataset
from digits.training.calibration import Trained
from digits.training.size import mflop

LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "sklearn", "PIL", "matplotlib", "seaborn")
NON_DIGITS = 1000  # on which refusal is measured


def measure(trained: Trained, recipe: Recipe, mnist: Mnist) -> tuple[Evaluation, dict[str, Any]]:
    """Measures a network once on the test digits, when everything is decided.

    Args:
        trained: from `calibrate`.
        recipe: that it was trained with.
        mnist: all of MNIST.

    Returns:
        the evaluation on the test digits, and the content of metrics.json without the time of the
            whole command, which has not ended.
    """
    answers = trained.read(mnist.test_images)
    test = evaluate(mnist.test_labels, answers["probabilities"])
    strange = dataset.non_digits(NON_DIGITS, *trained.validation, recipe.seed + 1)
    mistaken = trained.read(strange)["is_digit"] >= trained.threshold
    return test, {
        **metrics_of(test),
        "parameters": trained.model.count_params(),
        "mflop": mflop(trained.model),
        "outputs": trained.outputs,
        "temperature": trained.temperature,
        "threshold": trained.threshold,
        "test_accepted": float(np.mean(answers["is_digit"] >= trained.threshold)),
        "non_digits_accepted": float(np.mean(mistaken)),
        "validation_accuracy": trained.history[-1].validation_accuracy,
        "train_seconds": sum(epoch.seconds for epoch in trained.history),
        "peak_memory_mb": _peak_memory_mb(),
        "seed": recipe.seed,
        "recipe": asdict(recipe),
        "data_source": mnist.source,
        "drawn_from": dataset.drawn_from(recipe),
        "cores": trained.cores,
        "versions": {"python": platform.python_version()}
        | {name: import_module(name).__version__ for name in LIBRARIES},
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
