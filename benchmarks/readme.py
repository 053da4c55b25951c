"""The README's figures, out of the result files that the other benchmarks wrote.

    python -m benchmarks.readme             fills README.md
    python -m benchmarks.readme --check     changes nothing; fails if README.md says something else

Each figure stands in a block between `<!-- name -->` and `<!-- /name -->`.
"""

import argparse
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import RESULTS_FOLDER, handwriting, records, suspects, sweep, workers
from benchmarks.ablation import study as ablation
from benchmarks.harness import interleaving
from benchmarks.harness.intervals import mean_interval
from benchmarks.harness.json_lines import Lines, read_lines
from benchmarks.training import rows
from digits.errors import DigitsError

ROOT = Path(__file__).parent.parent
SETS = {
    "mnist_test": "MNIST's test digits",
    "mnist_scattered": "the same enlarged 2 to 8 times, anywhere in a picture, dark on white",
    "mousedrawn140": "1,223 drawn with a mouse",
    "hwd1000": "1,000 drawn on a screen, dark on white",
    "challenge50": "50 hard ones",
    "semeion16": "1,593 by 80 Italians, 16×16, stretched to squares",
    "pendigits": "7,494 pen strokes of 30 writers, drawn on a canvas",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail if they differ")
    check = parser.parse_args().check
    readme = ROOT / "README.md"
    before = readme.read_text()
    after = fill(before, blocks())
    if check and before != after:
        print("README.md does not say what the results say; run python -m benchmarks.readme.")
        return 1
    readme.write_text(after)
    return 0


def blocks() -> dict[str, str]:
    """Every block of the README, by name."""
    training, reading, corruptions, inference, page, serve = (
        read_lines(RESULTS_FOLDER / f"{name}.jsonl")
        for name in ("training", "handwriting", "corruptions", "inference", "page", "serve")
    )
    recorded = read_lines(records.RESULTS)
    return training_blocks(training, records.by_recipe(recorded)) | {
        "reading": reading_block(reading, corruptions, inference),
        "web": web_block(page, serve),
        "records": records.block(recorded),
        "ablation": ablation.ablation_block(read_lines(ablation.RESULTS)),
        "suspects": suspects.summary(read_lines(suspects.RESULTS)),
        "together": together_block(read_lines(workers.RESULTS), read_lines(sweep.RESULTS)),
    }


def training_blocks(lines: Lines, recorded: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """What `benchmarks/training.py` found, and of accuracy what `benchmarks/records.py` did, which
    trains more seeds."""
    by_name = {row.name: row for row in rows(lines)}
    default, fast, textbook = (by_name[name] for name in ("default", "fast", "textbook"))
    first = next(line for line in lines if line["name"] == "default")
    accuracies, losses = (
        [run[key] for run in recorded["default"]] for key in ("test_accuracy", "test_loss")
    )
    accuracy, low, high = statistics.fmean(accuracies), *mean_interval(accuracies)
    of_fast = statistics.fmean(run["test_accuracy"] for run in recorded["fast"])
    versions = ", ".join(f"{name} {number}" for name, number in first["versions"].items())
    labels = {"textbook": "Keras textbook CNN", "default": "`default`", "fast": "`fast`"}
    table = "\n".join(
        f"| {labels[row.name]} | {row.parameters:,} | {row.accuracy:.2%} ± {row.accuracy_sd:.2%} "
        f"| {min(row.seeds)}–{max(row.seeds)} | {row.loss:.4f} | {row.ece:.2%} "
        f"| {row.train_seconds:.1f} s, {row.train_ratio:.3f} "
        f"| {row.process_seconds:.1f} s, {row.process_ratio:.3f} | {row.peak_memory_mb:.0f} MB |"
        for row in by_name.values()
    )
    return {
        "headline": f"""\
It reads **{accuracy:.2%}** of MNIST's test digits (mean of {len(accuracies)} seeds), where the \
Keras textbook CNN reads {textbook.accuracy:.2%} (mean of {len(textbook.seeds)}). Everything, from \
start to report, took {default.process_seconds:.0f} s on {first["cores"]} cores, \
{default.process_ratio:.2f} of the textbook CNN's time in the same run; `--recipe fast` took \
{fast.process_seconds:.0f} s and reads {of_fast:.2%}.""",
        "results": f"""\
- **Test Accuracy**: {accuracy:.2%} ± {statistics.stdev(accuracies):.2%} (mean ± standard \
deviation of {len(accuracies)} seeds; 95 % interval of the mean {low:.2%} to {high:.2%})
- **Test Loss**: {statistics.fmean(losses):.4f}

| recipe | parameters | test accuracy | seeds | test loss | calibration error \
| training time, ratio | whole process, ratio | peak memory |
|---|---|---|---|---|---|---|---|---|
{table}

Mean ± standard deviation over seeds. Ratios are to the textbook CNN trained in the same run on \
the same {first["cores"]} cores; the whole process of ours includes figures and report. \
{versions}. Every run: [training.jsonl](benchmarks/results/training.jsonl).""",
        "confusion": f"""\
```text
{np.array2string(np.array(first["confusion_matrix"]))}
```""",
    }


def fill(text: str, blocks: dict[str, str]) -> str:
    """Puts each block between its marks in a Markdown text.

    Raises:
        DigitsError: the text lacks a block's marks.
    """
    for name, block in blocks.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if begin not in text or end not in text:
            raise DigitsError(f"The README has no marks <!-- {name} --> and <!-- /{name} -->.")
        before, rest = text.split(begin, 1)
        text = f"{before}{begin}{block}\n{end}{rest.split(end, 1)[1]}"
    return text


def reading_block(reading: Lines, corruptions: Lines, inference: Lines) -> str:
    """What `handwriting`, `corruptions` and `inference` found, as one table."""
    sets = {(x["model"], x["set"]): x for x in reading if "set" in x}
    mean = {x["model"]: x["mean_error"] for x in corruptions if "mean_error" in x}
    speed = {x["what"]: x for x in inference}

    def time(what: str) -> str:
        milliseconds = speed[what]["microseconds"] / 1000
        return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3g} s"

    rows = [
        (meaning, *(f"{sets[model, name]['accuracy']:.2%}" for model in ("textbook", "ours")))
        for name, meaning in SETS.items()
    ]
    rows.append(
        (
            "200 amounts on cheques, all digits right",
            "",
            f"{sets['ours', 'amount_strings']['accuracy']:.1%}",
        )
    )
    accepted = [
        handwriting.mean_accepted(list(reading), m, "accepted_at_99") for m in ("textbook", "ours")
    ]
    rows.append(
        (
            "letters, scribbles, noise, blanks taken for digits, where 99 % of digits are accepted",
            *(f"{share:.1%}" for share in accepted),
        )
    )
    eces = (f"{sets[model, 'mnist_test']['ece']:.2%}" for model in ("textbook", "ours"))
    rows.append(("expected calibration error on MNIST", *eces))
    rows.append(
        (
            "mean error over the 15 corruptions of MNIST-C",
            f"{mean['textbook']:.1%}",
            f"{mean['reader']:.1%} (the network alone {mean['digit']:.1%})",
        )
    )
    rows.append(("one canvas, one thread", time("predict"), time("canvas")))
    rows.append(
        (
            "one picture, whole process, cold",
            time("textbook_cold"),
            time("read_cold"),
        )
    )
    table = "\n".join(f"| {what} | {textbook} | {ours} |" for what, textbook, ours in rows)
    return f"""\
| | Keras textbook CNN | this |
|---|---|---|
{table}

The textbook CNN gets pictures as demos feed it, squeezed to 28×28. Times are medians on \
{speed["machine"]["cores"]} cores; installed, reading takes \
{speed["installed"]["megabytes"]:.0f} MB ({speed["installed"]["of"]}). Every figure, with \
intervals: [handwriting](benchmarks/results/handwriting.jsonl), \
[corruptions](benchmarks/results/corruptions.jsonl), \
[inference](benchmarks/results/inference.jsonl)."""


def web_block(page: Lines, serve: Lines) -> str:
    """What `page` and `serve` found, as one table."""
    of = {line["what"]: line for line in (*page, *serve)}
    first, pen, audit, one = of["first_visit"], of["pendigits"], of["lighthouse"], of["latency"]
    much, broken = of["overload"], of["attack"]
    statuses = much["statuses"]
    others = sum(count for status, count in statuses.items() if status not in ("200", "503"))
    sent = [Counter(broken[kind]) for kind in ("schemathesis", "fuzzed")]
    statuses_broken = sent[0] + sent[1]
    failed = sum(n for status, n in statuses_broken.items() if status == "0" or status[0] == "5")
    rows = {
        "first visit, compressed": f"{first['bytes'] / 1e6:.2f} MB",
        "of these the page, without runtime and model": f"{first['page_bytes'] / 1e3:.1f} kB",
        "from navigation to the first answer, cold": f"{of['cold']['milliseconds']:.0f} ms",
        "one answer, canvas to probabilities": f"{of['warm']['microseconds'] / 1e3:.2f} ms",
        "largest difference to Python's probabilities": f"{of['golden']['difference']:.0e}",
        f"{pen['digits']} digits of other hands, written again on the page": (
            f"{pen['right']} right; {pen['equal']} as Python reads the same canvas"
        ),
        "Lighthouse: performance, accessibility, best practices": " / ".join(
            str(audit[name]) for name in ("performance", "accessibility", "best-practices")
        ),
        "`/predict`, one worker on one core, median": ", ".join(
            f"{found['median_milliseconds']:.2f} ms ({side}×{side} pixels)"
            for side, found in one["pixels"].items()
        ),
        f"{much['seconds']} s of twice what it can answer ({much['capacity']:,.0f} a second)": (
            f"{statuses['200']:,} answered, 99 % within {much['p99_milliseconds']:.0f} ms; "
            f"{statuses.get('503', 0):,} turned away, {others or 'no'} other errors; "
            f"{much['memory_before_mb']:.0f} MB before, {much['memory_after_mb']:.0f} MB after"
        ),
        f"{statuses_broken.total():,} requests made to break it": (
            f"{failed or 'no'} failures; {broken['memory_before_mb']:.0f} MB before, "
            f"{broken['memory_after_mb']:.0f} MB after"
        ),
    }
    table = "\n".join(f"| {what} | {figure} |" for what, figure in rows.items())
    machine = of["machine"]
    return f"""\
| | |
|---|---|
{table}

On {machine["cores"]} cores and loopback, in headless Chromium {machine["versions"]["chromium"]}. \
Every figure: [page](benchmarks/results/page.jsonl), [serve](benchmarks/results/serve.jsonl)."""


def together_block(workers_lines: Lines, sweep_lines: Lines) -> str:
    """What `workers` and `sweep` found."""

    told = " and ".join(
        f"{workers.times(workers_lines, recipe, workers.WORKERS):.2f} (`{recipe}`)"
        for recipe in workers.RECIPES
    )
    two, one = (interleaving.mean_seconds(sweep_lines, at_once) for at_once in sweep.AT_ONCE)
    return f"""\
Two workers on one machine, one core each, train on {told} times as many images a second as one \
process on one core. A sweep of \
{sweep_lines[0]["runs"]} short runs, two at once, is {one / two:.2f} times as fast as the same one \
after another. \
[workers](benchmarks/results/workers.jsonl), [sweep](benchmarks/results/sweep.jsonl)."""


if __name__ == "__main__":
    sys.exit(main())
