"""The networks. Each is a plain function from a digit to the features of its branches."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from digits.data.mnist import Bytes
from digits.evaluation import CLASSES
from digits.runs import network_file
from digits.runs.recipes import Recipe
from digits.training.geometry import deskew
from digits.training.networks import own_network as own

# The standard deviation of relu(x) for normal x is 1 / 1.7139, so this gain keeps the size of
# signals from layer to layer (Brock, De & Smith 2021).
RELU_GAIN = 1.7139
OUTPUTS = CLASSES + 1  # the last is for non-digits
BRANCHES = 2  # of the network that has some


class StandardizedConv2D(layers.Conv2D):
    """Convolution whose kernel is brought to mean 0 and a fixed variance for each filter.

    Scaled weight standardisation with a learned gain (Qiao et al. 2019; Brock, De & Smith 2021).
    It does the work of batch normalisation on the weights, which are small, instead of on the
    images, where it took half of the training time.
    """

    def __init__(self, *arguments: Any, first_gain: float = 1, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.first_gain = keras.initializers.Constant(first_gain)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self.autocast = False  # the sums over a kernel need float32 whatever the images are in
        self.gain = self.add_weight(shape=(self.filters,), initializer=self.first_gain, name="gain")

    def standardized_kernel(self) -> tf.Tensor:
        """The kernel that the convolution uses, shape (height, width, channels, filters)."""
        mean, variance = tf.nn.moments(tf.convert_to_tensor(self.kernel), axes=[0, 1, 2])
        fan_in = np.prod(self.kernel.shape[:3])
        scale = RELU_GAIN * self.gain * tf.math.rsqrt(variance * fan_in + 1e-4)
        return (self.kernel - mean) * scale

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        kernel = tf.cast(self.standardized_kernel(), inputs.dtype)
        outputs = tf.nn.conv2d(inputs, kernel, self.strides, self.padding.upper())
        return tf.nn.bias_add(outputs, tf.cast(self.bias, inputs.dtype))


def cnn(digit: keras.KerasTensor) -> list[keras.KerasTensor]:
    """The four parts of a textbook network: convolutions, pooling, dropout, a dense layer.

    Sides go 28, 24, 12 after the pool, 10, 10, 5 after the pool, 3. 173 thousand parameters,
    10.9 MFLOP an image.
    """
    x = _blurred_pool(_convolution(_ink(digit), 16, size=5))
    x = _convolution(x, 48)
    x = _blurred_pool(_convolution(x, 80, padding="same"))
    return [_convolution(x, 160)]


def small(digit: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Like `cnn`, with max pooling, fewer filters and one convolution less.

    75 thousand parameters, 4.0 MFLOP an image.
    """
    x = _convolution(_ink(digit), 16, size=5, pool=True)
    x = _convolution(x, 48, pool=True)
    return [_convolution(x, 96, padding="same")]


def tiny(digit: keras.KerasTensor) -> list[keras.KerasTensor]:
    """The parts of `cnn` in fewer than 10,000 parameters: 9,783, and 1.9 MFLOP an image.

    It sees the raw digit and the deskewed one, in two channels, which costs few parameters.
    """
    x = _blurred_pool(_convolution(_ink(digit, deskew(digit)), 8, size=5))
    x = _convolution(x, 16, padding="same")
    x = _blurred_pool(_convolution(x, 24, padding="same"))
    return [_convolution(x, 12)]


def upright(digit: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Two branches of four convolutions, on the raw digit and on the deskewed digit.

    Sides go 28, 24, 12 after the pool, 10, 8, 4 after the pool, 2. 204 thousand parameters, 8.0
    MFLOP an image. `branched` says how the branches answer together.
    """
    raw, straight = ops.split(_ink(digit, deskew(digit)), BRANCHES, axis=-1)
    return [_four_convolutions(raw), _four_convolutions(straight)]


def _four_convolutions(x: keras.KerasTensor) -> keras.KerasTensor:
    x = _blurred_pool(_convolution(x, 12, size=5))
    x = _convolution(x, 32)
    x = _blurred_pool(_convolution(x, 64))
    return _convolution(x, 128)


def vgg(digit: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Pairs of 3×3 convolutions, a pool after each (Simonyan & Zisserman 2015), for 28×28 pixels.

    Sides go 28, 14, 7, 4. 181 thousand parameters, 33 MFLOP an image.
    """
    return [_pairs(_ink(digit))]


def branched(digit: keras.KerasTensor) -> list[keras.KerasTensor]:
    """A branch like `vgg` on the raw digit, and a shallow one like `cnn` on the deskewed digit.

    Their probabilities are averaged, but each branch has a loss of its own (Lee et al. 2015), so
    that they err differently. 303 thousand parameters, 42 MFLOP an image.
    """
    raw, x = ops.split(_ink(digit, deskew(digit)), BRANCHES, axis=-1)
    x = _blurred_pool(_convolution(x, 16, size=5))
    x = _convolution(x, 48)
    x = _blurred_pool(_convolution(x, 64, padding="same"))
    x = _convolution(x, 128)
    return [_pairs(raw), x]


def resnet(digit: keras.KerasTensor) -> list[keras.KerasTensor]:
    """A convolution and four residual blocks (He et al. 2016), for 28×28 pixels.

    Sides go 28, 14 after the first pool, 7 after the second block, 4. 180 thousand parameters,
    29 MFLOP an image.
    """
    x = _blurred_pool(_convolution(_ink(digit), 32, size=5, padding="same"))
    for filters in (32, 64):
        x = _residual(_residual(x, filters), filters)
        x = _blurred_pool(x)
    return [x]


def _in_bytes(digit: keras.KerasTensor) -> keras.KerasTensor:
    """Brings ink from 0 to 1, as tutorials have it, to 0 to 255; other ink stays as it is."""
    brightest = ops.max(digit, axis=(1, 2, 3), keepdims=True)
    return digit * ops.where(brightest > 1, 1.0, 255.0)


def _ink(*views: keras.KerasTensor) -> keras.KerasTensor:
    """Views of the digit in channels, ink from 0 to 1. `parts` cuts the network here."""
    return layers.Rescaling(1 / 255, name="scale")(_joined(views, dtype="float32"))


def _convolution(
    x: keras.KerasTensor, filters: int, size: int = 3, padding: str = "valid", pool: bool = False
) -> keras.KerasTensor:
    x = StandardizedConv2D(filters, size, padding=padding)(x)
    if pool:  # before the activation: the maximum commutes with it and leaves it less to do
        x = layers.MaxPooling2D()(x)
    return layers.Activation("relu")(x)


def _blurred_pool(x: keras.KerasTensor) -> keras.KerasTensor:
    """Max pooling without a stride, then average pooling: the result changes little when the digit
    moves by a pixel (Zhang 2019)."""
    x = layers.MaxPooling2D(strides=1, padding="same")(x)
    return layers.AveragePooling2D(2, padding="same")(x)


def _pairs(x: keras.KerasTensor) -> keras.KerasTensor:
    for filters in (16, 48, 96):
        x = _convolution(x, filters, padding="same")
        x = _blurred_pool(_convolution(x, max(filters, 32), padding="same"))
    return x


def _residual(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Two convolutions whose result is added to their input, and at first changes nothing in it.

    The second one's gain begins at 0, as that of the last normalisation does in Goyal et al. 2017,
    so that signals keep their size however many blocks there are.
    """
    more = _convolution(x, filters, padding="same")
    more = StandardizedConv2D(filters, 3, padding="same", first_gain=0)(more)
    if x.shape[-1] != filters:
        x = StandardizedConv2D(filters, 1)(x)
    return layers.Activation("relu")(layers.Add()([x, more]))


def _logits(branches: list[keras.KerasTensor], dropout: float) -> keras.KerasTensor:
    """Logits of shape (n, branches, 11), those of each branch from its own features."""
    features = [layers.Flatten()(branch) for branch in branches]
    x = layers.Dropout(dropout, name="dropout")(_joined(features))
    logits, at = [], 0
    for feature in features:
        end = at + feature.shape[-1]
        of_branch = layers.Dense(OUTPUTS, dtype="float32")(x[:, at:end])
        logits.append(layers.Reshape((1, OUTPUTS), dtype="float32")(of_branch))
        at = end
    return _joined(logits, axis=1, dtype="float32")


def _joined(tensors: Sequence[keras.KerasTensor], **settings: Any) -> keras.KerasTensor:
    return layers.Concatenate(**settings)(list(tensors)) if len(tensors) > 1 else tensors[0]


def _own_logits(network: keras.Model, digit: keras.KerasTensor) -> keras.KerasTensor:
    """Logits of shape (n, 1, 10) or (n, 1, 11). The whole network is features for `parts`, with no
    dropout but its own."""
    x = network(layers.Identity(name="scale", dtype="float32")(digit))
    x = layers.Dropout(0, name="dropout", dtype="float32")(x)
    return layers.Reshape((1, -1), dtype="float32")(x)


NETWORKS = {
    network.__name__: network for network in (cnn, small, tiny, upright, vgg, resnet, branched)
}


def build(recipe: Recipe, folder: Path | None = None) -> keras.Model:
    """The recipe's network with fresh weights, for training.

    It takes float32 of shape (n, 28, 28, 1), ink 255 or 1 on 0, and gives logits, float32 of shape
    (n, branches, 11); most networks have one branch. A network of the user's own may give ten
    logits; its file is in `folder`, or where the recipe says. Weights are float32 whatever the
    recipe's `precision` of computing. Raises DigitsError as `own_network.build` does.
    """
    digit = keras.Input((28, 28, 1), name="digit")
    usual = keras.config.dtype_policy()
    mixed = "mixed_" if recipe.precision == "bfloat16" else ""
    keras.config.set_dtype_policy(mixed + recipe.precision)  # of all layers but the last
    try:
        if network_file.is_own(recipe.network):
            logits = _own_logits(own.build(recipe, folder), _in_bytes(digit))
        else:
            logits = _logits(NETWORKS[recipe.network](_in_bytes(digit)), recipe.dropout)
    finally:
        keras.config.set_dtype_policy(usual)
    return keras.Model(digit, logits, name=network_file.function_name(recipe.network))


def mean_of_branches(logits: Any) -> Any:
    """Logits of the mean of the branches' probabilities, (n, 11), from logits (n, branches, 11)."""
    if logits.shape[1] == 1:
        return logits[:, 0]
    return ops.logsumexp(ops.log_softmax(logits), axis=1)


class Parts(NamedTuple):
    """A network cut in three: digits -> views of them, in channels -> features -> logits."""

    views: keras.Model
    features: keras.Model
    logits: keras.Model
    feature_count: int
    dropout: float  # rate of the features


def parts(model: keras.Model) -> Parts:
    """Cuts a network where training works between its layers.

    Distortion comes after the views: a digit that is deskewed after it was slanted would lose the
    distortion. Dropout comes before the logits, and training draws it itself: a layer's own random
    numbers would depend on how a batch is split over cores and machines.
    """
    scale, dropout = model.get_layer("scale"), model.get_layer("dropout")
    return Parts(
        keras.Model(model.input, scale.input),
        keras.Model(scale.input, dropout.input),
        keras.Model(dropout.output, model.output),
        dropout.input.shape[-1],
        dropout.rate,
    )


def finish(model: keras.Model, temperature: float) -> keras.Model:
    """The trained network as it is kept and shipped: float32, plain Keras layers, probabilities.

    Its kernels are already standardised. From float32 of shape (n, 28, 28, 1) or (n, 28, 28), ink
    255 or 1 on 0, it gives two outputs: `probabilities` of the ten digits, float32 of shape
    (n, 10), with the logits divided by `temperature`, and `is_digit`, float32 of shape (n,), the
    probability that the picture is a digit at all, 0 where it is blank. Of a network that has no
    logit for non-digits, that is the probability of the likeliest digit (Hendrycks & Gimpel 2017).
    `keras.models.load_model` opens the file without this package.
    """
    finished = plain(model)
    logits = mean_of_branches(finished.output)
    probabilities = ops.softmax(logits[:, :CLASSES] / temperature)
    anything = ops.softmax(logits)
    inked = ops.cast(ops.any(finished.input > 0, axis=(1, 2, 3)), "float32")
    if logits.shape[1] == CLASSES:
        is_digit = inked * ops.max(probabilities, axis=1)
    else:
        is_digit = inked * ops.sum(anything[:, :CLASSES], axis=1)
    outputs = {"probabilities": probabilities, "is_digit": is_digit}
    return keras.Model(finished.input, outputs, name=model.name)


def plain(model: keras.Model) -> keras.Model:
    """A copy of a trained network in float32 whose layers are Keras's own: its kernels are already
    standardised."""

    def plain_layer(layer: keras.Operation) -> keras.Operation:
        if isinstance(layer, keras.Model):
            return own.in_float32(layer)
        config = layer.get_config()
        if isinstance(layer, layers.Layer):
            config["dtype"] = "float32"
        kind = layers.Conv2D if isinstance(layer, StandardizedConv2D) else type(layer)
        return kind.from_config(config)

    copy = keras.models.clone_model(model, clone_function=plain_layer)
    for source, target in zip(model.layers, copy.layers, strict=True):
        if isinstance(source, StandardizedConv2D):
            target.set_weights([source.standardized_kernel(), source.bias])
        else:
            target.set_weights(source.get_weights())
    return copy


def predictor(model: keras.Model, shards: int = 1, batch: int = 1000) -> Callable[[Bytes], Any]:
    """Compiles a network into images -> its outputs.

    The function takes uint8 of shape (n, 28, 28), ink 255 on 0, and gives what the network gives:
    logits while training, a dict once it is finished. `shards` parts of each `batch` images are
    computed at the same time, ideally one for each core.
    """

    @tf.function(
        input_signature=[tf.TensorSpec((None, 28, 28), tf.uint8)],
        autograph=False,  # it branches on no tensor
    )
    def outputs(images: tf.Tensor) -> Any:
        count = tf.shape(images)[0]
        whole = tf.pad(images, [[0, -count % shards], [0, 0], [0, 0]])  # equal parts, none empty
        parts = tf.split(tf.cast(whole[..., None], tf.float32), shards)
        results = [model(part, training=False) for part in parts]
        if not isinstance(model.output, dict):
            results = [mean_of_branches(result) for result in results]
        return tf.nest.map_structure(lambda *of: tf.concat(of, axis=0)[:count], *results)

    def predict(images: Bytes) -> Any:
        batches = [outputs(images[at : at + batch]) for at in range(0, len(images), batch)]
        return tf.nest.map_structure(lambda *of: np.concatenate(of), *batches)

    return predict
