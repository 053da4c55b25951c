"""Is the textbook CNN fed as the textbooks feed it?"""

import json
import runpy
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from benchmarks.textbook import reading as textbook
from benchmarks.textbook.network import network
from digits.data.mnist import Dataset, Mnist
from digits.errors import DigitsError


def test_its_layers_have_the_parameters_of_the_original() -> None:
    assert network().count_params() == 34_826


def test_a_picture_is_squeezed_whole() -> None:
    picture = np.zeros((280, 280), np.uint8)
    picture[:140] = 200
    small = textbook.squeezed(picture)
    assert small.shape == (28, 28)
    assert small[5, 5] == 200
    assert small[20, 20] == 0
    assert textbook.squeezed(np.zeros((16, 40), np.uint8)).shape == (28, 28)


def test_pixels_are_scaled_to_the_range_of_training(tmp_path: Path, mnist: Mnist) -> None:
    keras.utils.set_random_seed(1)
    model = network()
    model.save(tmp_path / "model.keras")
    images = mnist.train_images[:3]
    with textbook.model_file(tmp_path) as path:
        probabilities = textbook.predictor(path)(images)
    expected = model.predict(images[..., None] / np.float32(255), verbose=0)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    unscaled = model.predict(images[..., None].astype(np.float32), verbose=0)
    assert np.abs(unscaled - expected).max() > 0.01  # or the comparison would prove nothing


def test_a_missing_model_says_how_to_make_one(tmp_path: Path) -> None:
    with (
        pytest.raises(DigitsError, match=r"python -m benchmarks\.textbook --out"),
        textbook.model_file(tmp_path),
    ):
        pass


def test_it_is_trained_on_the_data_that_it_is_given(
    tmp_path: Path, mnist: Mnist, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, out = tmp_path / "mine.npz", tmp_path / "out"
    np.savez(mine, x_train=mnist.train_images[:350], y_train=mnist.train_labels[:350])
    trained: list[str] = []

    def train(data: Dataset, seed: int) -> tuple[keras.Model, dict[str, Any]]:
        trained.append(data.name)
        return network(), {"seed": seed}

    monkeypatch.setattr("benchmarks.textbook.network.train", train)
    for flags in (["--data", str(mine)], []):
        monkeypatch.setattr("sys.argv", ["textbook", "--out", str(out), *flags])
        runpy.run_module("benchmarks.textbook", run_name="__main__")
        metrics = json.loads((out / "metrics.json").read_text())
        assert metrics.get("own_data", {"path": "MNIST"})["path"].endswith(trained[-1])
    assert trained == ["mine.npz", "MNIST"]
