"""Sets TensorFlow up for tests in this process: imported as commands import it, and with two
processors, so that a distributed strategy has two replicas."""

from digits.terminal import importing_tensorflow

with importing_tensorflow():
    import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
