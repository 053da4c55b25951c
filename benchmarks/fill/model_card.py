"""The blocks of figures about the model that ships: from its manifest, and from the benchmarks of
reading."""

from collections.abc import Mapping
from typing import Any

from benchmarks.fill.tables import LINKED, table
from benchmarks.handwriting import summary
from benchmarks.harness.json_lines import Lines
from benchmarks.pages import measuring
from digits import bundle

SETS = {
    "mnist_test": "MNIST's test digits",
    "mnist_scattered": "the same, enlarged 2 to 8 times, anywhere in a picture, dark on white",
    "mousedrawn140": "1,223 drawn with a mouse",
    "hwd1000": "1,000 drawn on a screen, dark on white",
    "challenge50": "50 hard ones",
    "semeion16": "1,593 by 80 Italian writers, 16×16 pixels, stretched to squares",
    "digits_fonts": "1,500 in typefaces that training does not use",
    "ardis28_dev": "2,000 from Swedish church books of 1895 to 1970",
    "usps16_dev": "2,000 from US envelopes, 16×16 pixels",
    "optdigits32_dev": "2,880 by 30 Turkish writers, 32×32 pixels, black and white",
    "unipen_dev": "3,000 drawn on tablets, with a round pen on a canvas",
    "pendigits_strokes": "7,494 by 30 writers on a tablet, with a round pen on a canvas",
}
KINDS = {
    "letters_written": "letters and signs drawn on tablets",
    "letters_printed": "printed letters",
    "letters_fonts": "letters in typefaces that training does not use",
    "scribbles": "scribbles",
    "blank": "blank pictures",
    "noise_uniform": "noise: every pixel at random",
    "noise_gaussian": "noise: that of a sensor",
    "noise_salt_and_pepper": "noise: salt and pepper",
    "noise_blobs": "noise: smooth clouds",
    "noise_texture": "noise: woven and ruled textures",
}


def shipped(manifest: Mapping[str, Any]) -> str:
    """How large the model that ships is, and how it is made again."""
    metrics = manifest["metrics"]
    low, high = metrics["test_accuracy_interval"]
    return f"""\
It has {metrics["parameters"]:,} parameters and reads {metrics["test_accuracy"]:.2%} of MNIST's \
test digits (95% interval {low:.2%} to {high:.2%}). `{manifest["command"]}` makes it again, and on \
the same machine, with as many cores, to the bit."""


def made(manifest: Mapping[str, Any]) -> str:
    """The facts of the model that ships, from its manifest."""
    metrics, recipe = manifest["metrics"], manifest["recipe"]
    versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    sizes = ", ".join(
        f"`{name}` {(bundle.SHIPPED / name).stat().st_size / 1e3:.0f} kB"
        for name in manifest["files"]
    )
    facts = {
        "trained on": f"{manifest['created']}, at commit `{manifest['commit'][:12]}`",
        "network": f"`{recipe['network']}`, {metrics['parameters']:,} parameters",
        "training time": f"{metrics['train_seconds']:.0f} s for {recipe['epochs']} epochs",
        "training data": f"{60_000 - recipe['held_out']:,} of MNIST's training digits, "
        f"{recipe['pens']:,} of them written again with other pens, "
        f"{recipe['variants']:,} digits drawn by rules, {recipe['font_digits']:,} digits of fonts, "
        f"{recipe['non_digits']:,} non-digits, {recipe['font_letters']:,} letters of fonts",
        "distortion, at most": f"rotation {recipe['rotation']:g}°, width and height "
        f"±{recipe['scaling']:.0%}, shear {recipe['shear']:g}, shift {recipe['shift']:g} pixels, "
        f"stroke width ±{recipe['pen']:g} pixels a side; at first {recipe['clutter']:.0%} of the "
        "images with noise, stray lines or shadows",
        "network for lines": f"{metrics['lines']['parameters']:,} parameters, "
        f"{metrics['lines']['mflop']:.0f} MFLOP a strip; {metrics['lines']['train_seconds']:.0f} s "
        f"for {recipe['line_epochs']} epochs of {recipe['lines']:,} drawn lines; "
        f"{metrics['lines']['validation_right']:.1%} of 1,000 lines drawn from validation digits "
        "read without an error",
        "validation data": f"MNIST's last {recipe['held_out']:,} training digits, "
        f"{metrics['validation_accuracy']:.2%} of them read correctly",
        "test accuracy": "{:.2%} (95% interval {:.2%} to {:.2%})".format(
            metrics["test_accuracy"], *metrics["test_accuracy_interval"]
        ),
        "test loss": f"{metrics['test_loss']:.4f}",
        "calibration error": f"{metrics['ece']:.2%}",
        "threshold": f"`is_digit` of at least {manifest['thresholds']['is_digit']:.4f}",
        "accepted": f"{metrics['test_accepted']:.2%} of MNIST's test digits",
        "numbers": f"computed in {recipe['precision']}, stored as float32",
        "versions": versions,
        "files": sizes,
    }
    return table("fact | value", [f"{name} | {value}" for name, value in facts.items()])


def reading(lines: Lines) -> str:
    """How the model that ships reads other people's handwriting, beside the textbook CNN."""
    sets = {(x["model"], x["set"]): x for x in lines if "set" in x}
    body = []
    for name, meaning in SETS.items():
        ours = sets["ours", name]
        low, high = ours["interval"]
        body.append(
            f"{meaning} | {sets['textbook', name]['accuracy']:.2%} | {ours['accuracy']:.2%} "
            f"| {low:.2%} to {high:.2%} | {ours['accepted']:.1%} "
            f"| {ours['accuracy_of_accepted']:.2%}"
        )
    five = [
        summary.mean_of_five(list(lines), model, figure)
        for model, figure in (("textbook", "accuracy"), ("ours", "accuracy"), ("ours", "accepted"))
    ]
    body.append(f"mean of the last five | {five[0]:.2%} | {five[1]:.2%} | | {five[2]:.1%} |")
    whole = {
        "pictures_one": "pictures that people put beside their own readers, with one digit each",
        "pictures_several": "such pictures with several digits, every line of them correct",
        "amount_strings": "amounts on cheques, all digits correct",
    }
    for name, meaning in whole.items():
        found = sets["ours", name]
        low, high = found["interval"]
        body.append(
            f"{found['n']} {meaning} | | {found['accuracy']:.1%} | {low:.1%} to {high:.1%} | |"
        )
    amounts = sets["ours", "amount_strings"]
    answered = amounts["answered"]
    head = "digits | textbook CNN | this model | 95% interval | accepted | of these correct"
    return f"""\
{table(head, body)}

The textbook CNN gets each picture as tutorials feed it, squeezed to 28×28 pixels. \
{amounts["digits_right"]:.1%} of the single digits of the amounts are read correctly. If only \
those are answered of whose numbers the reader is surest, {answered["3%"]:.0%} of the amounts can \
be, with 3% of the answers wrong, or {answered["5%"]:.0%} with 5%. Every figure: \
[handwriting.jsonl]({LINKED}/handwriting.jsonl)."""


def refusals(lines: Lines, manifest: Mapping[str, Any]) -> str:
    """What is taken for a digit and is none, of two different collections."""
    kinds = {(x["model"], x["kind"]): x for x in lines if "kind" in x}
    body = [
        f"{meaning} | {kinds['ours', kind]['n']:,} | "
        + " | ".join(
            f"{kinds[model, kind]['accepted_at_99']:.1%}" for model in ("textbook", "ours")
        )
        for kind, meaning in KINDS.items()
    ]
    mean = {
        model: summary.mean_accepted(list(lines), model, "accepted_at_99")
        for model in ("textbook", "ours")
    }
    body.append(f"mean, noise counted once | | {mean['textbook']:.1%} | {mean['ours']:.1%}")
    own = manifest["metrics"]["non_digits_accepted"]
    return f"""\
{table("not a digit | pictures | textbook CNN | this model", body)}

Shares that are accepted as digits, at each model's threshold for accepting 99% of MNIST's \
validation digits. The benchmark makes these pictures by other means than training does. The \
manifest's figure, {own:.2%}, is of another collection: non-digits of the kinds that training \
draws, made from the validation digits."""


def made_pages(lines: Lines) -> str:
    """How many made pages of each kind are read right."""
    body = []
    for line in lines:
        if "kind" in line:
            low, high = line["interval"]
            body.append(
                f"{measuring.meaning(line['kind'])} | {line['n']:,} | {line['right']:.1%} "
                f"| {low:.1%} to {high:.1%} | {line['digits_right']:.1%} | {line['wrong']:.1%} "
                f"| {line['refused']:.1%} | {line['milliseconds']:.0f} ms"
            )
    head = "page | n | right | 95% interval | digits right | wrong without ? | with ? | median time"
    return f"""\
{table(head, body)}

Right is a page, or a cell of a table, whose text is to the letter what a person would write down: \
digits, signs and gaps. In boxes gaps do not count, and words are right if they give no digit. The \
digits are MNIST's validation digits, the print and the words are in fonts that no network is \
trained on. Every figure: [pages.jsonl]({LINKED}/pages.jsonl)."""


def page_times(lines: Lines) -> str:
    """How long whole reads take, as far as they are measured."""
    texts = {
        "amount": "an amount on patterned paper, from file to text, one core | "
        "{milliseconds:.2f} ms, {ratio:.2f} of an earlier reader's time",
        "photo": "a photo of 12 megapixels, one core | {seconds:.2f} s; peak memory of its process "
        "{peak_memory_mb:.0f} MB",
        "workers": "{pictures:,} pictures by `digits read --workers {workers}` | {seconds:.1f} s, "
        "{times:.2f} times as fast as without",
    }
    found = [line for line in lines if line.get("what") in texts]
    return table("what | measured", [texts[line["what"]].format(**line) for line in found])


def corruptions(lines: Lines) -> str:
    """Errors under each corruption after MNIST-C."""
    error = {(x["model"], x.get("corruption")): x.get("error", x.get("mean_error")) for x in lines}
    names = [name for model, name in error if model == "reader" and name is not None]
    body = [
        f"{(name or 'mean of the corruptions').replace('_', ' ')} | "
        + " | ".join(f"{error[model, name]:.1%}" for model in ("textbook", "digit", "reader"))
        for name in [*names, None]
    ]
    return f"""\
{table("corruption | textbook CNN | network alone | reader", body)}

Errors on MNIST's 10,000 test digits; a refusal is no error here. Every figure: \
[corruptions.jsonl]({LINKED}/corruptions.jsonl)."""


def cost(lines: Lines) -> str:
    """Time, memory and disk space that reading takes."""
    by_what = {x["what"]: x for x in lines}

    def time(what: str) -> str:
        milliseconds = by_what[what]["microseconds"] / 1000
        return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3g} s"

    installed, machine = by_what["installed"], by_what["machine"]
    body = [
        f"one canvas, one thread | {time('predict')} | {time('canvas')}",
        f"one picture of 200×200 pixels, `Reader.classify` | | {time('classify_200')}",
        f"one picture, whole process, cold | {time('textbook_cold')} | {time('read_cold')}",
        "peak memory of that process | "
        + " | ".join(
            f"{by_what[x]['peak_memory_mb']:.0f} MB" for x in ("textbook_cold", "read_cold")
        ),
        f"installed, {installed['of']} | | {installed['megabytes']:.0f} MB",
    ]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return f"""\
{table("what | textbook CNN | this model", body)}

Medians on {machine["cores"]} cores, {versions}. Every figure: \
[inference.jsonl]({LINKED}/inference.jsonl)."""
