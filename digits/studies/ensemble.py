"""Networks of one recipe that differ in their seed -> the mean of their answers, in one network.

The members are runs of a sweep in `members/`. Their mean is measured once on the test digits, and
distilled into one network, the student. The student is bundled if it keeps the gain on the
validation digits, otherwise the best member.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.data.mnist import Bytes, Dataset, Own
from digits.errors import DigitsError, Interrupted
from digits.evaluation import cross_entropy, evaluate, fit_temperature, softmax
from digits.reporting import report
from digits.runs import network_file, processes, sweep
from digits.runs import run as runs
from digits.runs.recipes import Recipe
from digits.runs.run import Run
from digits.runs.scheduler import train_all
from digits.terminal import importing_tensorflow, say

MEMBERS, STUDENT = "members", "student"  # folders of their runs
TINY = 1e-30  # added to probabilities before the logarithm
ON_TEST = ("test_accuracy", "test_accuracy_interval", "test_errors", "test_loss", "ece")

Answers = Mapping[str, NDArray[np.float32]]


def begin(recipe: Recipe, count: int, out: Path | None, data: Own | None = None) -> Run:
    """Makes the folder of an ensemble, or finds the one that the same command made.

    It has `count` members; the recipe is that of the first, and each of the others has the next
    seed. `out` is new, empty, holds members only (as a sweep on a cluster leaves them), or is of
    this very ensemble; by default, it is a new `runs/<recipe>-<time>`. `data` is what it is trained
    on, if that is not MNIST. Raises DigitsError as `runs.create` does, and if there are fewer than
    2 members or the ensemble is finished.
    """
    if count < 2:
        raise DigitsError(f"--ensemble must be at least 2, not {count}.")
    if out is not None:
        ensemble = Run(out, recipe, count, data)
        there = runs.find(out)
        if there == ensemble:
            return runs.reopen(out)
        of_file = replace(there.recipe, network_sha256=recipe.network_sha256) if there else None
        if there and there.recipe != recipe == of_file:
            raise DigitsError(
                f"{network_file.file_of(recipe.network)} has changed since the ensemble in {out} "
                f"began; go on with its own copy by --resume {out}, or choose another --out."
            )
        if out.is_dir() and [path.name for path in out.iterdir()] == [MEMBERS]:
            runs.write_plan(ensemble)
            return ensemble
    return runs.create(recipe, out, count, data=data)


def train(ensemble: Run, data: Dataset, path: Path | None, started: float) -> None:
    """Trains the missing members, then the student, and writes the report into the folder.

    `path` is as for `digits train --data`, and `started` as for `pipeline.train_and_report`. Raises
    DigitsError as that does, and if a member failed; KeyboardInterrupt at Ctrl-C, which keeps what
    is finished.
    """
    assert ensemble.members is not None
    first = ensemble.recipe
    recipes = [replace(first, seed=first.seed + place) for place in range(ensemble.members)]
    members = sweep.plan(recipes, ensemble.folder / MEMBERS, ensemble.data)
    with sweep.locked(ensemble.folder / MEMBERS):
        with processes.engine(data=path) as engine:
            failures = train_all(members, engine, ensemble.network_file)
        for member, reason in failures.items():
            raise DigitsError(
                f"{len(failures)} of {len(members)} members failed; {member.name} failed: {reason} "
                "The same command tries them again."
            )
        try:
            _unite(ensemble, members, data, started)
        except Interrupted:
            raise KeyboardInterrupt from None


def mean_of(answers: Sequence[Answers]) -> Answers:
    """The mean of several networks' answers, output by output."""
    return {name: np.mean([of[name] for of in answers], axis=0) for name in answers[0]}


def tempered(answers: Answers, temperature: float) -> Answers:
    """Answers with probabilities as if all logits had been divided by a temperature: the mean of
    calibrated networks is underconfident (Rahaman & Thiery 2021)."""
    logits = np.log(answers["probabilities"] + TINY) / temperature
    return {**answers, "probabilities": softmax(logits)}


def keeps_the_gain(student: float, ensemble: float, members: float) -> bool:
    """Whether the student is bundled, by validation cross-entropy in nats: its own must be nearer
    to the ensemble's than to the members' mean. The rule was fixed before any result was known."""
    return student < (ensemble + members) / 2


def _unite(ensemble: Run, members: Sequence[Run], data: Dataset, started: float) -> None:
    """Distils the members' mean, chooses what is bundled, measures it, and writes the report."""
    with importing_tensorflow():
        import keras

        from digits.studies import distillation
        from digits.training import dataset, pipeline
        from digits.training.networks.models import predictor
        from digits.training.train import use_cores

    cores = use_cores()
    recipe = ensemble.recipe
    (images, _), validation = dataset.prepare(recipe, data)
    networks = [keras.models.load_model(member.network) for member in members]
    readers = [predictor(network, cores) for network in networks]

    def mean(images: Bytes) -> Answers:
        return mean_of([read(images) for read in readers])

    say(f"All {len(members)} members are trained. Their mean is distilled into one network.")
    student_run = Run(ensemble.folder / STUDENT, distillation.student_of(recipe))
    student_run.folder.mkdir(exist_ok=True)
    for name, content in runs.kept_files(recipe, ensemble.network_file).items():
        (student_run.folder / name).write_bytes(content)
    lessons = distillation.lessons(recipe, images, mean, student_run.folder)
    student = pipeline.fit(student_run, lessons, validation, cores)

    images, labels = validation
    of_members = [read(images) for read in readers]
    of_mean = mean_of(of_members)
    temperature = fit_temperature(labels, np.log(of_mean["probabilities"] + TINY))

    def on_validation(answers: Answers) -> dict[str, float]:
        probabilities = answers["probabilities"]
        return {
            "validation_accuracy": float(np.mean(probabilities.argmax(axis=1) == labels)),
            "validation_loss": cross_entropy(labels, probabilities),
        }

    recorded = [member.metrics() for member in members]
    figures: dict[str, Any] = {
        "mean": {"temperature": temperature} | on_validation(tempered(of_mean, temperature)),
        "student": on_validation(student.read(images)),
        "members": [
            {name: metrics[name] for name in ("seed", "train_seconds", *ON_TEST)}
            | on_validation(answers)
            for metrics, answers in zip(recorded, of_members, strict=True)
        ],
    }
    best, figures["bundled"] = choose(figures)
    bundled = student
    if best is not None:
        bundled = replace(
            student,
            model=networks[best],
            read=readers[best],
            history=members[best].history(),
            temperature=recorded[best]["temperature"],
            calibrated_loss=figures["members"][best]["validation_loss"],
            threshold=recorded[best]["threshold"],
        )

    # Everything is decided. Here, and for the bundled network below, the test set is opened.
    on_test = {
        "mean": tempered(mean(data.test_images), temperature),
        "student": student.read(data.test_images),
    }
    for name, answers in on_test.items():
        metrics = report.metrics_of(evaluate(data.test_labels, answers["probabilities"]))
        figures[name] |= {key: metrics[key] for key in ON_TEST}
    pipeline.finish(bundled, ensemble, data, started, {"ensemble": figures})
    for kept in student_run.folder.glob("answers-*"):  # not needed any more
        kept.unlink()


def choose(figures: dict[str, Any]) -> tuple[int | None, str]:
    """The index of the member that is bundled, None for the student, and a sentence that says why.

    The figures have the `validation_loss` of the `mean`, of the `student` and of each of the
    `members`, which also have a `seed`.
    """
    losses = [member["validation_loss"] for member in figures["members"]]
    student, mean = (figures[name]["validation_loss"] for name in ("student", "mean"))
    average = float(np.mean(losses))
    best: int | None = None
    kept = "the distilled network is bundled, which keeps the gain"
    if not keeps_the_gain(student, mean, average):
        best = int(np.argmin(losses))
        seed = figures["members"][best]["seed"]
        kept = f"the best member, seed {seed}, is bundled, since distilling lost the gain"
    return best, (
        f"By validation cross-entropy, {kept}: distilled {student:.4f}, ensemble {mean:.4f}, "
        f"members on average {average:.4f}."
    )
