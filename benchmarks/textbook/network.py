"""The textbook CNN's architecture and its training.

Two convolutions (32 and 64 filters), each followed by 2×2 max pooling, dropout of 0.5, and a dense
softmax layer; pixels from 0 to 1; Adam with its defaults, batch size 128, 15 epochs of `model.fit`
with the last tenth of the training digits held out for validation. Architecture and schedule are
those of keras.io's "Simple MNIST convnet"; the code is our own.
"""

import time
from typing import Any

import keras
import numpy as np
from keras import layers

from digits.data.mnist import Dataset
from digits.evaluation import evaluate
from digits.reporting.report import metrics_of

EPOCHS = 15
BATCH_SIZE = 128


def network() -> keras.Model:
    """The textbook CNN: float32 of shape (n, 28, 28, 1), 0 to 1, to probabilities (n, 10)."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train(data: Dataset, seed: int) -> tuple[keras.Model, dict[str, Any]]:
    """Trains the textbook CNN, and measures it on the test digits once, at the end.

    Returns:
        the model, and its metrics as in a run's metrics.json.
    """
    keras.utils.set_random_seed(seed)
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    started = time.perf_counter()
    images = data.train_images[..., None].astype(np.float32) / 255
    model.fit(
        images,
        data.train_labels,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation_split=0.1,
        verbose=0,
    )
    train_seconds = time.perf_counter() - started
    test_images = data.test_images[..., None].astype(np.float32) / 255
    test = evaluate(data.test_labels, model.predict(test_images, verbose=0))
    return model, metrics_of(test) | {
        "parameters": model.count_params(),
        "train_seconds": train_seconds,
        "seed": seed,
    }
