"""Does the search find wrong labels with models not trained on them, and does it resume?"""

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from processes import ROOT

from benchmarks import suspects as benchmark
from digits import bundle, runtime
from digits.cli import main
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runs.recipes import RECIPES, TRAINING_IMAGES
from digits.studies import cross_validation, suspects

# Two models of 60 steps each on 30,000 digits.
SMALL = ["--folds", "2", "--recipe", "fast", "--epochs", "2", "--batch", "1000"]
SMALL += ["--non-digits", "300"]


@contextmanager
def searching(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A search started as a user starts it, and killed at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "digits.cli", "evaluate", "--suspects", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 900
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"{path} was not written"
        time.sleep(0.01)


def probabilities(folder: Path, number: int) -> bytes:
    """The answers of a fold's model for all images of its part."""
    with np.load(folder / f"fold-{number}.npz") as file:
        return file["probabilities"].tobytes()


def rows(folder: Path, half: str) -> list[dict[str, str]]:
    with (folder / "scores.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["half"] == half]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search that was killed in its second fold and resumed."""
    folder = tmp_path_factory.mktemp("suspects") / "search"
    with searching("--out", folder, *SMALL) as process:
        wait_for(folder / "fold-1.npz", process)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "fold-2.npz").exists()
    first = (folder / "fold-1.npz").stat().st_mtime_ns
    with searching("--resume", folder, "--json") as process:
        output, errors = process.communicate(timeout=900)
    assert process.returncode == 0, errors
    assert (folder / "fold-1.npz").stat().st_mtime_ns == first  # not trained again
    assert json.loads(output) == json.loads((folder / "suspects.json").read_text())
    for part in ("Traceback", "WARNING"):
        assert part not in errors
    return folder


def test_every_image_is_judged_once(folder: Path, mnist: Mnist) -> None:
    for half, labels in (("training", mnist.train_labels), ("test", mnist.test_labels)):
        found = rows(folder, half)
        index = np.array([int(row["index"]) for row in found])
        assert (np.sort(index) == np.arange(len(labels))).all()
        assert ([int(row["label"]) for row in found] == labels[index]).all()
        assert [int(row["rank"]) for row in found] == [*range(1, len(labels) + 1)]
        given = [float(row["label_probability"]) for row in found]
        assert given == sorted(given)


def test_its_models_can_read(folder: Path) -> None:
    """But not perfectly: at 100% they would have been trained on the images that they judge."""
    figures = json.loads((folder / "suspects.json").read_text())
    for half, images in (("training", 60000), ("test", 10000)):
        of_half = figures[half]
        assert of_half["images"] == images
        assert 0.001 < of_half["disputed"] / images < 0.08
        assert 0 < of_half["suspects"] <= of_half["disputed"]
        found = rows(folder, half)
        assert sum(int(row["suspect"]) for row in found) == of_half["suspects"]
        for row, line in zip(of_half["ranked"], found, strict=False):
            assert row["index"] == int(line["index"])
            assert row["probability"] == pytest.approx(float(line["probability"]), rel=1e-5)


def test_text_and_figure_show_the_most_disputed(folder: Path) -> None:
    text = (folder / "suspects.txt").read_text()
    assert max(map(len, text.replace(str(folder), "").splitlines())) <= 90
    lines = [line.split()[:4] for line in text.splitlines()]
    for row in rows(folder, "training")[:20]:
        assert [row[name] for name in ("rank", "index", "label", "read_as")] in lines
    with Image.open(folder / "suspects.png") as picture:
        assert picture.width > 1000
        assert picture.height > 1000
        assert len(picture.convert("L").getcolors() or []) > 100  # all greys of pictures and text
    assert not list(folder.glob("*.part"))
    assert not list(folder.glob("*state*"))


def test_the_benchmark_counts_what_the_search_found(folder: Path) -> None:
    search, training, test, *found = benchmark.collect(folder)
    assert search["folds"] == 2
    assert [line["half"] for line in found] == ["training"] * training["suspects"] + [
        "test"
    ] * test["suspects"]
    first = {int(row["index"]) for row in rows(folder, "test")[:100]}
    assert test["unconfirmed"] == 15
    assert test["unconfirmed_in_first_100"] == len(first & set(benchmark.UNCONFIRMED))
    text = benchmark.summary([search, training, test, *found])
    for number in (training["disputed"], training["suspects"], test["disputed"]):
        assert f" {number}" in text


def test_ctrl_c_costs_at_most_an_epoch(folder: Path, tmp_path: Path) -> None:
    """The first fold again, this time interrupted, ends with exactly the same answers."""
    again = tmp_path / "again"
    again.mkdir()
    for name in ("plan.json", "fold-2.npz", "fold-2.keras"):
        (again / name).write_bytes((folder / name).read_bytes())
    with searching("--resume", again) as process:
        wait_for(again / "fold-1-state.npz", process)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=300)
    assert (process.returncode, output) == (130, "")
    assert f"digits evaluate --suspects --resume {again}" in errors
    assert "Traceback" not in errors
    with searching("--resume", again) as process:
        output, _ = process.communicate(timeout=900)
    assert process.returncode == 0
    assert output == (again / "suspects.txt").read_text()
    assert probabilities(again, 1) == probabilities(folder, 1)
    assert (again / "scores.csv").read_bytes() == (folder / "scores.csv").read_bytes()


def test_a_finished_search_is_not_resumed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--suspects", "--resume", str(folder)]) == 2
    assert "is finished" in capsys.readouterr().err


def test_a_damaged_fold_is_named(folder: Path, tmp_path: Path, mnist: Mnist) -> None:
    (tmp_path / "fold-1.npz").write_bytes((folder / "fold-1.npz").read_bytes()[:1000])
    with pytest.raises(DigitsError, match=r"fold-1.npz is damaged .* remove it"):
        cross_validation.answers_of(
            RECIPES["fast"], np.arange(TRAINING_IMAGES), tmp_path / "fold-1", mnist, 2
        )


def test_wrong_labels_are_found(mnist: Mnist) -> None:
    """Changes some labels of digits that the shipped model was not trained on."""
    images, labels = mnist.test_images[5000:7000], mnist.test_labels[5000:7000].copy()
    changed = np.random.default_rng(1).choice(len(labels), 30, replace=False)
    labels[changed] = (labels[changed] + 3) % 10
    answers = runtime.answers(bundle.read(bundle.SHIPPED), images)
    ranked = suspects.judge(labels, *answers)
    assert 25 <= sum(row["suspect"] for row in ranked) <= 40
    assert len({row["index"] for row in ranked[:35]} & set(changed.tolist())) >= 29
    first = ranked[0]
    assert first["label"] == labels[first["index"]]
    assert first["read_as"] == answers[0][first["index"]].argmax()
    assert first["label_probability"] < 0.01 < 0.9 < first["probability"]
    assert first["suspect"]
    assert not ranked[-1]["suspect"]


@pytest.mark.parametrize("count", [2, 7])
def test_parts_cover_mnist(count: int) -> None:
    parts = suspects.parts(seed=1, folds=count)
    assert len(parts) == count
    assert (np.sort(np.concatenate(parts)) == np.arange(TRAINING_IMAGES)).all()
    assert all((np.diff(part) > 0).all() for part in parts)
    sizes = [len(part) for part in parts]
    assert sizes[0] == max(sizes) <= min(sizes) + 1
    assert (parts[0] == suspects.parts(seed=1, folds=count)[0]).all()
    assert suspects.plan(RECIPES["fast"], count).held_out == sizes[0]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["some/bundle"], "leave the BUNDLE some/bundle out"),
        (["--suite", "corruptions"], "--suite: not allowed with argument --suspects"),
        (["--images", "."], "--images: not allowed with argument --suspects"),
        (["--held-out", "5000"], "the folds decide what is held out"),
        (["--folds", "1"], "--folds must be from 2 to 20, not 1."),
        (["--folds", "0"], "--folds must be from 2 to 20, not 0."),
        (["--folds", "2", "--batch", "40000"], "choose a smaller --batch"),
        (["--recipe", "slow"], "There is no recipe 'slow'"),
        (["--out", "."], "already holds files"),
        (["--resume", "nowhere"], "There is no search in nowhere"),
        (["--resume", "nowhere", "--epochs", "3"], "give it alone"),
        (["--resume", "nowhere", "--folds", "3"], "give it alone"),
    ],
)
def test_mistakes(
    arguments: list[str], reason: str, capfd: pytest.CaptureFixture[str], mnist: Mnist
) -> None:
    try:
        status: Any = main(["evaluate", "--suspects", *arguments])
    except SystemExit as end:  # argparse
        status = end.code
    output, errors = capfd.readouterr()
    assert (status, output) == (2, "")
    assert reason in errors
    assert errors.splitlines()[-1].startswith("digits evaluate: ")


def test_its_flag_may_be_abbreviated(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--susp", "a"]) == 2
    assert "leave the BUNDLE a out" in capfd.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", '{"recipe": {}}', '{"recipe": {}, "folds": "2"}'])
def test_a_damaged_plan(content: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plan.json").write_text(content)
    assert main(["evaluate", "--suspects", "--resume", str(tmp_path)]) == 2
    assert "plan.json is damaged" in capfd.readouterr().err


def test_train_does_not_resume_the_folder_of_a_search(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.json").write_bytes((folder / "plan.json").read_bytes())
    assert main(["train", "--resume", str(tmp_path)]) == 2
    assert "There is no run in" in capfd.readouterr().err


def test_help_fits_a_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["evaluate", "--suspects", "--help"])
    output, errors = capfd.readouterr()
    assert errors == ""
    assert max(map(len, output.splitlines())) <= 80


@pytest.mark.parametrize("module", ["cleanlab", "tensorflow"])
def test_without_the_training_side_it_says_what_to_install(module: str, tmp_path: Path) -> None:
    program = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from digits.cli import main\n"
        f"sys.exit(main(['evaluate', '--suspects', '--out', {str(tmp_path / 'search')!r}]))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (2, "")
    assert f"{module} is not installed" in found.stderr
    assert 'pip install -e ".[train]"' in found.stderr
    assert found.stderr.count("\n") == 1
