"""Do the notebooks in docs/ run, and show what is kept in them?"""

import re
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytest.importorskip("keras")

from notebook_pages import page_of  # noqa: E402 - docs/, which is not installed
from run_notebooks import NOTEBOOKS, executed  # noqa: E402 - as it imports nbformat

LARGEST = 500_000  # bytes
NOISE = re.compile(r"\x1b|\r|tensorflow/|[EIW]0000|oneDNN|WARNING|XNNPACK")
Cells = list[tuple[str, bool, list[Any]]]


def code(notebook: Any) -> Cells:
    """Of each cell of code its name, whether its figures vary, and its outputs."""
    return [
        (cell.id, "varies" in cell.metadata.get("tags", []), cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def words(output: Any) -> str:
    """The text of an output; of a picture what stands for it."""
    return str(output.get("text") or output.data["text/plain"])


def shown(outputs: list[Any], varies: bool) -> list[tuple[str, list[str], str]]:
    """What can be compared: kinds, types and text, without the numbers where these vary."""
    found = []
    for output in outputs:
        text = re.sub(r"[\d.,?█]+", "#", words(output)) if varies else words(output)
        kind = output.get("name", "result")
        found.append((kind, sorted(output.get("data", [])), " ".join(text.split())))
    return sorted(found)  # standard error comes before or after standard output


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_outputs_kept_are_those_that_come_again(path: Path) -> None:
    kept, again = code(nbformat.read(path, as_version=4)), code(executed(path))
    for (name, varies, before), (_, _, now) in zip(kept, again, strict=True):
        assert shown(now, varies) == shown(before, varies), name
        assert not [words(one) for one in now if NOISE.search(words(one))]
    if path.stem == "first-network":
        said = {name: words(outputs[0]) for name, _, outputs in again if outputs}
        own = re.match(r"([\d.]+)% are read correctly", said["test"])
        assert own
        assert 97 < float(own[1]) < 99.9
        assert len(re.findall("read as|Reading", said["readings"])) == 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_becomes_a_page_with_its_figures(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    page, pictures = page_of(path)
    assert f"[Download this notebook]({path.name})" in page
    figures = re.findall(r"!\[(.*)\]\((.*\.png)\)", page)
    assert len(figures) >= 4
    assert {name for _, name in figures} == set(pictures)
    assert all(alt for alt, _ in figures)
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())
    assert "```python" in page
    assert not NOISE.search(page)
