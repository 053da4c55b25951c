"""Adam in one operation for each variable, and the one-cycle learning rate."""

from typing import Any

import keras
import tensorflow as tf


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
