"""What `digits teach` brings to real writers: the 30 of the UCI Pendigits set.

    DIGITS_HANDWRITING=DIR python -m benchmarks.teach    writes benchmarks/results/teach.jsonl
    python -m benchmarks.teach --summary                 prints what was found

A model is taught with five of each digit of one writer, and measured on that writer's others: of
the ten writers who are read worst, and of ten at random. MNIST's test digits are measured before
and after. Then the command itself is timed, with 50 pictures. It takes about three minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import RESULTS_FOLDER, ROOT
from benchmarks.handwriting import evaluation_sets
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, Lines
from digits import bundle
from digits.data.mnist import Bytes, Mnist
from digits.errors import DigitsError
from digits.reading.reader import Reader

RESULTS = RESULTS_FOLDER / "teach.jsonl"
SEED = 1
WRITERS = 10  # of each group
TAUGHT = 5  # of each digit
GROUPS = {"worst": "the ten writers who are read worst", "random": "ten writers at random"}


def main() -> int:
    parser = command_line.parser(__doc__, RESULTS)
    command_line.add_data_flag(parser, only_mnist=True)  # what is lost is counted on its digits

    def run(arguments: argparse.Namespace) -> list[Line]:
        return measure(command_line.given_data(parser, arguments), arguments.data)

    return command_line.main(parser, run, summary)


def measure(mnist: Mnist, data: Path | None) -> list[Line]:
    """Teaches each writer in turn, and then times the command, which finds MNIST or is told where
    it is."""
    from digits.studies.teaching.last_layers import LastLayers, answers
    from digits.studies.teaching.teaching import Lesson, Others
    from digits.training.exporting import export
    from digits.training.train import use_cores

    file = np.load(evaluation_sets.folder() / "pendigits_strokes.npz")
    writers, labels = file["writer"], file["labels"]
    canvases = list(evaluation_sets.stroke_canvases(file, None))
    reader = Reader()
    framed = [reader.outputs("canvas", canvas)["digit"][0] for canvas in canvases]
    images = np.rint(np.array(framed)).astype(np.uint8)
    last = LastLayers.of(export.loaded(bundle.read(), "model.keras"), use_cores())
    others, of_images, of_mnist = (
        Others.prepare(last, mnist),
        last.features(images),
        last.features(mnist.test_images),
    )
    wrong = answers(last.weights, of_images)[0].argmax(axis=1) != labels
    mnist_before = _misread(answers(last.weights, of_mnist)[0], mnist.test_labels)
    lines: list[Line] = []
    for group, chosen in _groups(writers, wrong).items():
        for writer in chosen:
            taught, rest = _split(np.flatnonzero(writers == writer), labels, writer)
            lesson = Lesson.of(last, others, images[taught], labels[taught])
            weights = lesson.learn(np.arange(len(taught)))
            after = answers(weights, [one[rest] for one in of_images])[0]
            lines.append(
                {
                    "group": group,
                    "writer": int(writer),
                    "taught": len(taught),
                    "n": len(rest),
                    "before": int(wrong[rest].sum()),
                    "after": _misread(after, labels[rest]),
                    "mnist_before": mnist_before,
                    "mnist_after": _misread(answers(weights, of_mnist)[0], mnist.test_labels),
                }
            )
            print(lines[-1], flush=True)
    worst = next(line["writer"] for line in lines)
    taught, _rest = _split(np.flatnonzero(writers == worst), labels, worst)
    lines.append(_timed([canvases[i] for i in taught], labels[taught], data))
    return lines


def _groups(writers: NDArray[np.int16], wrong: NDArray[np.bool_]) -> dict[str, list[int]]:
    everyone = np.unique(writers)
    order = sorted(everyone.tolist(), key=lambda writer: -wrong[writers == writer].mean())
    rng = np.random.default_rng(SEED)
    return {"worst": order[:WRITERS], "random": rng.permutation(everyone)[:WRITERS].tolist()}


def _split(
    own: NDArray[np.int64], labels: Bytes, writer: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A writer's digits to teach with, and the others."""
    rng = np.random.default_rng([SEED, writer])
    of_digits = [rng.permutation(own[labels[own] == digit])[:TAUGHT] for digit in range(10)]
    taught = np.concatenate(of_digits)
    return taught, np.setdiff1d(own, taught)


def _misread(probabilities: NDArray[np.float32], labels: Bytes) -> int:
    return int((probabilities.argmax(axis=1) != labels).sum())


def _timed(canvases: Sequence[Bytes], labels: Bytes, data: Path | None) -> Line:
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "mine"
        for number, (canvas, label) in enumerate(zip(canvases, labels, strict=True)):
            (pictures / str(label)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(255 - canvas).save(pictures / str(label) / f"{number}.png")
        command = [sys.executable, "-m", "digits.cli", "teach", str(pictures), "--anyway"]
        command += command_line.data_flags(data)
        started = time.monotonic()
        done = subprocess.run(
            [*command, "--out", str(Path(folder) / "model")],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - started
    if done.returncode:
        raise DigitsError(f"{' '.join(command)} failed; see its message above.")
    return {"what": "time", "pictures": len(labels), "seconds": seconds, "cores": os.cpu_count()}


def groups(lines: Lines) -> dict[str, Line]:
    """For each group: the writers' errors on the others of their digits, before and after."""
    found: dict[str, Line] = {}
    for group in GROUPS:
        own = [line for line in lines if line.get("group") == group]
        sums = {key: sum(line[key] for line in own) for key in ("n", "before", "after")}
        lost = [line["mnist_after"] - line["mnist_before"] for line in own]
        found[group] = {
            **sums,
            "writers": len(own),
            "ratio": sums["after"] / max(sums["before"], 1),
            "mean_lost": sum(lost) / len(lost),
            "most_lost": max(lost),
        }
    return found


def summary(lines: Lines) -> str:
    """What was found, for the terminal."""
    text = [
        f"{GROUPS[name]}: of {of['n']:,} digits {of['before']} misread before and {of['after']} "
        f"after, {of['ratio']:.2f} of them; of MNIST's 10,000 test digits {of['mean_lost']:+.1f} "
        f"in the mean, {of['most_lost']:+d} at most"
        for name, of in groups(lines).items()
    ]
    (clock,) = (line for line in lines if line.get("what") == "time")
    text.append(f"digits teach with {clock['pictures']} pictures: {clock['seconds']:.0f} s")
    return "\n".join(text)


if __name__ == "__main__":
    sys.exit(main())
