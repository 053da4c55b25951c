"""Keras, LiteRT and ONNX Runtime give the same answers, or nothing is exported."""

from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from digits import bundle
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runs.recipes import Recipe
from digits.training import export, models

MANIFEST = {"thresholds": {"is_digit": 0.5}, "metrics": {}, "recipe": {}}


@pytest.fixture(scope="module", params=["cnn", "branched"])  # all kinds of operations
def model(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(3)
    return models.finish(models.build(Recipe(network=request.param, precision="float32")), 0.5)


@pytest.fixture(scope="module")
def folder(model: keras.Model, mnist: Mnist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "bundle"
    export.export(model, folder, mnist.train_images[:8], MANIFEST, onnx=True)
    return folder


def test_every_file_is_there_and_holds_the_weights(model: keras.Model, folder: Path) -> None:
    found = bundle.read(folder, every_file=True)
    assert set(found.manifest["files"]) == {
        "digits.tflite",
        "digits.onnx",
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


def test_onnx_agrees(folder: Path) -> None:
    golden = np.load(folder / "golden.npz")
    session = onnxruntime.InferenceSession(folder / "digits.onnx")
    for one, expected in zip(golden["canvas_input"], golden["canvas_probabilities"], strict=True):
        (found,) = session.run(["probabilities"], {"canvas": one[None]})
        np.testing.assert_allclose(found[0], expected, atol=1e-4)


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


@pytest.mark.parametrize("runtime", ["LiteRT", "ONNX Runtime"])
def test_a_runtime_that_disagrees_is_refused(
    model: keras.Model, mnist: Mnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    other = models.finish(models.build(Recipe(precision="float32", seed=2)), 0.5)
    functions = export.signatures(other)
    if runtime == "LiteRT":
        lite = export._lite([other], functions)
        monkeypatch.setattr(export, "_lite", lambda *_: lite)
    else:
        onnx = export._onnx(functions["canvas"])
        monkeypatch.setattr(export, "_onnx", lambda *_: onnx)
    with pytest.raises(DigitsError, match=rf"{runtime}.*differs from Keras"):
        export.export(model, tmp_path / "b", mnist.train_images[:8], MANIFEST, onnx=True)
    assert list(tmp_path.iterdir()) == []
