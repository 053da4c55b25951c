"""The time, memory and disk space that reading takes, beside the Keras textbook way.

    python -m benchmarks.inference                   writes benchmarks/results/inference.jsonl
    python -m benchmarks.inference --textbook DIR    with a textbook CNN that is already trained
    python -m benchmarks.inference --venv            with `digits read` from a new environment that
                                                     holds nothing else
    python -m benchmarks.inference --summary         prints the table

The models take turns, three rounds each, one measurement at a time: run nothing else meanwhile.
Ours runs on one thread; TensorFlow chooses its number of threads. A cold start is a new process
from start to exit, with its files in the page cache.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import RESULTS_FOLDER
from benchmarks.harness import command_line, installation
from benchmarks.harness.json_lines import Line, Lines
from benchmarks.textbook import reading as textbook
from digits import bundle
from digits.data.mnist import Bytes, load_mnist
from digits.errors import DigitsError
from digits.reading.reader import Reader
from digits.runtime import Model

RESULTS = RESULTS_FOLDER / "inference.jsonl"
ROUNDS = 3
WARM_UP, CALLS = 50, 1000  # a round
PREDICTIONS = 100  # a round, of model.predict, which is hundreds of times slower
COLD, COLD_TEXTBOOK = 4, 2  # a round
MANY, TURN = 10_000, 100  # digits that are read one by one and by classify_many, and in a turn

# A launcher of 9 MB, since a forked child counts its parent's memory towards its own peak.
LAUNCH = """
import json, os, sys, time
started = time.perf_counter()
null = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=null)
status, usage = os.wait4(child, 0)[1:]
seconds = time.perf_counter() - started
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss / 1024]))
"""
# A whole program that reads a picture as the textbooks do.
TEXTBOOK_READ = """
import sys
import keras, numpy as np
from PIL import Image
model = keras.models.load_model(sys.argv[1])
image = np.asarray(Image.open(sys.argv[2]).convert("L").resize((28, 28)))
print(model.predict(image[None, ..., None].astype("float32") / 255, verbose=0).argmax())
"""
TEXTBOOK_WARM = """
import json, sys, time
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
image, seconds = np.zeros((1, 28, 28, 1), "float32"), []
for _ in range(int(sys.argv[2]) + 10):
    started = time.perf_counter()
    model.predict(image, verbose=0)
    seconds.append(time.perf_counter() - started)
print(json.dumps(seconds[10:]))
"""
# On one core, so that no library computes on several threads. What counts is the time that the
# processor works on it, and turns are short, since other programs may run meanwhile.
CLASSIFY = """
import json, os, sys, time
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from digits.data.mnist import load_mnist
from digits.reading.reader import Reader
bundle, data, count, turn = (sys.argv[1] or None, sys.argv[2] or None, *map(int, sys.argv[3:]))
reader, images = Reader(bundle), load_mnist(data).test_images[:count]

def one_by_one(some):
    for image in some:
        reader.classify(image)

def many(some):
    for reading in reader.classify_many(some):
        pass

one_by_one(images[:50])
seconds = {"one_by_one": [], "many": []}
for start in range(0, count, turn):
    for way in (one_by_one, many):
        begun = time.thread_time()
        way(images[start : start + turn])
        seconds[way.__name__].append(time.thread_time() - begun)
print(json.dumps(seconds))
"""


def main() -> int:
    parser = command_line.parser(__doc__, RESULTS)
    textbook.add_flags(parser)
    command_line.add_data_flag(parser, only_mnist=True)  # times of others would not compare
    parser.add_argument("--venv", action="store_true", help="install the package anew and use it")
    parser.add_argument("--quick", action="store_true", help="one round, to see that it runs")

    def run(arguments: argparse.Namespace) -> list[Line]:
        rounds = 1 if arguments.quick else ROUNDS
        command_line.given_data(parser, arguments)  # what is wrong with them is said at once
        return measure(arguments.bundle, arguments.textbook, arguments.venv, rounds, arguments.data)

    return command_line.main(parser, run, summary)


def measure(
    folder: Path | None,
    textbook_folder: Path | None,
    venv: bool,
    rounds: int,
    data: Path | None,
) -> list[Line]:
    """Measures everything.

    Args:
        folder: of the bundle; None is the one that ships.
        textbook_folder: of the textbook CNN; None trains it now.
        venv: whether `digits read` runs in a new virtual environment.
        rounds: how often each thing is measured.
        data: where MNIST is; None finds or downloads it.

    Returns:
        a line for each thing measured, times in microseconds, memory in MiB.
    """
    shipped = bundle.read(folder or bundle.SHIPPED)
    model, reader = Model(shipped.model), Reader(folder)
    digits = load_mnist(data).test_images
    small, large = digits[0], enlarged(digits[0], 200)
    canvas = reader.classify(large).canvas
    strip = np.load((folder or bundle.SHIPPED) / "golden.npz")["line_input"][0]
    warm: dict[str, Callable[[], object]] = {
        "canvas": lambda: model.run("canvas", canvas),
        "digit": lambda: model.run("digit", small),
        "line": lambda: model.run("line", strip),
        "classify_28": lambda: reader.classify(small),
        "classify_200": lambda: reader.classify(large),
    }
    times: dict[str, list[float]] = {}
    peaks: dict[str, list[float]] = {"read_cold": [], "textbook_cold": []}
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if venv:
            site, command = installation.fresh_environment(temporary / "venv")
            size = installation.folder_size(site)
        else:
            command = Path(sysconfig.get_path("scripts")) / "digits"
            size = installation.size("mnist-classification")
        if not command.exists():
            raise DigitsError("The command digits is not installed; run: pip install -e .")
        path = stack.enter_context(textbook.model_file(textbook_folder, data))
        picture = temporary / "one.png"
        Image.fromarray(large).save(picture)
        chosen = ["--model", str(folder)] if folder else []
        cold = {
            "read_cold": ([str(command), "read", *chosen, str(picture)], COLD),
            "textbook_cold": (
                [sys.executable, "-c", TEXTBOOK_READ, str(path), str(picture)],
                COLD_TEXTBOOK,
            ),
        }
        for _ in range(rounds):
            for name, function in warm.items():
                times.setdefault(name, []).extend(timed(function))
            times.setdefault("predict", []).extend(predictions(path))
            for name, (arguments, count) in cold.items():
                for _ in range(count):
                    seconds, peak = launched(arguments)
                    times.setdefault(name, []).append(seconds)
                    peaks[name].append(peak)
    lines = [
        {
            "what": name,
            "microseconds": 1e6 * statistics.median(seconds),
            "quartiles": [1e6 * x for x in np.quantile(seconds, (0.25, 0.75)).tolist()],
            "calls": len(seconds),
        }
        | ({"peak_memory_mb": max(peaks[name])} if name in peaks else {})
        for name, seconds in times.items()
    ]
    lines += [
        {
            "what": "throughput",
            "threads": threads,
            "canvases_a_second": throughput(shipped, threads),
        }
        for threads in (1, os.cpu_count() or 1)
    ]
    lines.append(classified(folder, MANY if rounds > 1 else 2 * TURN, data))
    where = "new virtual environment" if venv else "this environment, with compiled Python files"
    lines.append({"what": "installed", "megabytes": size / 1e6, "of": where})
    versions = installation.versions(
        "numpy", "ai-edge-litert", "tensorflow-cpu", "tensorflow", "keras"
    )
    return [*lines, {"what": "machine", "cores": os.cpu_count(), "versions": versions}]


def enlarged(digit: Bytes, side: int) -> Bytes:
    """A digit as a picture that a user may have: `side` pixels square, dark on white."""
    image = Image.fromarray(255 - digit)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))


def timed(function: Callable[[], object]) -> list[float]:
    """The seconds of each of `CALLS` calls, after `WARM_UP` calls that do not count."""
    for _ in range(WARM_UP):
        function()
    seconds = []
    for _ in range(CALLS):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return seconds


def throughput(shipped: bundle.Bundle, threads: int, count: int = 4000) -> float:
    """Canvases a second, with a model for each thread."""
    canvases = np.zeros((16, 256, 256), np.uint8)
    canvases[:, 60:200, 100:150] = 255 - 10 * np.arange(16, dtype=np.uint8)[:, None, None]

    def work(model: Model) -> None:
        for i in range(count):
            model.run("canvas", canvases[i % len(canvases)])

    models = [Model(shipped.model) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        list(pool.map(work, models))
        return threads * count / (time.perf_counter() - started)


def classified(folder: Path | None, count: int, data: Path | None = None) -> Line:
    """Reads so many of MNIST's test digits with `classify` and with `classify_many`, by turns.

    Times are the medians of a digit's; `ratio` is the median of each turn's.
    """
    given = [str(folder or ""), str(data or "")]
    found = json.loads(python(CLASSIFY, *given, str(count), str(TURN)))
    alone, many = (np.array(found[way]) for way in ("one_by_one", "many"))
    return {
        "what": "classify_many",
        "digits": count,
        "microseconds": 1e6 * float(np.median(many)) / TURN,
        "one_by_one_microseconds": 1e6 * float(np.median(alone)) / TURN,
        "ratio": float(np.median(many / alone)),
    }


def predictions(path: Path) -> list[float]:
    """The seconds of each `model.predict` on one image, in a process of its own."""
    return json.loads(python(TEXTBOOK_WARM, str(path), str(PREDICTIONS)))


def launched(command: list[str]) -> tuple[float, float]:
    """Runs a command; returns the seconds that it took and its peak memory in MiB.

    Raises:
        DigitsError: it failed.
    """
    status, seconds, peak = json.loads(python(LAUNCH, *command, flags=["-I", "-S"]))
    if status:
        raise DigitsError(
            f"{' '.join(command)} failed with status {status}; run it alone to see why."
        )
    return seconds, peak


def python(program: str, *arguments: str, flags: Iterable[str] = ()) -> str:
    """Runs a program with this Python and returns what it printed."""
    done = subprocess.run(
        [sys.executable, *flags, "-c", program, *arguments],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout.decode()


def summary(lines: Lines) -> str:
    """The table: each figure, what it is compared with, and what it must be."""
    by_what = {x["what"]: x for x in lines}
    median = {name: x["microseconds"] for name, x in by_what.items() if "microseconds" in x}
    predict, ratio = median["predict"], median["predict"] / median["canvas"]
    cold, other = by_what["read_cold"], by_what["textbook_cold"]
    text = [
        f"canvas signature       {median['canvas']:9.0f} µs",
        f"digit signature        {median['digit']:9.0f} µs",
        f"line signature         {median['line']:9.0f} µs   at most 2000, goal 1000",
        f"Keras model.predict    {predict:9.0f} µs   {ratio:.0f} times canvas, at least 300",
        f"classify, 28×28        {median['classify_28']:9.0f} µs",
        f"classify, 200×200      {median['classify_200']:9.0f} µs",
        f"digits read, cold      {cold['microseconds'] / 1e6:9.2f} s    at most 0.25, "
        f"goal 0.2; peak memory {cold['peak_memory_mb']:.0f} MB",
        f"textbook, cold         {other['microseconds'] / 1e6:9.2f} s    "
        f"peak memory {other['peak_memory_mb']:.0f} MB",
    ]
    text += [
        f"throughput             {x['canvases_a_second']:9.0f} canvases a second on "
        f"{x['threads']} thread{'s' if x['threads'] > 1 else ''}"
        for x in lines
        if x["what"] == "throughput"
    ]
    if many := by_what.get("classify_many"):
        text.append(
            f"classify_many          {many['microseconds']:9.0f} µs   a digit, {many['ratio']:.2f} "
            "of classify's, at most 1.0, goal 0.7"
        )
    size = by_what["installed"]
    text.append(f"installed              {size['megabytes']:9.0f} MB   at most 250 ({size['of']})")
    return "\n".join(text)


if __name__ == "__main__":
    sys.exit(main())
