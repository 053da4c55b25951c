"""The blocks of figures that README.md and the pages in docs/ show, made from the result files."""

import statistics
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks import (
    RESULTS_FOLDER,
    own_networks,
    records,
    suspects,
    sweep,
    teach,
    training,
    workers,
)
from benchmarks.ablation import tables as ablation
from benchmarks.fill import model_card
from benchmarks.fill.tables import LINKED, table
from benchmarks.harness import interleaving
from benchmarks.harness.command_line import OWN_DATA
from benchmarks.harness.intervals import mean_interval
from benchmarks.harness.json_lines import Line, Lines, read_lines
from benchmarks.training import Row, rows
from digits import bundle
from digits.errors import DigitsError

TIMED = ("fast", "default")  # recipes whose accuracy is that of the runs that are timed


def blocks() -> dict[str, str]:
    """Every block by its name, as Markdown; links are relative to the repository."""
    found = {path.stem: of_mnist(path) for path in RESULTS_FOLDER.glob("*.jsonl")}
    manifest = bundle.read().manifest
    by_name = {row.name: row for row in rows(found["training"])}
    trained = every_run(found["training"], found["records"])
    recorded = records.by_recipe(trained)
    return {
        "headline": headline(recorded, by_name["textbook"], found["handwriting"]),
        "results": results(found["training"], recorded),
        "times": times(found["training"]),
        "ratios": ratio_note(found["training"]),
        "confusion": confusion(found["training"]),
        "records": records.block(trained),
        "own_networks": own_networks.block(found["own_networks"]),
        "ablation": ablation.block(found["ablation"]),
        "suspects": suspects.summary(found["suspects"]),
        "teach": taught(found["teach"]),
        "together": together(found["workers"], found["sweep"]),
        "shipped": model_card.shipped(manifest),
        "made": model_card.made(manifest),
        "reading": model_card.reading(found["handwriting"]),
        "refusals": model_card.refusals(found["handwriting"], manifest),
        "made_pages": model_card.made_pages(found["pages"]),
        "page_times": model_card.page_times(found["pages"]),
        "corruptions": model_card.corruptions(found["corruptions"]),
        "cost": model_card.cost(found["inference"]),
        "web": web(found["page"], found["serve"]),
    }


def of_mnist(path: Path) -> list[Line]:
    """The lines of a result file.

    Raises:
        DigitsError: some are of other data, which no page shows.
    """
    lines = read_lines(path)
    other = next((line[OWN_DATA] for line in lines if OWN_DATA in line), None)
    if other:
        raise DigitsError(
            f"{path} holds figures of {other['name']}, and pages show figures of MNIST alone; "
            "measure again without --data."
        )
    return lines


def every_run(timed: Lines, others: Lines) -> list[Line]:
    """The runs of all recipes, as in records.jsonl."""
    return [*({"recipe_name": x["name"]} | x for x in timed if x["name"] in TIMED), *others]


def headline(recorded: Mapping[str, Lines], textbook: Row, read: Lines) -> str:
    """Accuracy on MNIST and on drawings, beside the textbook CNN."""
    accuracies = [run["test_accuracy"] for run in recorded["default"]]
    mouse = {x["model"]: x for x in read if x.get("set") == "mousedrawn140"}
    return f"""\
The default recipe reads **{statistics.fmean(accuracies):.2%}** of MNIST's test digits (mean of \
{len(accuracies)} seeds); a textbook Keras CNN reads {textbook.accuracy:.2%} (mean of \
{len(textbook.seeds)}). The difference is larger on other people's handwriting: of \
{mouse["ours"]["n"]:,} digits drawn with a mouse, the model that comes with the package reads \
**{mouse["ours"]["accuracy"]:.2%}**, and the textbook CNN {mouse["textbook"]["accuracy"]:.2%}."""


def results(lines: Lines, recorded: Mapping[str, Lines]) -> str:
    """The README's one table: accuracy over all seeds, and times beside the textbook CNN's."""
    timed = {row.name: row for row in rows(lines)}
    textbook = timed["textbook"]
    body = [
        f"Keras textbook CNN | {textbook.parameters:,} | {textbook.accuracy:.2%} ± "
        f"{textbook.accuracy_sd:.2%} | {len(textbook.seeds)} | {textbook.loss:.4f} "
        f"| {textbook.process_seconds:.0f} s, 1 | {textbook.peak_memory_mb:.0f} MB"
    ]
    for name in ("fast", "default", "best"):
        runs = recorded[name]
        accuracies = [run["test_accuracy"] for run in runs]
        row = timed.get(name)
        cells = [
            f"`{name}`",
            f"{runs[0]['parameters']:,}",
            f"{statistics.fmean(accuracies):.2%} ± {statistics.stdev(accuracies):.2%}",
            str(len(runs)),
            f"{statistics.fmean(run['test_loss'] for run in runs):.4f}",
            f"{row.process_seconds:.0f} s, {row.process_ratio:.2f}" if row else "–",
            f"{row.peak_memory_mb:.0f} MB" if row else "–",
        ]
        body.append(" | ".join(cells))
    head = (
        "recipe | parameters | test accuracy | seeds | test loss | whole process, ratio "
        "| peak memory"
    )
    default = recorded["default"]
    accuracies = [run["test_accuracy"] for run in default]
    low, high = mean_interval(accuracies)
    return f"""\
- **Test Accuracy**: {statistics.fmean(accuracies):.2%} (`default`; 95% interval of the mean \
{low:.2%} to {high:.2%})
- **Test Loss**: {statistics.fmean(run["test_loss"] for run in default):.4f}

{table(head, body)}

Accuracies are means ± standard deviations over seeds. Time is that of the whole process, from \
start to report. {ratio_note(lines)} Every run: [training.jsonl]({LINKED}/training.jsonl), \
[records.jsonl]({LINKED}/records.jsonl)."""


def ratio_note(lines: Lines) -> str:
    """What the ratios of times hold for."""
    of = {row.name: row for row in rows(lines)}
    default = f"`default` takes {of['default'].process_ratio:.2f} of that time"
    if training.FLOAT32 in of:  # the processor computes in bfloat16, too
        default += f" in bfloat16, and {of[training.FLOAT32].process_ratio:.2f} in float32"
    return f"""\
Ratios are to the textbook CNN's time in the same run on an AMD EPYC (Zen 4), and hold for that \
machine. {default}. {training.conditions(lines)}"""


def times(lines: Lines) -> str:
    """What `benchmarks/training.py` found, in full."""
    first = next(line for line in lines if line["name"] == "default")
    labels = {
        "textbook": "Keras textbook CNN",
        "default": "`default`",
        "fast": "`fast`",
        training.FLOAT32: "`default`, in float32",
    }
    body = [
        f"{labels[row.name]} | {row.parameters:,} | {row.accuracy:.2%} ± {row.accuracy_sd:.2%} "
        f"| {min(row.seeds)}–{max(row.seeds)} | {row.loss:.4f} | {row.ece:.2%} "
        f"| {row.train_seconds:.1f} s, {row.train_ratio:.3f} "
        f"| {row.process_seconds:.1f} s, {row.process_ratio:.3f} "
        f"| {row.busy_cores:.2f} | {row.peak_memory_mb:.0f} MB"
        for row in rows(lines)
    ]
    head = (
        "recipe | parameters | test accuracy | seeds | test loss | calibration error "
        "| training time, ratio | whole process, ratio | busy cores | peak memory"
    )
    versions = ", ".join(f"{name} {number}" for name, number in first["versions"].items())
    return f"""\
{table(head, body)}

Means ± standard deviations over seeds; the whole process of this project's recipes includes \
figures and report. {ratio_note(lines)} {versions}. Every run: \
[training.jsonl]({LINKED}/training.jsonl)."""


def confusion(lines: Lines) -> str:
    """The confusion matrix of one run of the default recipe."""
    first = next(line for line in lines if line["name"] == "default")
    return f"```text\n{np.array2string(np.array(first['confusion_matrix']))}\n```"


def taught(lines: Lines) -> str:
    """What `teach` found."""
    body = [
        f"{teach.GROUPS[name]} | {of['n']:,} | {of['before']} | {of['after']} | {of['ratio']:.2f} "
        f"| {of['mean_lost'] / 100:+.3f}, {of['most_lost'] / 100:+.2f} points"
        for name, of in teach.groups(lines).items()
    ]
    head = (
        "writers | digits | misread before | after | after to before "
        "| MNIST test error, mean and largest change"
    )
    (clock,) = (line for line in lines if line.get("what") == "time")
    return f"""\
{table(head, body)}

The writers of UCI Pendigits; each model was taught with {teach.TAUGHT} of each digit of one \
writer, and measured on that writer's others. With {clock["pictures"]} pictures the command takes \
{clock["seconds"]:.0f} s on {clock["cores"]} cores. Every writer: \
[teach.jsonl]({LINKED}/teach.jsonl)."""


def together(workers_lines: Lines, sweep_lines: Lines) -> str:
    """What `workers` and `sweep` found."""
    gains = " and ".join(
        f"{workers.times(workers_lines, recipe, workers.WORKERS):.2f} (`{recipe}`)"
        for recipe in workers.RECIPES
    )
    two, one = (interleaving.mean_seconds(sweep_lines, at_once) for at_once in sweep.AT_ONCE)
    return f"""\
Two workers on one machine, one core each, train on {gains} times as many images a second as one \
process on one core. A sweep of {sweep_lines[0]["runs"]} short runs, two at once, is \
{one / two:.2f} times as fast as the same sweep one after another. Every run: \
[workers.jsonl]({LINKED}/workers.jsonl), [sweep.jsonl]({LINKED}/sweep.jsonl)."""


def web(page: Lines, serve: Lines) -> str:
    """What `page` and `serve` found."""
    of = {line["what"]: line for line in (*page, *serve)}
    first, pen, audit, one = of["first_visit"], of["pendigits"], of["lighthouse"], of["latency"]
    much, attack, machine = of["overload"], of["attack"], of["machine"]
    statuses = much["statuses"]
    others = sum(count for status, count in statuses.items() if status not in ("200", "503"))
    sent = Counter(attack["schemathesis"]) + Counter(attack["fuzzed"])
    failed = sum(n for status, n in sent.items() if status == "0" or status[0] == "5")
    found = {
        "first visit, compressed": f"{first['bytes'] / 1e6:.2f} MB",
        "of these the page, without runtime and model": f"{first['page_bytes'] / 1e3:.1f} kB",
        "from navigation to the first answer, cold": f"{of['cold']['milliseconds']:.0f} ms",
        "one answer, canvas to probabilities": f"{of['warm']['microseconds'] / 1e3:.2f} ms",
        "largest difference from Python's probabilities": f"{of['golden']['difference']:.0e}",
        f"{pen['digits']} digits of other writers, written again on the page": (
            f"{pen['right']} correct; {pen['equal']} as Python reads the same canvas"
        ),
        "Lighthouse: performance, accessibility, best practices": " / ".join(
            str(audit[name]) for name in ("performance", "accessibility", "best-practices")
        ),
        "`/predict`, one worker on one core, median": ", ".join(
            f"{found['median_milliseconds']:.2f} ms ({side}×{side} pixels)"
            for side, found in one["pixels"].items()
        ),
        f"{much['seconds']} s of twice the load that it can answer "
        f"({much['capacity']:,.0f} requests a second)": (
            f"{statuses['200']:,} answered, 99% within {much['p99_milliseconds']:.0f} ms; "
            f"{statuses.get('503', 0):,} refused with 503, {others or 'no'} other errors; "
            f"{much['memory_before_mb']:.0f} MB before, {much['memory_after_mb']:.0f} MB after"
        ),
        f"{sent.total():,} requests made to break it": (
            f"{failed or 'no'} failures; {attack['memory_before_mb']:.0f} MB before, "
            f"{attack['memory_after_mb']:.0f} MB after"
        ),
    }
    body = [f"{what} | {figure}" for what, figure in found.items()]
    return f"""\
{table("what | measured", body)}

On {machine["cores"]} cores and loopback, in headless Chromium {machine["versions"]["chromium"]}. \
Every figure: [page.jsonl]({LINKED}/page.jsonl), [serve.jsonl]({LINKED}/serve.jsonl)."""
