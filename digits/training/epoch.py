"""One epoch of training as a single graph, with its optimizer and learning rate.

The data stay in memory as bytes. A step gathers its batch, augments it, and deals it out to the
replicas and, on each replica, to shards that the cores compute at the same time. Their gradients
are summed and applied.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from digits.runs.recipes import Recipe
from digits.training import augmentation
from digits.training.networks import models
from digits.training.networks import own_network as own

NORMALISED = 32  # images in a shard, at least, if the network normalises over them
STOPPED = 2  # place of the stop flag among a step's totals, after loss and accuracy

# A step branches on no tensor, and to rewrite it for that took as long as to build its graph.
plain_python = tf.autograph.experimental.do_not_convert


class Batch(NamedTuple):
    """The images of a step, and all random numbers for them.

    The numbers are drawn for the whole batch before it is dealt out, so that an image gets the same
    treatment however many shards and replicas there are.
    """

    chosen: tf.Tensor  # indices of the images, int32 of shape (n,)
    distortions: tf.Tensor  # from `augmentation.draw`, shape (n, ...)
    clutter: tf.Tensor  # numbers for the images at the front, which are cluttered, shape (m, ...)
    dropout: tf.Tensor  # what each feature is multiplied by, shape (n, features)


def compile_epoch(
    recipe: Recipe,
    model: keras.Model,
    optimizer: keras.Optimizer,
    images: tf.Tensor,
    truth: tf.Tensor,
    stop: tf.Variable,
    shards: int,
    strategy: tf.distribute.Strategy,
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Builds the graph (order, epoch) -> mean loss, accuracy, and whether it was stopped.

    `order` is that of the images, int32 of shape (steps, batch), and `epoch` counts from 0.

    Args:
        recipe: everything that decides the result.
        model: from `models.build`; its weights are trained.
        optimizer: already built.
        images: all views of each training image, uint8 of shape (n, 28, 28, views).
        truth: the probability of each class that is to be learnt, float32 of shape (n, classes).
        stop: once it is True on any replica, the epoch ends after the same step on all.
        shards: parts of a replica's batch that are computed at the same time.
        strategy: where to run.
    """
    replicas = strategy.num_replicas_in_sync
    network = models.parts(model)
    least = NORMALISED if own.normalises(model) else 1  # an empty shard has nothing to convolve
    shards = max(1, min(shards, recipe.batch // replicas // least))

    def shard_gradients(batch: Batch, left: tf.Tensor) -> list[tf.Tensor]:
        """Loss and accuracy of a shard, as its part of the whole batch's, and its gradients."""
        wanted = tf.gather(truth, batch.chosen)
        numbers = tf.argmax(wanted, axis=1, output_type=tf.int32)
        pictures = tf.cast(tf.gather(images, batch.chosen), tf.float32)
        pictures = augmentation.augment(pictures, batch.distortions, batch.clutter, recipe, left)
        with tf.GradientTape() as tape:
            features = network.features(pictures, training=True)
            logits = network.logits(features * tf.cast(batch.dropout, features.dtype))
            # Each branch of the network learns by itself; a common loss would make them alike.
            wanted = tf.repeat(wanted[:, None], logits.shape[1], axis=1)
            smoothed = tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
            smoothed /= recipe.batch
            if penalties := network.features.losses:  # of a network of the user's own
                smoothed += tf.add_n(penalties) / (shards * replicas)
        logits = models.mean_of_branches(logits)
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(numbers, logits))
        right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), numbers)
        totals = tf.stack([loss, tf.reduce_sum(tf.cast(right, tf.float32))]) / recipe.batch
        # Dense, since those of an embedding are not.
        gradients = tape.gradient(smoothed, model.trainable_variables)
        return [totals, *map(tf.convert_to_tensor, gradients)]

    @plain_python
    def replica_step(batch: Batch, left: tf.Tensor) -> tf.Tensor:
        """Trains on a replica's share of the batch; gives loss, accuracy and the stop flag."""
        context = tf.distribute.get_replica_context()
        replica = int(tf.get_static_value(context.replica_id_in_sync_group))
        results = []
        for shard in range(shards):
            # Dealt out like cards: clutter, at the front of the batch, is at the front of a shard.
            deal = slice(replica + shard * replicas, None, shards * replicas)
            results.append(shard_gradients(Batch(*(whole[deal] for whole in batch)), left))
        totals, *gradients = (tf.add_n(of_shards) for of_shards in zip(*results, strict=True))
        # One message a step: the flag travels with the gradients.
        totals = tf.concat([totals, [tf.cast(stop, tf.float32)]], axis=0)
        totals, *gradients = context.all_reduce("sum", [totals, *gradients])
        optimizer.apply(gradients, model.trainable_variables)
        return totals

    @plain_python
    def draw(chosen: tf.Tensor, seed: tf.Tensor, left: tf.Tensor) -> Batch:
        """A batch with its random numbers, which depend on the recipe's seed and the step alone."""
        distortions, clutter = augmentation.draw(recipe, recipe.batch, seed, left)
        shape = (recipe.batch, network.feature_count)
        chances = tf.random.stateless_uniform(shape, [-1 - seed[0], seed[1]])
        dropout = tf.cast(chances >= network.dropout, tf.float32) / (1 - network.dropout)
        return Batch(chosen, distortions, clutter, dropout)

    @tf.function
    def run_epoch(order: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
        sums = tf.zeros(3)
        steps = tf.shape(order)[0]
        for step in tf.range(steps):
            seed = tf.stack([recipe.seed, epoch * steps + step])
            # Distortion grows milder and clutter rarer: training ends on nearly clean digits.
            left = 1 - tf.cast(seed[1] / (steps * recipe.epochs), tf.float32)
            batch = draw(order[step], seed, left)
            totals = strategy.run(replica_step, args=(batch, left))
            sums += strategy.experimental_local_results(totals)[0]
            if sums[STOPPED] > 0:
                break
        return sums / tf.cast(steps, tf.float32)

    return run_epoch


class Adam(keras.optimizers.Adam):
    """Keras's Adam (Kingma & Ba 2015) with each variable's step as one operation.

    Keras takes some twenty, which is a twentieth of the training time of a small network.
    Gradients must already be summed over all replicas; this optimizer does not do it again.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return grads_and_vars

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from a tenth of `peak`, then falls linearly to 0
    (Smith 2018)."""

    def __init__(self, peak: float, warmup: float, steps: int) -> None:
        """`warmup` is the fraction of all `steps` in which the rate rises."""
        self.peak, self.warmup, self.steps = peak, warmup, steps

    def __call__(self, step: Any) -> tf.Tensor:
        """The rate at a step, 0 to `steps`."""
        done = tf.cast(step, tf.float32) / self.steps
        rising = 0.1 + 0.9 * done / max(self.warmup, 1e-9)
        falling = (1 - done) / (1 - self.warmup)
        return self.peak * tf.where(done < self.warmup, rising, falling)
