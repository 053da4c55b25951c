"""Results -> the text on the terminal and report.html."""

import base64
import html
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from digits.evaluation import Evaluation
from digits.files import replacing

FIGURES = {
    "training.png": "Training. Its digits are read with dropout, and distorted at random if the "
    "recipe says so, which is why the network can do better on the validation digits.",
    "confusion.png": "Where it errs. Each cell counts test digits; only errors are coloured.",
    "mistakes.png": "Every mistake on the test set, the surest first: the digit it is, what it "
    "was read as, and the probability of each.",
    "examples.png": "The first test digits, with their label and what they were read as.",
    "reliability.png": "Whether its confidence can be believed: on the dashed line, a digit read "
    "with 90 % is right nine times in ten.",
}


def metrics_of(test: Evaluation) -> dict[str, Any]:
    """The figures of an evaluation, ready for JSON."""
    return {
        "test_accuracy": test.accuracy,
        "test_accuracy_interval": list(test.accuracy_interval),
        "test_errors": test.errors,
        "test_loss": test.loss,
        "ece": test.ece,
        "precision": test.precision.tolist(),
        "recall": test.recall.tolist(),
        "f1": test.f1.tolist(),
        "confusion_matrix": test.confusion.tolist(),
    }


def as_text(test: Evaluation, metrics: dict[str, Any]) -> str:
    """What the terminal shows and report.txt keeps."""
    low, high = test.accuracy_interval
    ensemble = ensemble_text(metrics["ensemble"]) if "ensemble" in metrics else ""
    return f"""{ensemble}
Test accuracy: {test.accuracy:.2%}  (95 % interval {low:.2%} to {high:.2%}; \
{test.errors} of {len(test.labels):,} misread)
Test loss: {test.loss:.4f}  (expected calibration error {test.ece:.2%})

Confusion matrix (row: true digit, column: read as):
{np.array2string(test.confusion)}

Classification report:
{test.classification_report}
{metrics["parameters"]:,} parameters, trained in {metrics["train_seconds"]:.0f} s, \
{metrics["total_seconds"]:.0f} s in all on {metrics["cores"]} cores.
"""


def ensemble_text(ensemble: Mapping[str, Any]) -> str:
    """What `as_text` shows of an ensemble: its mean, what was distilled from it, each member."""
    head, *rows = _ensemble_rows(ensemble)
    lines = [
        "".join([f"{name:20}", *(f"{cell:>12}" for cell in cells)])
        for name, *cells in [head, *rows]
    ]
    return "\n" + "\n".join([*lines, "", *textwrap.wrap(ensemble["bundled"], 80)]) + "\n"


def _ensemble_rows(ensemble: Mapping[str, Any]) -> list[tuple[str, ...]]:
    members = ensemble["members"]
    named = {f"mean of {len(members)} networks": ensemble["mean"], "distilled": ensemble["student"]}
    named |= {f"member, seed {member['seed']}": member for member in members}
    rows = [
        (
            name,
            f"{of['validation_accuracy']:.2%}",
            f"{of['validation_loss']:.4f}",
            f"{of['test_accuracy']:.2%}",
            f"{of['test_loss']:.4f}",
            f"{of['ece']:.2%}",
        )
        for name, of in named.items()
    ]
    return [("", "validation", "loss", "test", "loss", "calibration"), *rows]


def write_html(folder: Path, test: Evaluation, metrics: dict[str, Any]) -> None:
    """Writes `report.html` beside the figures, which it holds within itself.

    Args:
        folder: of the run, with the PNG files of `FIGURES`.
        test: the evaluation on the test set.
        metrics: the content of metrics.json.

    Raises:
        OSError: a figure is missing or the folder cannot be written.
    """
    low, high = test.accuracy_interval
    tiles = {
        "test accuracy": (f"{test.accuracy:.2%}", f"95 % interval {low:.2%} to {high:.2%}"),
        "misread": (f"{test.errors}", f"of {len(test.labels):,} test digits"),
        "test loss": (f"{test.loss:.4f}", "cross-entropy, nats"),
        "calibration error": (f"{test.ece:.2%}", "gap between confidence and accuracy"),
        "training": (f"{metrics['train_seconds']:.0f} s", f"on {metrics['cores']} cores"),
        "parameters": (f"{metrics['parameters']:,}", "weights and biases"),
    }
    page = _PAGE.substitute(
        style=STYLE,
        title=f"MNIST, recipe {html.escape(metrics['recipe']['name'])}",
        tiles="".join(
            f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>"
            for name, (value, note) in tiles.items()
        ),
        figures="".join(_figure(folder / name, caption) for name, caption in FIGURES.items()),
        ensemble=_ensemble(metrics["ensemble"]) if "ensemble" in metrics else "",
        digits=_table(
            ("digit", "precision", "recall", "F1", "test digits"),
            (
                (digit, f"{p:.2%}", f"{r:.2%}", f"{f:.2%}", f"{n:,}")
                for digit, (p, r, f, n) in enumerate(
                    zip(test.precision, test.recall, test.f1, test.confusion.sum(1), strict=True)
                )
            ),
        ),
        recipe=_table(("setting", "value"), metrics["recipe"].items()),
        versions=_table(("library", "version"), metrics["versions"].items()),
        source=html.escape(metrics["data_source"]),
    )
    with replacing(folder / "report.html") as file:
        file.write(page.encode())


def _ensemble(ensemble: Mapping[str, Any]) -> str:
    head, *rows = _ensemble_rows(ensemble)
    return (
        f'<h2>The ensemble</h2><div class="tables"><div>{_table(head, rows)}'
        f"<p>{html.escape(ensemble['bundled'])}</p></div></div>"
    )


def _figure(path: Path, caption: str) -> str:
    content = base64.b64encode(path.read_bytes()).decode()
    text = html.escape(caption)
    return (
        f'<figure id="{path.stem}"><img src="data:image/png;base64,{content}" alt="{text}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    def line(cells: Iterable[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"


# Of every page that the project writes.
STYLE = """\
  body { font: 16px/1.5 system-ui, sans-serif; color: #1f2933; background: #f4f6f8; margin: 0; }
  main { max-width: 1060px; margin: 0 auto; padding: 2rem 1rem 4rem; }
  h1 { font-size: 1.9rem; margin: 0; }
  h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
  table { border-collapse: collapse; width: 100%; font-size: .9rem; }
  td, th { text-align: right; padding: .2rem .4rem; font-variant-numeric: tabular-nums; }
  td:first-child, th:first-child { text-align: left; }
  th { color: #52606d; font-weight: 500; border-bottom: 1px solid #cbd2d9; }"""

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style
  dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(155px, 1fr)); gap: .75rem; }
  dl div, figure, .tables > div { background: white; border-radius: 10px; padding: 1rem; }
  dl div, figure, .tables > div { box-shadow: 0 1px 3px #0002; }
  dt { color: #52606d; font-size: .85rem; }
  dd { margin: 0; font-size: 1.7rem; font-weight: 600; font-variant-numeric: tabular-nums; }
  dd small { display: block; font-size: .78rem; font-weight: 400; color: #52606d; }
  .figures { display: grid; grid-template-columns: repeat(2, 1fr); gap: .75rem; }
  figure { margin: 0; display: flex; flex-direction: column; justify-content: space-between; }
  figure img { width: 100%; }
  #training, #mistakes, #examples { grid-column: 1 / -1; }
  #reliability { order: 1; } #mistakes { order: 2; } #examples { order: 3; }
  figcaption { color: #52606d; font-size: .9rem; margin-top: .5rem; }
  .tables { display: grid; gap: .75rem; align-items: start;
    grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); }
  @media (max-width: 700px) { .figures { display: block; } figure { margin-bottom: .75rem; } }
</style>
<main>
<h1>$title</h1>
<p>A convolutional network, measured once on the 10,000 test digits, which it had never seen.</p>
<dl>$tiles</dl>
$ensemble
<h2>What happened</h2>
<div class="figures">$figures</div>
<h2>Digit by digit, and how to get this again</h2>
<div class="tables"><div>$digits</div><div>$recipe</div><div>$versions
<p><small>MNIST from $source, verified by SHA-256.</small></p></div></div>
</main>
</html>
""")
