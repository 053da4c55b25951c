"""Is a network what it says, and is what is shipped the same as what was trained?"""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from digits.data.mnist import Mnist
from digits.evaluation import softmax
from digits.runs.recipes import Recipe
from digits.training.networks import models, size


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    model = models.build(Recipe(precision="float32"))
    for weights in model.trainable_variables:  # gains and biases off their starting values
        weights.assign_add(tf.random.stateless_normal(weights.shape, [1, 2], stddev=0.02))
    return model


@pytest.mark.parametrize("network", models.NETWORKS)
def test_shapes(network: str) -> None:
    model = models.build(Recipe(network=network))
    assert model.input_shape == (None, 28, 28, 1)
    branches = models.BRANCHES if network in ("upright", "branched") else 1
    assert model.output_shape == (None, branches, models.OUTPUTS)
    assert model(np.zeros((2, 28, 28, 1))).dtype == tf.float32


def test_the_four_parts_of_the_textbook(model: keras.Model) -> None:
    kinds = [type(layer).__name__ for layer in models.finish(model, 1.0).layers]
    for kind in ("Conv2D", "MaxPooling2D", "Dropout", "Dense"):
        assert kind in kinds


@pytest.mark.parametrize(
    ("network", "parameters", "mflop"),
    [
        ("cnn", 173_227, 10.9),
        ("small", 75_355, 4.0),
        ("tiny", 9_783, 1.9),
        ("upright", 203_590, 8.0),
        ("vgg", 180_971, 33.2),
        ("resnet", 180_491, 28.6),
        ("branched", 302_598, 42.0),
    ],
)
def test_parameters_and_operations_as_documented(
    network: str, parameters: int, mflop: float
) -> None:
    finished = models.finish(models.build(Recipe(network=network)), 1.0)
    assert finished.count_params() == parameters
    assert size.mflop(finished) == pytest.approx(mflop, abs=0.05)


def test_branches_answer_with_the_mean_of_their_probabilities() -> None:
    logits = np.random.default_rng(1).normal(0, 3, (5, models.BRANCHES, models.OUTPUTS))
    mean = softmax(logits.reshape(-1, models.OUTPUTS)).reshape(logits.shape).mean(axis=1)
    np.testing.assert_allclose(softmax(np.asarray(models.mean_of_branches(logits))), mean)
    np.testing.assert_array_equal(models.mean_of_branches(logits[:, :1]), logits[:, 0])


@pytest.mark.parametrize("network", models.NETWORKS)
def test_the_parts_together_are_the_network(network: str) -> None:
    model = models.build(Recipe(network=network, precision="float32"))
    images = tf.random.stateless_uniform((4, 28, 28, 1), [5, 6], maxval=255.0)
    parts = models.parts(model)
    views = parts.views(images)
    np.testing.assert_array_equal(views[..., :1], images)  # what is distorted is in pixels
    assert views.shape[-1] == (2 if network in ("branched", "tiny", "upright") else 1)
    features = parts.features(views)
    assert features.shape == (4, parts.feature_count)
    np.testing.assert_allclose(parts.logits(features), model(images), atol=1e-4)


@pytest.mark.parametrize("network", models.NETWORKS)
def test_finished_networks_read_as_trained(network: str) -> None:
    """This includes residual blocks, which begin at zero, once training has moved their gains."""
    keras.utils.set_random_seed(4)
    model = models.build(Recipe(network=network, precision="float32"))
    for weights in model.trainable_variables:
        weights.assign_add(tf.random.stateless_normal(weights.shape, [3, 4], stddev=0.1))
    images = tf.random.stateless_uniform((4, 28, 28, 1), [5, 6], maxval=255.0)
    expected = tf.nn.softmax(models.mean_of_branches(model(images))[:, :10])
    finished = models.finish(model, 1.0)(images)["probabilities"]
    np.testing.assert_allclose(finished, expected, atol=1e-4)


def test_kernels_are_standardized(model: keras.Model) -> None:
    layer = next(x for x in model.layers if isinstance(x, models.StandardizedConv2D))
    layer.gain.assign(tf.ones_like(layer.gain))
    kernel = layer.standardized_kernel().numpy()
    np.testing.assert_allclose(kernel.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    norm = np.sqrt((kernel**2).sum(axis=(0, 1, 2)))
    np.testing.assert_allclose(norm, models.RELU_GAIN, rtol=1e-2)


def test_finished_is_trained_divided_by_temperature(
    model: keras.Model, mnist: Mnist, tmp_path: Path
) -> None:
    images = mnist.train_images[:100]
    expected = softmax(models.predictor(model)(images)[:, :10] / 1.7)
    finished = models.finish(model, 1.7)
    found = models.predictor(finished)(images)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)
    assert found["is_digit"].shape == (100,)
    finished.save(tmp_path / "model.keras")
    assert not any(isinstance(x, models.StandardizedConv2D) for x in finished.layers)
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    again = models.predictor(reloaded)(images)
    np.testing.assert_allclose(again["probabilities"], expected, atol=1e-6)
    np.testing.assert_allclose(again["is_digit"], found["is_digit"], atol=1e-6)


@pytest.mark.parametrize("network", ["cnn", "upright"])
def test_pictures_may_be_fed_as_tutorials_feed_them(
    network: str, mnist: Mnist, tmp_path: Path
) -> None:
    """From 0 to 1, and without the channel. Keras's own `predict` takes one of the two shapes in
    the life of a model, so each has a model of its own here."""
    models.finish(models.build(Recipe(network=network, precision="float32")), 1.0).save(
        tmp_path / "model.keras"
    )
    images = mnist.test_images[:20]
    expected = keras.models.load_model(tmp_path / "model.keras").predict(images[..., None])
    for fed in (images, images / 255, images[..., None] / 255, images.astype(np.float32)):
        model = keras.models.load_model(tmp_path / "model.keras")
        for answers in (model(fed), model.predict(fed)):
            for name in ("probabilities", "is_digit"):
                np.testing.assert_allclose(answers[name], expected[name], atol=1e-5)


def test_a_blank_picture_is_not_a_digit(model: keras.Model) -> None:
    found = models.predictor(models.finish(model, 1.0))(np.zeros((3, 28, 28), np.uint8))
    assert np.array_equal(found["is_digit"], [0, 0, 0])
    np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1, atol=1e-6)


def test_bfloat16_computes_nearly_the_same(mnist: Mnist) -> None:
    images = mnist.train_images[:100]
    outputs = []
    for precision in ("float32", "bfloat16"):
        keras.utils.set_random_seed(3)
        half = models.build(Recipe(precision=precision))
        assert {v.dtype for v in half.trainable_variables} == {"float32"}
        outputs.append(models.predictor(models.finish(half, 1.0))(images)["probabilities"])
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-6)


@pytest.mark.parametrize(("count", "shards", "batch"), [(1, 2, 1000), (7, 3, 4), (100, 2, 33)])
def test_predictor_keeps_order_and_count(
    model: keras.Model, mnist: Mnist, count: int, shards: int, batch: int
) -> None:
    images = mnist.train_images[:count]
    one_by_one = [models.predictor(model)(image[None])[0] for image in images[:8]]
    found = models.predictor(model, shards, batch)(images)
    assert found.shape == (count, models.OUTPUTS)
    np.testing.assert_allclose(found[:8], one_by_one, atol=1e-4)
