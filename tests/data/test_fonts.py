"""Are fonts those that the lock file pins, apart from those that measure, and drawn whole?"""

import json
import os
import shutil
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from benchmarks.handwriting.non_digits import FONTS as MEASURED
from digits.data.fonts import families, glyphs
from digits.data.strokes import CANVAS
from digits.errors import DigitsError

DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
EVERY = [*families.TRAINED_ON, *families.ASIDE]


def test_every_family_is_pinned_once_and_none_measures() -> None:
    package = json.loads((families.PROJECT / "package.json").read_text())
    lock = json.loads((families.PROJECT / "package-lock.json").read_text())["packages"]
    assert sorted(f"{families.PACKAGES}/{name}" for name in EVERY) == [*package["dependencies"]]
    for name in EVERY:
        pinned = lock[f"node_modules/{families.PACKAGES}/{name}"]
        assert pinned["integrity"].startswith("sha512-")
        assert "resolved" not in pinned  # from whichever registry npm uses
        assert pinned["license"] in ("OFL-1.1", "Apache-2.0")
    assert not {f"font-{name}" for name in EVERY} & {*MEASURED}


def test_the_manifest_names_each_version() -> None:
    found = families.versions(families.PRINTED)
    assert [*found["families"]] == families.PRINTED
    assert len(found["package-lock.json"]) == 64


def test_characters_are_drawn_whole_and_repeatably() -> None:
    text = "0123456789" * 20
    canvases = glyphs.draw(text, [[DEJAVU]], np.random.default_rng(1))
    assert canvases.shape == (200, CANVAS, CANVAS)
    assert np.array_equal(canvases, glyphs.draw(text, [[DEJAVU]], np.random.default_rng(1)))
    border = np.pad(np.zeros((CANVAS - 2, CANVAS - 2), bool), 1, constant_values=True)
    assert not canvases[:, border].any()
    heights = canvases.any(axis=2).sum(axis=1)
    assert glyphs.LONGER[0] - 2 <= heights.min() < heights.max() <= glyphs.LONGER[1] + 2


def test_every_font_has_every_digit() -> None:
    """A font without a character draws a box or nothing; both look alike for two characters."""
    if shutil.which("npm") is None and "CI" not in os.environ:
        pytest.skip("npm is not installed, which fetches the fonts")
    for name, files in zip(EVERY, families.faces(EVERY), strict=True):
        assert files, name
        for file in files:
            drawn = glyphs.draw("0123456789", [[file]], np.random.default_rng(1))
            assert drawn.any(axis=(1, 2)).all(), file
            assert len({one.tobytes() for one in drawn}) == 10, file


def test_without_npm_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DigitsError, match="npm, which fetches the fonts, is not installed"):
        families.faces(families.PRINTED, tmp_path)
    assert [*tmp_path.iterdir()] == []
