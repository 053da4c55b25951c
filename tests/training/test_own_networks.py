"""Is a network of one's own trained as exactly as this program's, or refused with what to do?"""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import digits
from digits import bundle
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.evaluation import softmax
from digits.runs import recipes, workers
from digits.runs.recipes import Recipe
from digits.studies.teaching.last_layers import LastLayers
from digits.training import trial
from digits.training.networks import models, own_network
from digits.training.networks.size import layer_table, mflop
from digits.training.train import _truth, train

EXAMPLES = Path(__file__).parent.parent.parent / "docs" / "examples"
# Everything that has a state of its own or a loss: what is exact without these is exact anyway.
STATEFUL = """
import keras
from keras import layers, regularizers

def build(recipe):
    digit = keras.Input((28, 28, 1))
    x = layers.AveragePooling2D(2)(layers.Rescaling(1 / 255)(digit))
    x = layers.Conv2D(8, 5, strides=2, kernel_regularizer=regularizers.L2(0.001))(x)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.Dropout(recipe.dropout)(layers.Flatten()(x))
    return keras.Model(digit, layers.Dense(10)(x))
"""
TINY: dict[str, Any] = {"epochs": 1, "held_out": 58_000, "variants": 0, "non_digits": 100}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `network.py`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network.py").write_text(STATEFUL)
    return tmp_path


def own(network: str = "network.py:build", **fields: Any) -> Recipe:
    return recipes.named("fast", {"network": network} | fields)


class Killed(Exception):  # noqa: N818 - no error
    """Ends training after an epoch."""


def test_killed_and_resumed_ends_with_the_same_bits(mnist: Mnist, folder: Path) -> None:
    few = mnist.train_images[:300], mnist.train_labels[:300]
    recipe = own(epochs=2, batch=100)

    def kill(history: list[Any]) -> None:
        raise Killed

    states = []
    for name in ("whole", "killed"):
        (folder / name).mkdir()
        (folder / name / "network.py").write_text(STATEFUL)
        state = folder / name / "state.npz"
        if name == "killed":
            with pytest.raises(Killed):
                train(recipe, few, few, state, shards=2, on_epoch=kill)
        train(recipe, few, few, state, shards=2)
        with np.load(state) as file:
            states.append({key: file[key].tobytes() for key in file if key != "history"})
    assert states[0] == states[1]
    assert len(states[0]) > 10


def test_its_own_losses_count(mnist: Mnist, folder: Path) -> None:
    few = mnist.train_images[:100], mnist.train_labels[:100]
    norms = []
    for strength in ("0.0", "10.0"):
        (folder / "network.py").write_text(STATEFUL.replace("L2(0.001)", f"L2({strength})"))
        recipe = own(epochs=1, batch=10, learning_rate=0.1, precision="float32")
        model, _ = train(recipe, few, few, folder / f"{strength}.npz")
        norms.append(float(np.square(model.trainable_weights[0]).sum()))
    assert norms[1] < norms[0] / 2


def test_a_run_of_ones_own_network(
    mnist: Mnist, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a function to the report, the bundle, the reader and its refusals."""
    spec = importlib.util.spec_from_file_location("network", folder / "network.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    few = replace(mnist, test_images=mnist.test_images[:500], test_labels=mnist.test_labels[:500])
    monkeypatch.setattr("digits.api.load_mnist", lambda _: few)
    run = digits.train("fast", network=module.build, out=folder / "run", **TINY)
    assert run.network_file.read_text() == STATEFUL
    metrics = run.metrics()
    assert (metrics["outputs"], metrics["recipe"]["non_digits"]) == (10, 0)
    found = bundle.read(run.bundle, every_file=True)
    assert found.manifest["recipe"]["network"] == "network.py:build"
    assert found.manifest["recipe"]["network_sha256"] == run.recipe.network_sha256
    assert "--network network.py:build" in found.manifest["command"]
    assert "no output for non-digits" in found.manifest["is_digit"]
    report = (run.folder / "report.html").read_text()
    assert "<h1>MNIST, build of network.py, recipe fast</h1>" in report
    assert "BatchNormalization" in report
    reading = digits.Reader(run.bundle).classify(mnist.test_images[0])
    assert reading.digit in range(10)
    kept = keras.models.load_model(run.network)(mnist.test_images[:50].astype(np.float32))
    likeliest = np.asarray(kept["probabilities"]).max(axis=1)
    np.testing.assert_allclose(kept["is_digit"], likeliest, atol=1e-6)
    assert json.loads((run.folder / "run.json").read_text())["recipe"]["name"] == "fast"


def test_finished_networks_read_as_trained(mnist: Mnist) -> None:
    model = models.build(own(precision="bfloat16"))
    assert own_network.normalises(model)
    images = mnist.train_images[:50, ..., None].astype(np.float32)
    for _ in range(3):
        model(images, training=True)  # moves the means of the batches
    finished = models.finish(model, 2.0)
    expected = softmax(np.asarray(model(images), np.float32)[:, 0] / 2)
    for fed in (images, images / 255):
        np.testing.assert_allclose(finished(fed)["probabilities"], expected, atol=0.02)


@pytest.mark.parametrize(("name", "lines"), [("mlp", 10), ("transformer", 40)])
def test_the_examples_can_be_trained(name: str, lines: int) -> None:
    path = EXAMPLES / f"{name}.py"
    code = [line for line in path.read_text().splitlines() if line.strip()]
    assert len(code) <= lines
    recipe = own(f"{path}:build", dropout=0.2)
    assert trial.tried(recipe) == recipe
    model = models.build(recipe)
    assert model.output_shape == (None, 1, models.OUTPUTS)
    table = layer_table(models.finish(model, 1.0))
    assert sum(parameters for *_, parameters in table) == model.count_params()


def test_operations_of_attention_and_of_recurrence_by_hand() -> None:
    steps = keras.Input((5, 8))
    attention = layers.MultiHeadAttention(2, 3)(steps, steps)
    projections = 5 * (3 * 8 * 2 * 3 + 2 * 3 * 8)
    products = 2 * 2 * 5 * 5 * 3  # heads, the two products, query by key, width
    assert mflop(keras.Model(steps, attention)) == pytest.approx(2e-6 * (projections + products))
    recurrent = layers.SimpleRNN(4)(steps)
    assert mflop(keras.Model(steps, recurrent)) == pytest.approx(2e-6 * 5 * (8 * 4 + 4 * 4))
    twice = layers.Dense(8)
    assert mflop(keras.Model(steps, twice(twice(steps)))) == pytest.approx(2e-6 * 2 * 5 * 64)


def dense(units: int = 10, **settings: Any) -> keras.Sequential:
    return keras.Sequential([layers.Flatten(), layers.Dense(units, **settings)])


def after(operation: Callable[[Any], Any]) -> keras.Model:
    digit = keras.Input((28, 28, 1))
    return keras.Model(digit, operation(layers.Flatten()(digit)))


class Mine(layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x


class Subclass(keras.Model):
    """It calls a layer, as tutorials have it."""


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: dense(activation="softmax"), "ends in softmax, .* leave softmax out"),
        (lambda: dense(activation="relu"), "ends in relu"),
        (lambda: after(lambda x: layers.Softmax()(layers.Dense(10)(x))), "ends in softmax"),
        (lambda: after(lambda x: ops.softmax(layers.Dense(10)(x))), "gives probabilities"),
        (lambda: dense(12), "gives the shape 12; let it end in layers.Dense"),
        (lambda: keras.Sequential([layers.Conv2D(10, 3)]), "gives the shape 26×26×10"),
        (lambda: keras.Sequential([keras.Input((784,)), layers.Dense(10)]), "of shape 784; let it"),
        (
            lambda: keras.Sequential([keras.Input((28, 28, 1), dtype="uint8"), *dense().layers]),
            "takes uint8",
        ),
        (lambda: after(lambda x: [layers.Dense(10)(x)] * 2), "2 outputs; let it have one"),
        (lambda: after(lambda x: layers.Dense(10)(layers.Lambda(abs)(x))), "a Lambda, which no"),
        (lambda: after(lambda x: layers.Dense(10)(Mine()(x))), "a class of its own, Mine, which"),
        (Subclass, "gives a class of its own, Subclass; give back"),
        (lambda: None, "gives NoneType; give back a keras.Sequential"),
        (lambda: after(lambda x: x[:, :10]), "has no weights to train"),
        (
            lambda: after(lambda x: layers.Dense(10)(ops.log(x - 300))),
            "numbers that are not finite",
        ),
        (
            lambda: after(lambda x: layers.Dense(10)(ops.erfinv(x / 256))),
            "needs the operation Erfinv, in its layer erfinv, which LiteRT",
        ),
    ],
)
def test_what_cannot_be_trained_or_exported_is_refused(
    made: Callable[[], Any], reason: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digits.runs.network_file.load", lambda *_: made)
    with pytest.raises(DigitsError, match=rf"network.py:build .*{reason}"):
        digits.train("fast", network="network.py:build", out=folder / "run")
    assert not (folder / "run").exists()


def test_what_takes_more_than_a_recipe_is_refused(folder: Path) -> None:
    (folder / "network.py").write_text("def build(recipe, width): ...")
    with pytest.raises(DigitsError, match="takes recipe, width; let it take the recipe alone"):
        trial.tried(own())


def test_errors_of_its_layers_are_told_in_its_line(folder: Path) -> None:
    wrong = STATEFUL.replace("layers.Flatten()(x)", "layers.Reshape((10,))(x)")
    (folder / "network.py").write_text(wrong)
    with pytest.raises(DigitsError, match=r"line 10: ValueError: .* must be unchanged") as caught:
        trial.tried(own())
    assert "\x1b" not in str(caught.value)
    line = "x = layers.Dropout(recipe.dropout)(layers.Reshape((10,))(x))"
    assert str(caught.value).endswith(f"; the line is: {line}")


def test_a_file_that_trains_when_it_is_loaded(folder: Path) -> None:
    trains = STATEFUL + "\nimport digits\ndigits.train(network='network.py:build')\n"
    (folder / "network.py").write_text(trains)
    with pytest.raises(DigitsError, match="would load itself without end"):
        trial.tried(own())


def test_ten_logits_learn_from_labels_and_teachers_without_non_digits() -> None:
    labels = np.array([3, 10], np.uint8)
    learnt = np.asarray(_truth(labels, 0.0, 10))
    np.testing.assert_allclose(learnt, [np.eye(10)[3], np.zeros(10)])
    taught = np.zeros((2, 11), np.float16)
    taught[0, [1, 7, 10]] = 0.25, 0.25, 0.5
    taught[1, 10] = 1  # a blank picture teaches nothing
    learnt = np.asarray(_truth(taught, 0.1, 10))
    np.testing.assert_allclose(learnt, [(np.eye(10)[1] + np.eye(10)[7]) / 2, np.zeros(10)])


def test_several_machines_and_teaching_are_for_this_programs_networks() -> None:
    team = workers.Team(("a:1", "b:1"), 0)
    with pytest.raises(DigitsError, match=r"network.py:build is your own; leave --workers out"):
        workers.check_network(own(), team)
    workers.check_network(Recipe(), team)
    finished = models.finish(models.build(own()), 1.0)
    with pytest.raises(DigitsError, match="build is a network of someone's own"):
        LastLayers.of(finished, 1)
