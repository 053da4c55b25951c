import keras
from keras import layers


def build(recipe):
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(recipe.dropout),
            layers.Dense(11),
        ]
    )
