"""Images a second that two workers train on, one core each, beside one process on one core.

    python -m benchmarks.workers               writes benchmarks/results/workers.jsonl
    python -m benchmarks.workers --summary     prints what was measured

Each is `digits train` as a user runs it; the workers are joined by `--workers` over loopback. The
first epoch does not count, since it also builds the graph; each of the others ends with the
validation digits, on every worker. Two independent processes, each with whole batches, show what
two cores of this machine can do at most. One of the networks takes much computing for each weight,
and the other little: the work that half a batch does not halve (steps of Adam, messages) grows with
the number of weights. Run nothing else meanwhile. It takes a quarter of an hour on two cores.
"""

import json
import os
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import RESULTS_FOLDER
from benchmarks.harness import command_line, interleaving
from benchmarks.harness.json_lines import Line, Lines
from digits.runs.history import read_history
from digits.runs.recipes import TRAINING_IMAGES, Recipe

RESULTS = RESULTS_FOLDER / "workers.jsonl"
RECIPES = ("vgg", "default")
WORKERS, ONE, APART = "two workers", "one process", "two processes apart"  # in the results too
EPOCHS = 3


def ways() -> list[str]:
    """All that is measured, as `measure` takes it."""
    return [f"{recipe}, {way}" for recipe in RECIPES for way in (WORKERS, ONE, APART)]


def measure(named: str, data: Path | None) -> Line:
    """Trains in one of the ways, with MNIST found or downloaded, or at a path.

    Returns:
        the mean `seconds` of all epochs but the first, in proportion to the images that one process
        trains on in an epoch, and what says how they were measured.
    """
    recipe, way = named.split(", ")
    flags = ["--recipe", recipe, "--epochs", str(EPOCHS)]
    given = command_line.data_flags(data)
    cores = sorted(os.sched_getaffinity(0))
    count = 1 if way == ONE else 2
    team = ",".join(free_addresses(count))
    processes = []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
        outs = [Path(folder) / "run", Path(folder) / "other"]
        command = [sys.executable, "-m", "digits.cli", "train", *flags, *given, "--out"]
        try:
            for index in range(count):
                own = ["taskset", "--cpu-list", str(cores[index]), *command, str(outs[index])]
                of_team = ["--workers", team, "--index", str(index)] if way == WORKERS else []
                processes.append(
                    subprocess.Popen(
                        [*own, *of_team],
                        stdout=subprocess.DEVNULL,
                        stderr=errors,
                    )
                )
            statuses = [process.wait() for process in processes]
        finally:
            for process in processes:  # do not leave them behind when interrupted
                process.kill()
                process.wait()
        if any(statuses):
            errors.seek(0)
            sys.exit(f"{shlex.join(command)} failed with status {statuses}:\n{errors.read()}")
        metrics = json.loads((outs[0] / "metrics.json").read_text())
        epochs = [epoch.seconds for out in outs for epoch in read_history(out)[1:]]
    return {
        "seconds": statistics.fmean(epochs) / (2 if way == APART else 1),
        "epochs": epochs,
        "images": images_of(Recipe(**metrics["recipe"])),
        "flags": shlex.join(flags),
        "test_accuracy": metrics["test_accuracy"],
        "versions": metrics["versions"],
    }


def free_addresses(count: int) -> list[str]:
    """Addresses on this machine that are not in use."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [f"localhost:{one.getsockname()[1]}" for one in sockets]
    finally:
        for one in sockets:
            one.close()


def images_of(recipe: Recipe) -> int:
    """How many images an epoch trains on, drawn ones included, in whole batches."""
    images = TRAINING_IMAGES - recipe.held_out + recipe.variants + recipe.non_digits
    return images // recipe.batch * recipe.batch


def times(lines: Lines, recipe: str, way: str) -> float:
    """The images a second of one of the ways, as a multiple of one process's."""
    one, other = (interleaving.mean_seconds(lines, f"{recipe}, {which}") for which in (ONE, way))
    return one / other


def summary(lines: Lines) -> str:
    """The images a second of one process, and the other ways as multiples of it."""
    text = []
    for recipe in RECIPES:
        of_one = f"{recipe}, {ONE}"
        images = next(line["images"] for line in lines if line["way"] == of_one)
        text.append(
            f"{of_one}: {images / interleaving.mean_seconds(lines, of_one):,.0f} images a second; "
            f"two workers: {times(lines, recipe, WORKERS):.2f} times as many, "
            f"two independent processes: {times(lines, recipe, APART):.2f} times as many"
        )
    return "\n".join(text)


def main() -> None:
    parser = interleaving.parser(__doc__, RESULTS)
    command_line.add_data_flag(parser, only_mnist=True)  # an epoch has as many images as MNIST's
    arguments = parser.parse_args()
    if not arguments.summary:
        command_line.given_data(parser, arguments)  # what is wrong with them is said at once

    def measured(way: str) -> Line:
        return measure(way, arguments.data)

    interleaving.take_turns(arguments, ways(), measured, summary)


if __name__ == "__main__":
    main()
