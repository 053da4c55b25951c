"""`digits info`: what a bundle is, in words for a terminal of 80 columns."""

import argparse
import textwrap
from collections.abc import Iterable
from typing import Any

from digits import bundle as bundles
from digits.bundle import Bundle
from digits.commands import add_model_flag
from digits.terminal import say, say_json

WIDTH = 80
INDENT = 14
MEASURED = {  # figures in the order in which they are said; the manifest may hold others
    "test_accuracy": "of MNIST's test digits read right",
    "test_accepted": "of MNIST's test digits accepted",
    "non_digits_accepted": "of non-digits accepted, of the kinds that training draws",
    "ece": "expected calibration error on MNIST's test digits",
    "validation_accuracy": "of the validation digits read right",
}


def parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Say what a model is: how it was made, how good it is, what it takes and "
        "gives. All files of its bundle are verified.",
    )
    add_model_flag(parser)
    parser.add_argument("--json", action="store_true", help="print the manifest as it is")
    return parser


def run(arguments: argparse.Namespace, prog: str) -> int:
    """Prints what the manifest says.

    Raises:
        DigitsError: no bundle there, or a damaged one.
    """
    found = bundles.read(arguments.model or bundles.SHIPPED, every_file=True)
    if arguments.json:
        say_json(found.manifest, indent=2)
    else:
        say(as_text(found))
    return 0


def as_text(bundle: Bundle) -> str:
    """Says what model a bundle holds, how it came about, how good it is, and what it takes.

    Args:
        bundle: from `bundle.read` with `every_file`, as the text says that all are verified.
    """
    manifest = bundle.manifest
    metrics = manifest["metrics"]
    lines = [*_entry("model", [str(manifest.get("name", "without a name"))])]
    lines += _entry("in", [str(bundle.folder)])
    told = {"format", "name", "thresholds", "metrics", "recipe", "contract", "files"}
    for key, value in manifest.items():
        if key not in told and value is not None:
            lines += _entry(key.replace("_", " "), [_value(value)])
    if manifest["recipe"]:
        lines += _entry("recipe", [_value(manifest["recipe"])])
    figures = [f"{metrics[key]:.2%} {words}" for key, words in MEASURED.items() if key in metrics]
    if "test_accuracy_interval" in metrics and "test_accuracy" in metrics:
        low, high = metrics["test_accuracy_interval"]
        figures.insert(1, f"(95 % interval of that {low:.2%} to {high:.2%})")
    if "parameters" in metrics:
        figures.append(f"{metrics['parameters']:,} weights")
    if "train_seconds" in metrics:
        figures.append(f"{metrics['train_seconds']:,.0f} s of training")
    lines += _entry("measured", figures or ["nothing"])
    lines += _entry(
        "accepts", [f"what is a digit with a probability of {bundle.threshold:.4f} or more"]
    )
    for name, meaning in manifest.get("contract", {}).items():
        lines += _entry(name, [str(meaning)]) if name != "accepted" else []
    files = [
        f"{name:14} {(bundle.folder / name).stat().st_size:>10,} bytes  {digest[:16]}…"
        for name, digest in manifest["files"].items()
    ]
    lines += _entry("files", [*files, "all there, with the SHA-256 that the manifest gives"])
    return "\n".join(lines)


def _entry(name: str, values: Iterable[str]) -> list[str]:
    """A name in the margin, and values beside it, each on lines of its own."""
    margin = " " * INDENT
    lines = [
        line
        for value in values
        for line in textwrap.wrap(
            value,
            WIDTH,
            initial_indent=margin,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
    first = lines[0] if lines else margin
    return [f"{name:{INDENT - 1}} {first[INDENT:]}", *lines[1:]]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_value(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
