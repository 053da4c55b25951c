"""Write the web page that reads handwriting on the user's device, as a folder for any file host.
The first time, npm fetches the runtime for browsers.
"""

import argparse
from pathlib import Path

from digits.commands import add_model_flag
from digits.terminal import say


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="folder: new, or an earlier site")
    add_model_flag(parser)


def run(arguments: argparse.Namespace, prog: str) -> None:
    from digits import bundle
    from digits.serving import site

    out: Path = arguments.out
    model = bundle.read(arguments.model or bundle.SHIPPED)
    model.check_reads()
    site.build(out, model)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    say(
        f"The site is in {out}: {size / 1e6:.0f} MB with its compressed copies. Put the folder on "
        f"any file host, or look at it here: python -m http.server -d {out}"
    )
