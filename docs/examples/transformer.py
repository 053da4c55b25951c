"""A small vision transformer (Dosovitskiy et al. 2021): 16 patches of 7×7 pixels."""

import keras
from keras import layers

PATCH, SIDE = 7, 4  # pixels, and patches in a row
WIDTH, HEADS, BLOCKS = 64, 4, 2


def build():
    digit = keras.Input((28, 28, 1))
    x = layers.Rescaling(1 / 255)(digit)
    x = layers.Reshape((SIDE, PATCH, SIDE, PATCH))(x)
    x = layers.Permute((1, 3, 2, 4))(x)
    x = layers.Reshape((SIDE * SIDE, PATCH * PATCH))(x)
    # One matrix for all patches, and a bias for each place, which says where a patch is.
    x = layers.EinsumDense("npc,cd->npd", (SIDE * SIDE, WIDTH), bias_axes="pd")(x)
    for _ in range(BLOCKS):
        x = layers.Add()([x, attention(layers.LayerNormalization()(x))])
        x = layers.Add()([x, perceptron(layers.LayerNormalization()(x))])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(digit, layers.Dense(11)(x))


def attention(x):
    return layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(x, x)


def perceptron(x):
    return layers.Dense(WIDTH)(layers.Dense(2 * WIDTH, activation="gelu")(x))
