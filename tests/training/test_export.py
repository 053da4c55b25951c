"""Keras and LiteRT give the same answers, or nothing is exported."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from digits import bundle
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runs.recipes import Recipe
from digits.training.exporting import export
from digits.training.networks import models

MANIFEST = {"thresholds": {"is_digit": 0.5}, "metrics": {}, "recipe": {}}


@pytest.fixture(scope="module", params=["cnn", "branched"])  # all kinds of operations
def model(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(3)
    return models.finish(models.build(Recipe(network=request.param, precision="float32")), 0.5)


@pytest.fixture(scope="module")
def folder(model: keras.Model, mnist: Mnist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "bundle"
    export.export(model, folder, mnist.train_images[:8], MANIFEST)
    return folder


def test_every_file_is_there_and_holds_the_weights(model: keras.Model, folder: Path) -> None:
    found = bundle.read(folder, every_file=True)
    assert set(found.manifest["files"]) == {
        "digits.tflite",
        "model.keras",
        "golden.npz",
    }
    assert len(found.model) > 4 * model.count_params()
    assert set(found.manifest["contract"]) == {"canvas", "digit", "accepted"}


@pytest.mark.parametrize("signature", ["canvas", "digit"])
def test_litert_reproduces_the_golden_outputs(folder: Path, signature: str) -> None:
    golden = np.load(folder / "golden.npz")
    runner = Interpreter(str(folder / "digits.tflite")).get_signature_runner(signature)
    for number, one in enumerate(golden[f"{signature}_input"]):
        for name, value in runner(**{signature: one[None]}).items():
            expected = golden[f"{signature}_{name}"][number]
            np.testing.assert_allclose(value[0], expected, atol=0.03 if name == "digit" else 1e-4)


def test_a_blank_canvas_is_not_a_digit(folder: Path) -> None:
    golden = np.load(folder / "golden.npz")
    blank = ~golden["canvas_input"].any(axis=(1, 2))
    assert blank.sum() == 1
    assert golden["canvas_is_digit"][blank] == 0
    assert np.isfinite(golden["canvas_probabilities"]).all()


def test_weights_that_are_not_finite_are_refused(mnist: Mnist, tmp_path: Path) -> None:
    broken = models.finish(models.build(Recipe(precision="float32")), 1.0)
    broken.weights[-1].assign(tf.fill(broken.weights[-1].shape, np.nan))
    with pytest.raises(DigitsError, match="differs from Keras"):
        export.export(broken, tmp_path / "b", mnist.train_images[:8], MANIFEST)
    assert list(tmp_path.iterdir()) == []


def test_a_runtime_that_disagrees_is_refused(
    model: keras.Model, mnist: Mnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = models.finish(models.build(Recipe(precision="float32", seed=2)), 0.5)
    lite = export.converted([other], export.signatures(other))
    monkeypatch.setattr(export, "converted", lambda *_: lite)
    with pytest.raises(DigitsError, match=r"LiteRT.*differs from Keras"):
        export.export(model, tmp_path / "b", mnist.train_images[:8], MANIFEST)
    assert list(tmp_path.iterdir()) == []
