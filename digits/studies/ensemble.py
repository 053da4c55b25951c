"""Networks of one recipe that differ in their seed -> the mean of their answers, in one network.

The members are runs of a sweep in `members/`. Their mean is measured once on the test digits, and
distilled into one network; that is bundled if on the validation digits it keeps the gain, and
otherwise the best member is.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.data.mnist import Bytes, Mnist
from digits.errors import DigitsError, Interrupted
from digits.evaluation import cross_entropy, evaluate, fit_temperature, softmax
from digits.reporting import report
from digits.runs import processes, sweep
from digits.runs import run as runs
from digits.runs.history import write_csv
from digits.runs.recipes import Recipe
from digits.runs.run import Run
from digits.runs.scheduler import handling_signals, train_all
from digits.terminal import importing_tensorflow, needing, say

MEMBERS = "members"  # folder of the members' runs
STUDENT = "student"  # and of what is distilled from them
TINY = 1e-30  # a probability to take the logarithm of in place of 0
ON_TEST = ("test_accuracy", "test_accuracy_interval", "test_errors", "test_loss", "ece")

Answers = Mapping[str, NDArray[np.float32]]


def begin(recipe: Recipe, count: int, out: Path | None = None) -> Run:
    """Makes the folder of an ensemble, or finds the one that the same command made.

    Args:
        recipe: of the first member; each of the others has the next seed.
        count: how many members, at least 2.
        out: the folder: new, empty, one that holds members alone (as a sweep on a cluster leaves
            them), or that of this very ensemble; default a fresh `runs/<recipe>-<time>`.

    Raises:
        DigitsError: as for `runs.create`, or a count below 2, or that ensemble is finished.
    """
    if count < 2:
        raise DigitsError(f"--ensemble must be at least 2, not {count}.")
    if out is not None and runs.find(out) == Run(out, recipe, count):
        return runs.reopen(out)
    if out is not None and out.is_dir() and [path.name for path in out.iterdir()] == [MEMBERS]:
        runs.write_plan(Run(out, recipe, count))
        return Run(out, recipe, count)
    return runs.create(recipe, out, count)


def train(ensemble: Run, mnist: Mnist, data: Path | None, started: float) -> None:
    """Trains what is missing of an ensemble, and leaves everything about it in its folder.

    Args:
        ensemble: from `begin`.
        mnist: all of MNIST.
        data: where it is, as for `digits train --data`.
        started: as for `pipeline.train_and_report`.

    Raises:
        DigitsError: a member failed, or as for `pipeline.train_and_report`.
        KeyboardInterrupt: Ctrl-C; what is finished is kept.
    """
    assert ensemble.members is not None
    first = ensemble.recipe
    recipes = [replace(first, seed=first.seed + place) for place in range(ensemble.members)]
    members = sweep.plan(recipes, ensemble.folder / MEMBERS)
    with sweep.locked(ensemble.folder / MEMBERS):
        with processes.engine(data=data) as engine, handling_signals():
            failures = train_all(members, engine)
        for member, reason in failures.items():
            raise DigitsError(
                f"{len(failures)} of {len(members)} members failed; {member.name} failed: {reason} "
                "The same command tries them again."
            )
        try:
            _unite(ensemble, members, mnist, started)
        except Interrupted:
            raise KeyboardInterrupt from None


def mean_of(answers: Sequence[Answers]) -> Answers:
    """The mean of what networks answer, output by output."""
    return {name: np.mean([of[name] for of in answers], axis=0) for name in answers[0]}


def tempered(answers: Answers, temperature: float) -> Answers:
    """Answers whose probabilities are as if all logits had been divided by a temperature, since
    the mean of networks that are as sure as right is less sure (Rahaman & Thiery 2021)."""
    logits = np.log(answers["probabilities"] + TINY) / temperature
    return {**answers, "probabilities": softmax(logits)}


def keeps_the_gain(student: float, ensemble: float, members: float) -> bool:
    """Whether the student is bundled, by validation cross-entropies in nats: if its own is nearer
    to the ensemble's than to the members' mean. Said in advance, so that no result decides it."""
    return student < (ensemble + members) / 2


def _unite(ensemble: Run, members: Sequence[Run], mnist: Mnist, started: float) -> None:
    """Averages members, distils their mean, decides what is bundled, measures, and reports."""
    with needing("training"), importing_tensorflow():
        import keras

        from digits.studies import distillation
        from digits.training import dataset, pipeline
        from digits.training.calibration import Trained
        from digits.training.models import predictor
        from digits.training.train import use_cores

    cores = use_cores()
    recipe = ensemble.recipe
    (images, _), validation = dataset.prepare(recipe, mnist)
    networks = [keras.models.load_model(member.network) for member in members]
    readers = [predictor(network, cores) for network in networks]

    def mean(images: Bytes) -> Answers:
        return mean_of([read(images) for read in readers])

    say(f"All {len(members)} are trained; now their mean is distilled into one network.")
    student_run = Run(ensemble.folder / STUDENT, distillation.student_of(recipe))
    student_run.folder.mkdir(exist_ok=True)
    lessons = distillation.lessons(recipe, images, mean, student_run.folder, sys.stderr.isatty())
    student = pipeline.fit(student_run, lessons, validation, cores)

    images, labels = validation
    temperature = fit_temperature(labels, np.log(mean(images)["probabilities"] + TINY))

    def calibrated_mean(images: Bytes) -> Answers:
        return tempered(mean(images), temperature)

    recorded = [member.metrics() for member in members]
    figures: dict[str, Any] = {
        "mean": {"temperature": temperature} | _on_validation(validation, calibrated_mean),
        "student": _on_validation(validation, student.read),
        "members": [
            {name: metrics[name] for name in ("seed", "train_seconds", *ON_TEST)}
            | _on_validation(validation, read)
            for metrics, read in zip(recorded, readers, strict=True)
        ],
    }
    best, figures["bundled"] = _choose(figures)
    bundled = student
    if best is not None:
        bundled = Trained(
            networks[best],
            readers[best],
            members[best].history(),
            validation,
            recorded[best]["temperature"],
            figures["members"][best]["validation_loss"],
            recorded[best]["threshold"],
        )

    # All is decided. Here, and for the bundled network below, the test set is opened.
    for name, read in (("mean", calibrated_mean), ("student", student.read)):
        test = evaluate(mnist.test_labels, read(mnist.test_images)["probabilities"])
        figures[name] |= {key: report.metrics_of(test)[key] for key in ON_TEST}
    write_csv(bundled.history, ensemble.folder / "history.csv")
    more = {"ensemble": figures}
    pipeline.finish(bundled, ensemble, mnist, cores, started, more)
    for answers in student_run.folder.glob("answers-*"):  # not needed any more
        answers.unlink()


def _on_validation(
    validation: tuple[Bytes, Bytes], read: Callable[[Bytes], Answers]
) -> dict[str, Any]:
    images, labels = validation
    probabilities = read(images)["probabilities"]
    return {
        "validation_accuracy": float(np.mean(probabilities.argmax(axis=1) == labels)),
        "validation_loss": cross_entropy(labels, probabilities),
    }


def _choose(figures: dict[str, Any]) -> tuple[int | None, str]:
    """Which member is bundled, None if the student is, and a sentence that says why."""
    losses = [member["validation_loss"] for member in figures["members"]]
    student, together = (figures[name]["validation_loss"] for name in ("student", "mean"))
    average, best = float(np.mean(losses)), int(np.argmin(losses))
    keeps = keeps_the_gain(student, together, average)
    kept = "the distilled network is bundled, which keeps the gain"
    if not keeps:
        seed = figures["members"][best]["seed"]
        kept = f"the best member, seed {seed}, is bundled, since distilling lost the gain"
    return None if keeps else best, (
        f"By validation cross-entropy {kept}: distilled {student:.4f}, ensemble {together:.4f}, "
        f"members on average {average:.4f}."
    )
