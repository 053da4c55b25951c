"""The table of what the two models read: every figure, what it must be, and whether it is."""

import numpy as np

from benchmarks.harness.json_lines import Lines

AIMS: dict[str, tuple[float, float]] = {  # accuracy: must, goal
    "mousedrawn140": (0.99, 0.998),
    "hwd1000": (0.995, 0.999),
    "challenge50": (0.98, 1.0),
    "semeion16": (0.943, 0.96),
    "mnist_test": (0.9965, 0.9972),
    "mnist_scattered": (0.993, 0.996),
    "amount_strings": (0.76, 0.88),
    "pictures_one": (112 / 120, 117 / 120),
    "pictures_several": (34 / 48, 42 / 48),
    "pictures_none": (1.0, 1.0),
}
FIVE = ("ardis28_dev", "usps16_dev", "optdigits32_dev", "unipen_dev", "pendigits_strokes")
FIVE_AIM = (0.986, 0.99)
ECE_AIM = (0.0015, 0.001)
FIVE_ECE_AIM = (0.01, 0.005)
ACCEPTED_AIM = (0.05, 0.01)
LETTERS_AIMS: dict[str, tuple[float, float]] = {
    "letters_written": (0.025, 0.01),
    "letters_printed": (0.02, 0.01),
    "letters_fonts": (0.03, 0.01),
}


def summary(lines: Lines) -> str:
    """The table: every figure beside the textbook CNN's, what it must be, and whether it is."""
    measured = {(x["model"], x["set"]): x for x in lines if "set" in x}
    kinds = {(x["model"], x["kind"]): x for x in lines if "kind" in x}
    text = [f"{'set':24s}{'textbook':>9s}{'ours':>9s}{'must':>8s}{'goal':>8s}  reached"]

    def row(name: str, textbook: float | None, value: float, must: float, goal: float) -> None:
        sign = 1 if goal >= must else -1
        reached = "goal" if sign * (value - goal) >= 0 else "must"
        reached = reached if sign * (value - must) >= 0 else "NO"
        other = "—" if textbook is None else f"{textbook:.2%}"
        text.append(f"{name:24s}{other:>9s}{value:9.2%}{must:8.1%}{goal:8.1%}  {reached}")

    for name, (must, goal) in AIMS.items():
        other = measured.get(("textbook", name))
        accuracy = measured["ours", name]["accuracy"]
        row(name, other["accuracy"] if other else None, accuracy, must, goal)
    eces = {model: measured[model, "mnist_test"]["ece"] for model in ("textbook", "ours")}
    for name in FIVE:
        textbook, ours = (measured[model, name]["accuracy"] for model in ("textbook", "ours"))
        row(name, textbook, ours, *FIVE_AIM)
    for label, figure, aim in (
        ("mean of these five", "accuracy", FIVE_AIM),
        ("their mean ece", "ece", FIVE_ECE_AIM),
    ):
        textbook, ours = (mean_of_five(lines, model, figure) for model in ("textbook", "ours"))
        row(label, textbook, ours, *aim)
    row("mnist_test ece", eces["textbook"], eces["ours"], *ECE_AIM)
    for name, aim in LETTERS_AIMS.items():
        textbook, ours = (kinds[model, name]["accepted_at_99"] for model in ("textbook", "ours"))
        row(name, textbook, ours, *aim)
    means = {m: mean_accepted(lines, m, "accepted_at_99") for m in ("textbook", "ours")}
    row("non-digits accepted", means["textbook"], means["ours"], *ACCEPTED_AIM)
    digits_right = measured["ours", "amount_strings"]["digits_right"]
    text.append(f"\nshare of single digits right in amount_strings: {digits_right:.2%}")
    shares = measured["ours", "amount_strings"].get("answered", {})
    for wrong, share in shares.items():
        text.append(f"share of amounts that can be answered with {wrong} wrong: {share:.1%}")
    text.append("\naccepted at the threshold of  textbook 99%  ours 99%  the bundle")
    for (model, kind), line in kinds.items():
        if model == "ours":
            other = kinds["textbook", kind]["accepted_at_99"]
            text.append(
                f"{kind:24s}{other:18.2%}{line['accepted_at_99']:11.2%}{line['accepted']:12.2%}"
            )
    for (model, name), line in measured.items():
        if model == "ours" and "accepted" in line:
            text.append(
                f"{name:24s}{measured['textbook', name]['accepted_at_99']:18.2%}"
                f"{line['accepted_at_99']:11.2%}{line['accepted']:12.2%}"
                + f", of which {line['accuracy_of_accepted'] or 0:.2%} are right"
            )
    text.append(
        "thresholds that accept 99% of the validation digits: "
        + ", ".join(
            f"{m} {measured[m, 'validation']['threshold']:.4f}" for m in ("textbook", "ours")
        )
    )
    return "\n".join(text)


def mean_of_five(lines: Lines, model: str, figure: str) -> float:
    """The mean of a figure over the sets of `FIVE`."""
    of_five = [x for x in lines if x["model"] == model and x.get("set") in FIVE]
    return float(np.mean([x[figure] for x in of_five]))


def mean_accepted(lines: Lines, model: str, at: str) -> float:
    """The mean over the kinds of non-digits; the kinds of noise count as one."""
    by_kind: dict[str, list[float]] = {}
    for line in lines:
        if line["model"] == model and "kind" in line:
            kind = "noise" if line["kind"].startswith("noise") else line["kind"]
            by_kind.setdefault(kind, []).append(line[at])
    return float(np.mean([np.mean(shares) for shares in by_kind.values()]))
