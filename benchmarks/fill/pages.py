"""Fills the figures in README.md and in docs/ from the result files that the benchmarks wrote.

    python -m benchmarks.fill             fills README.md and the pages in docs/
    python -m benchmarks.fill --check     changes nothing; fails if a page says something else

Each figure stands in a block between `<!-- name -->` and `<!-- /name -->`. What the blocks hold is
in `blocks.py`. What `digits models` says is written and checked, too; see `recorded.py`.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks import ROOT
from benchmarks.fill import recorded
from benchmarks.fill.blocks import blocks
from digits.errors import DigitsError

MARK = re.compile(r"^<!-- (/?)(\w+) -->\n", re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail if they differ")
    check = parser.parse_args().check
    try:
        known = blocks()
    except DigitsError as error:
        print(error, file=sys.stderr)
        return 2
    differing = []
    for path in (recorded.FILE, *pages(ROOT)):
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        try:
            if path == recorded.FILE:
                after = recorded.content()
            else:
                after = fill(before, known if path.parent == ROOT else without_links(known))
        except DigitsError as error:
            print(f"{path.relative_to(ROOT)}: {error}", file=sys.stderr)
            return 2
        if before != after:
            differing.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(after, encoding="utf-8")
    if check and differing:
        print(
            f"These differ from the results: {', '.join(differing)}. Run python -m benchmarks.fill."
        )
        return 1
    return 0


def pages(root: Path) -> Iterator[Path]:
    """README.md and every page in docs/ but the log, which keeps the figures of its day."""
    yield root / "README.md"
    yield from (page for page in sorted((root / "docs").rglob("*.md")) if page.name != "log.md")


def fill(text: str, blocks: Mapping[str, str]) -> str:
    """Puts each block between its marks in a Markdown text.

    Raises:
        DigitsError: a mark without its partner, or with a name that no block has.
    """
    filled, at = "", 0
    marks = MARK.finditer(text)
    for begin in marks:
        name, end = begin[2], next(marks, None)
        if begin[1] or end is None or end.groups() != ("/", name):
            raise DigitsError(f"The mark {begin[0].strip()} has no partner.")
        if name not in blocks:
            raise DigitsError(f"There is no block {name!r}; see benchmarks/fill/blocks.py.")
        filled += f"{text[at : begin.end()]}{blocks[name]}\n"
        at = end.start()
    return filled + text[at:]


def without_links(blocks: Mapping[str, str]) -> dict[str, str]:
    """The blocks as the documentation site needs them: it holds no result files to link to."""
    link = re.compile(r"\[[^]]+]\((benchmarks/results/[^)]+)\)")
    return {name: link.sub(r"`\1`", block) for name, block in blocks.items()}
