"""The reader over HTTP, and the web page that reads on its user's device. Never TensorFlow."""
