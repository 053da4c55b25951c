"""Write the web page that reads handwriting on the user's device, as a folder for any file host.
The first time, npm fetches the runtime for browsers.
"""

import argparse
from pathlib import Path

from digits.commands import add_model_flag
from digits.terminal import own_words_only, say


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="folder: new, or an earlier site")
    add_model_flag(parser)
    parser.add_argument(
        "--drop-earlier",
        action="store_true",
        help="delete what earlier versions of the page need, which visitors may have open",
    )


def run(arguments: argparse.Namespace, prog: str) -> None:
    from digits import bundle
    from digits.serving import site

    out: Path = arguments.out
    model = bundle.read(arguments.model or bundle.SHIPPED)
    model.check_reads()
    with own_words_only():
        from digits.runtime import check, model_of

        check(model_of(model))
    earlier = site.build(out, model, drop_earlier=arguments.drop_earlier)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if earlier:
        say(f"Kept for visitors of earlier versions: {', '.join(earlier)}.")
    say(
        f"The site is in {out}: {size / 1e6:.0f} MB with its compressed copies. Put the folder on "
        f"any file host, or look at it here: python -m http.server -d {out}"
    )
