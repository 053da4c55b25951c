"""Describe a model: how it was made, how good it is, what it takes and gives. All files of its
bundle are verified.
"""

import argparse
import textwrap
from typing import Any

from digits import bundle as bundles
from digits.bundle import Bundle
from digits.commands import add_model_flag
from digits.terminal import own_words_only, say, say_json

WIDTH = 80
INDENT = 14
MEASURED = {  # the figures shown, in this order; the manifest may hold others
    "test_accuracy": "{:.2%} of {data}'s test {things} read correctly",
    "test_accepted": "{:.2%} of {data}'s test {things} accepted",
    "non_digits_accepted": "{:.2%} of non-digits accepted, of the kinds that training draws",
    "ece": "{:.2%} expected calibration error on {data}'s test {things}",
    "validation_accuracy": "{:.2%} of the validation {things} read correctly",
    "parameters": "{:,} parameters",
    "train_seconds": "{:,.0f} s of training",
}
IN_OTHER_WORDS = {
    *("format", "name", "drawn_from", "own_data", "thresholds", "metrics", "recipe"),
    *("contract", "files"),
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_model_flag(parser)
    parser.add_argument("--json", action="store_true", help="print the manifest as it is")


def run(arguments: argparse.Namespace, prog: str) -> None:
    found = bundles.read(arguments.model or bundles.SHIPPED, every_file=True)
    with own_words_only():
        from digits.runtime import check, model_of

        check(model_of(found), found.digits)
    if arguments.json:
        say_json(found.manifest, indent=2)
    else:
        say(as_text(found))


def as_text(bundle: Bundle) -> str:
    """What a bundle's model is, how it was made, how good it is, and what it takes and gives. The
    bundle was read with `every_file`, and its model has run: the text says so."""
    manifest = bundle.manifest
    name = manifest.get("name", "without a name")
    entries: list[tuple[Any, ...]] = [("model", name), ("in", bundle.folder)]
    entries += [
        (key.replace("_", " "), value)
        for key, value in manifest.items()
        if key not in IN_OTHER_WORDS and value is not None
    ]
    if manifest["recipe"]:
        entries.append(("recipe", manifest["recipe"]))
    if "drawn_from" in manifest:
        generators = manifest["drawn_from"]["generators"]
        families = manifest["drawn_from"].get("fonts", {}).get("families", {})
        drawn = f"{len(generators)} generators, {len(families)} font families"
        entries.append(("drawn from", f"{drawn}; --json has their hashes and versions"))
    entries.append(("measured", *(_measured(bundle) or ["nothing"])))
    accepted = f"readings whose is_digit is at least {bundle.threshold:.4f}"
    entries.append(("accepts", accepted if bundle.digits else "everything; it reads no pictures"))
    contract = manifest.get("contract", {})
    entries += [entry for entry in contract.items() if entry[0] != "accepted"]
    files = [
        f"{name:14} {(bundle.folder / name).stat().st_size:>10,} bytes  {digest[:16]}…"
        for name, digest in manifest["files"].items()
    ]
    entries.append(("files", *files, "all present, SHA-256 verified; the model runs"))
    return "\n".join(_entry(*entry) for entry in entries)


def _measured(bundle: Bundle) -> list[str]:
    metrics = bundle.manifest["metrics"]
    of = {"data": bundle.data, "things": "digits" if bundle.digits else "images"}
    figures = [form.format(metrics[key], **of) for key, form in MEASURED.items() if key in metrics]
    if "test_accuracy_interval" in metrics and "test_accuracy" in metrics:
        low, high = metrics["test_accuracy_interval"]
        figures[0] += f" (95% interval {low:.2%} to {high:.2%})"
    if lines := metrics.get("lines"):
        right, parameters = lines["validation_right"], lines["parameters"]
        figures.append(
            f"network for lines: {right:.2%} of the drawn validation lines read without an error, "
            f"{parameters:,} parameters, {lines['train_seconds']:,.0f} s of training"
        )
    return figures


def _entry(name: str, *values: Any) -> str:
    """A name in the margin, and values beside it, each starting a line of its own."""
    margin = " " * INDENT
    wrapper = textwrap.TextWrapper(
        WIDTH, margin, margin, break_long_words=False, break_on_hyphens=False
    )
    text = "\n".join(wrapper.fill(_value(value)) for value in values)
    return f"{name:{INDENT - 1}} {text[INDENT:]}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_value(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
