"""Are networks trained, measured, resumed and compared on data that are not MNIST?"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import digits
from digits import bundle
from digits.cli import main
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.labelled.opening import load
from digits.runs import sweep
from digits.runs.recipes import RECIPES, for_data, named
from digits.runs.run import Run, create, find
from digits.studies import suspects

SHORT: dict[str, Any] = {"epochs": 2, "batch": 50}


@pytest.fixture(scope="module")
def clothes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of no digits: dark frames, as many and as thick as their label says, on noise."""
    rng = np.random.default_rng(1)
    labels = rng.integers(10, size=700)
    images = rng.integers(60, size=(700, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label : 28 - label, label : 28 - label] = 40 + 20 * label
    path = tmp_path_factory.mktemp("data") / "clothes.npz"
    np.savez(path, images=images, labels=labels)
    return path


@pytest.fixture(scope="module")
def of_clothes(clothes: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("runs") / "clothes"
    return digits.train("fast", data=clothes, not_digits=True, out=out, **SHORT)


def test_a_network_of_no_digits_says_so(of_clothes: Run, clothes: Path) -> None:
    metrics, found = of_clothes.metrics(), bundle.read(of_clothes.folder, every_file=True)
    kept = {key: of for key, of in metrics["own_data"].items() if key not in ("path", "remarks")}
    assert found.manifest["own_data"] == kept | {"path": clothes.name}
    assert str(clothes.parent) not in json.dumps(found.manifest)  # bundles are published
    assert (metrics["own_data"]["training"], metrics["own_data"]["test"]) == (600, 100)
    assert metrics["recipe"]["held_out"] == 120
    assert metrics["recipe"]["non_digits"] == metrics["recipe"]["variants"] == 0
    assert "non_digits_accepted" not in metrics
    assert metrics["test_accuracy"] > 0.5
    assert found.threshold == 0
    assert found.manifest["command"].endswith(f"--data {clothes.name} --not-digits")
    assert found.manifest["data"].startswith(
        f"not MNIST, no digits: {clothes.name}, 600 training and"
    )
    assert set(found.manifest["contract"]) == {"digit"}
    page = (of_clothes.folder / "report.html").read_text()
    assert "<h1>clothes.npz, recipe fast</h1>" in page
    assert "clothes.npz is not MNIST: 600 training and 100 test images." in page
    assert metrics["own_data"]["sha256"] in page
    assert "last 100 training images are held out" in page
    assert "test digit" not in page


def test_it_reads_no_pictures(of_clothes: Run, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DigitsError, match=r"trained on clothes\.npz, which shows no digits"):
        digits.Reader(of_clothes.bundle)
    for command in (["read", "a.png"], ["serve"], ["site", "out"]):
        assert main([*command, "--model", str(of_clothes.folder)]) == 2
        assert "which shows no digits, so it reads none" in capfd.readouterr().err
    assert main(["info", "--model", str(of_clothes.folder)]) == 0
    text = " ".join(capfd.readouterr().out.split())
    assert "of clothes.npz's test images read correctly" in text
    assert "accepts everything; it reads no pictures" in text


def test_it_is_measured_on_its_own_data(
    of_clothes: Run, clothes: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(of_clothes.bundle), "--data", str(clothes)]
    assert main([*command, "--json"]) == 0
    figures = json.loads(capfd.readouterr().out)
    assert figures["test_accuracy"] == of_clothes.metrics()["test_accuracy"]
    assert figures["own_data"] == of_clothes.metrics()["own_data"]
    assert "accepted" not in figures
    with pytest.raises(DigitsError, match="name these data with --data"):
        digits.evaluate(of_clothes.bundle)
    with pytest.raises(DigitsError, match="two things to measure on"):
        digits.evaluate(images="x", data=clothes)
    page = tmp_path / "page.html"
    arguments = [str(of_clothes.folder), "--data", str(clothes), "--out", str(page)]
    assert main(["compare", *arguments]) == 0
    text = capfd.readouterr().out
    assert text.startswith("On the test part of clothes.npz:")
    assert "canvas" not in text
    assert "On the 100 test images of clothes.npz" in page.read_text()


def test_a_transposed_set_is_trained_and_resumed_with_the_same_data_alone(
    mnist: Mnist, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, moved, other = (tmp_path / f"{name}.npz" for name in ("emnist", "moved", "other"))
    arrays: dict[str, Any] = {
        "x": mnist.train_images[:840].transpose(0, 2, 1),
        "y": mnist.train_labels[:840],
    }
    np.savez(data, **arrays)
    opened = load(data)
    recipe = named("fast", {**SHORT, "variants": 30, "non_digits": 90})
    run = create(for_data(recipe, opened), tmp_path / "run", data=opened.own)
    assert find(run.folder) == run
    data.rename(moved)
    arrays["y"] = (arrays["y"] + (np.arange(840) == 7)) % 10  # one label differs
    np.savez(other, **arrays)
    resume = ["train", "--resume", str(run.folder)]
    for more, reason in (
        ([], "emnist.npz, which is not there any more; name the same data with --data"),
        (["--data", str(other)], "other.npz holds other images"),
        (["--data", str(moved), "--not-digits"], "give it alone"),
    ):
        assert main([*resume, *more]) == 2
        assert reason in capfd.readouterr().err

    assert main([*resume, "--data", str(moved)]) == 0
    words = " ".join(capfd.readouterr().out.split())
    assert f"{moved}, which is not MNIST (SHA-256 " in words
    assert "…): 576 digits to train on, 144 to validate, 120 to test." in words
    assert "Its digits came transposed; they are turned" in words
    assert opened.own
    assert run.metrics()["own_data"]["sha256"] == opened.own.sha256
    assert run.metrics()["test_accepted"] > 0.8
    assert digits.Reader(run.folder).manifest["own_data"]["digits"]


def test_a_run_on_other_data_is_another_run(of_clothes: Run, clothes: Path, tmp_path: Path) -> None:
    """For sweeps, which know a run by its recipe."""
    own = load(clothes, not_digits=True).own
    begun = create(of_clothes.recipe, tmp_path / "a", data=own)
    assert sweep.plan([begun.recipe], tmp_path, own) == [begun]
    (on_mnist,) = sweep.plan([begun.recipe], tmp_path)
    assert on_mnist.folder != begun.folder
    assert on_mnist.data is None


def test_a_search_for_wrong_labels_keeps_its_data(clothes: Path, tmp_path: Path) -> None:
    data = load(clothes, not_digits=True)
    folder = suspects.begin(RECIPES["fast"], 3, tmp_path / "search", data)
    assert suspects.begun_with(folder) == data.own
    assert json.loads((folder / "plan.json").read_text())["recipe"]["held_out"] == 200
