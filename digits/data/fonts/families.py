"""The font families that are drawn from, fetched by npm and cached.

All are under the SIL Open Font License or the Apache License. None is among the fonts that
benchmarks measure with.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digits import npm

# ruff: noqa: SIM905 - a list literal would take a line for each name

HANDWRITING = """
alex-brush allura annie-use-your-telescope architects-daughter arizonia bad-script
balsamiq-sans beth-ellen caveat caveat-brush chilanka comic-neue coming-soon cookie
covered-by-your-grace damion dancing-script delicious-handrawn delius finger-paint gaegu
gloria-hallelujah grand-hotel grandstander great-vibes handlee happy-monkey homemade-apple
indie-flower italianno itim kaushan-script kiwi-maru knewave kristi la-belle-aurore licorice
liu-jian-mao-cao ma-shan-zheng mansalva marck-script nanum-brush-script nanum-pen-script
neucha nothing-you-could-do oooh-baby over-the-rainbow pacifico pangolin parisienne
permanent-marker petit-formal-script pinyon-script playball playpen-sans poor-story qwigley
reenie-beanie rock-salt rouge-script satisfy schoolbell sedgwick-ave shadows-into-light
shantell-sans short-stack sriracha swanky-and-moo-moo tangerine the-girl-next-door vibur
yellowtail yusei-magic zen-kurenaido zeyada zhi-mang-xing
""".split()
PRINTED = """
abril-fatface alfa-slab-one bowlby-one chango courier-prime fira-mono inconsolata
libre-baskerville limelight lora merriweather open-sans playfair-display roboto
source-sans-3 special-elite titan-one ultra vt323 zilla-slab
""".split()
TRAINED_ON = HANDWRITING + PRINTED
# Their I has serifs on both sides of both ends, as no 1 has.
SERIF = """
abril-fatface courier-prime fira-mono inconsolata libre-baskerville lora merriweather
playfair-display special-elite zilla-slab
""".split()
# Never trained on: choices for refusal and for other hands are made on these.
ASIDE = """
bitter cedarville-cursive courgette gochi-hand kalam long-cang oswald patrick-hand sacramento
sue-ellen-francisco yomogi
""".split()

PROJECT = Path(__file__).parent  # with npm's package.json and package-lock.json
PACKAGES = "@fontsource"
FILES = "-latin-[1-9]*-normal.woff2"


def faces(families: Sequence[str], cache: Path | None = None) -> list[list[Path]]:
    """The files of each family, one for each weight.

    Args:
        families: among those that package.json names.
        cache: as for `npm.fetched`.

    Raises:
        DigitsError: npm is missing, or cannot fetch the fonts.
    """
    folder = npm.fetched("fonts", PROJECT, _collect, cache)
    return [sorted(folder.glob(family + FILES)) for family in families]


def versions(families: Sequence[str]) -> dict[str, Any]:
    """The version of each family's package, and the SHA-256 of the lock file, which pins their
    contents."""
    lock = (PROJECT / "package-lock.json").read_bytes()
    packages = json.loads(lock)["packages"]
    found = {name: packages[f"node_modules/{PACKAGES}/{name}"]["version"] for name in families}
    return {"package-lock.json": hashlib.sha256(lock).hexdigest(), "families": found}


def _collect(packages: Path, made: Path) -> None:
    for files in (packages / PACKAGES).glob("*/files"):
        for file in files.glob(f"*{FILES}"):
            shutil.copy(file, made)
