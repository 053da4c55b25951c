"""The reference of every comparison: the Keras textbook CNN, trained as the textbooks do.

Two convolutions (32 and 64 filters), each with a 2×2 maximum pool, dropout of a half, a dense
softmax; pixels from 0 to 1; Adam with its defaults, batch 128, 15 epochs of `model.fit` with a
tenth of the training digits held out for validation. Architecture and schedule are those of
keras.io's "Simple MNIST convnet"; the code is our own.

    python -m benchmarks.textbook --seed 1 --out DIR    writes DIR/metrics.json and DIR/model.keras
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers

from digits.data.mnist import load_mnist
from digits.evaluation import evaluate
from digits.reporting.report import metrics_of

EPOCHS = 15
BATCH = 128


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    arguments = parser.parse_args()

    mnist = load_mnist()
    keras.utils.set_random_seed(arguments.seed)
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    started = time.perf_counter()
    images = mnist.train_images[..., None].astype(np.float32) / 255
    model.fit(
        images,
        mnist.train_labels,
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_split=0.1,
        verbose=0,
    )
    train_seconds = time.perf_counter() - started
    test_images = mnist.test_images[..., None].astype(np.float32) / 255
    test = evaluate(mnist.test_labels, model.predict(test_images, verbose=0))

    arguments.out.mkdir(parents=True, exist_ok=True)
    model.save(arguments.out / "model.keras")
    metrics = metrics_of(test) | {
        "parameters": model.count_params(),
        "train_seconds": train_seconds,
        "seed": arguments.seed,
    }
    (arguments.out / "metrics.json").write_text(json.dumps(metrics))


if __name__ == "__main__":
    main()
