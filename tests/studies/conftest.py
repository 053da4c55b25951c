import two_processors  # noqa: F401 - sets TensorFlow up
