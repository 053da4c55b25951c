"""Which runs can be compared, and what are they called?"""

import shutil
from pathlib import Path

import pytest

from digits.cli import main
from digits.errors import DigitsError
from digits.studies.comparison import distinct_names, open_entries


def test_names_are_distinct() -> None:
    assert distinct_names([Path("a/x"), Path("b/y/"), Path("c/../z")]) == [
        "x",
        "y",
        "z",
    ]
    same = [Path("a/x"), Path("b/x"), Path("b/c/x"), Path("y")]
    assert distinct_names(same) == ["a/x", "b/x", "c/x", "y"]
    assert distinct_names([Path("a/b/x"), Path("c/b/x")]) == ["a/b/x", "c/b/x"]


def test_only_finished_runs_and_bundles_are_accepted(finished_run: Path, tmp_path: Path) -> None:
    def refused(reason: str, *folders: Path) -> None:
        with pytest.raises(DigitsError, match=reason) as found:
            open_entries(folders)
        assert "\n" not in str(found.value)

    refused("there is no such folder", tmp_path / "none")
    refused("holds neither a run of this version nor a bundle", tmp_path)
    refused("is given twice", finished_run, finished_run / ".." / finished_run.name)
    refused("27 runs are more than a page can hold", *[finished_run] * 27)
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(finished_run / "run.json", run)
    refused("is not finished; leave it out, or resume it: .* --resume", run)
    shutil.copy(finished_run / "metrics.json", run)
    refused("has no bundle; train it again", run)
    shutil.copytree(finished_run / "bundle", run / "bundle")
    assert open_entries([run])[0].recorded["seed"] == 1
    for damage, reason in (
        ("{", "metrics.json is damaged"),
        ("[]", "metrics.json is damaged"),
        ('{"test_accuracy": "high"}', "holds no intact figures"),
        ('{"mflop": null}', "holds no intact figures"),
    ):
        (run / "metrics.json").write_text(damage)
        refused(reason, run)
    (run / "bundle" / "model.keras").write_bytes(b"PK")
    refused("model.keras is not the file that the manifest describes", run)


def test_mistakes_are_reported_before_anything_is_measured(
    finished_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.html").mkdir()
    for out, reason in (
        ("page.png", "must end in .html"),
        ("folder.html", "is a folder"),
        ("none/page.html", "there is no folder"),
    ):
        assert main(["compare", str(finished_run), "--out", str(tmp_path / out)]) == 2
        output, errors = capfd.readouterr()
        assert output == ""
        assert reason in errors
        assert errors.startswith("digits compare: --out ")
        assert errors.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]
