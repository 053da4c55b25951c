"""The network for lines: its shapes, its loss, and that its training can be resumed."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from digits.data.fonts import families
from digits.data.lines.drawing import Lines, draw_lines
from digits.data.lines.hands import glyphs_of
from digits.data.lines.texts import CHARACTERS
from digits.data.mnist import Mnist
from digits.errors import Interrupted
from digits.runs.history import LineEpoch
from digits.runs.recipes import Recipe
from digits.training import augmentation
from digits.training.lines import network, training
from digits.training.lines.training import augment, moved_places, moves_of, train_lines
from digits.training.networks.size import mflop

RECIPE = Recipe(precision="float32", line_epochs=2, lines=128)


@pytest.fixture(scope="module")
def drawn(mnist: Mnist) -> Lines:
    glyphs = glyphs_of(
        [(mnist.train_images[:2000], mnist.train_labels[:2000])],
        np.rot90(mnist.train_images[:50], axes=(1, 2)),
    )
    return draw_lines(192, [glyphs], families.faces(families.TRAINED_ON), [3])


def part(of: Lines, rows: slice) -> Lines:
    return Lines(of.strips[rows], of.labels[rows], of.columns[rows], of.widths[rows])


def test_the_network_is_as_large_as_its_docstring_says() -> None:
    model = network.build("float32")
    assert model.output.shape == (None, 96, 21)
    assert model.count_params() == pytest.approx(308e3, rel=0.01)
    assert mflop(model) == pytest.approx(149, rel=0.01)


def test_the_finished_network_is_of_plain_layers_and_answers_alike(
    drawn: Lines, tmp_path: Path
) -> None:
    model = network.build("float32")
    strips = drawn.strips[:8, ..., None].astype(np.float32)
    network.finish(model).save(tmp_path / "line.keras")
    found = keras.models.load_model(tmp_path / "line.keras")(strips)["log_probabilities"]
    expected = tf.nn.log_softmax(model(strips))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(np.exp(found).sum(axis=2), 1, atol=1e-4)


def test_augmentation_changes_strips_a_little(drawn: Lines) -> None:
    strips = tf.constant(drawn.strips[:20, ..., None], tf.float32)
    unchanged = np.full((20, training.CHANCES), 0.5, np.float32)
    unchanged[:, [0, 8]] = [0.5, 0]
    full = tf.constant(1.0)
    same = augment(strips, moves_of(tf.constant(unchanged), full), tf.constant(unchanged), full)
    np.testing.assert_allclose(same, strips, atol=0.01)
    chances = np.random.default_rng(1).random((20, training.CHANCES)).astype(np.float32)
    moves = moves_of(tf.constant(chances), full)
    changed = augment(strips, moves, tf.constant(chances), full).numpy()
    ink = changed.sum(axis=(1, 2, 3)) / strips.numpy().sum(axis=(1, 2, 3))
    assert (np.abs(changed - strips).max(axis=(1, 2, 3)) > 50).all()
    assert ((ink > 0.2) & (ink < 3)).all()


def test_places_move_with_the_strip(drawn: Lines) -> None:
    """A bar at each character's middle is where the moved places say, within two steps."""
    bars = np.zeros((40, 32, 192, 1), np.float32)
    for bar, columns, labels in zip(bars, drawn.columns, drawn.labels, strict=False):
        for column in columns[labels >= 0].astype(int):
            bar[12:20, column] = 255
    chances = np.random.default_rng(2).random((40, training.CHANCES)).astype(np.float32)
    chances[:, [0, 1, 4, 6, 7, 8]] = [0.5, 0.5, 0.5, 0.5, 0.5, 0]  # stretched and shifted alone
    moves = moves_of(tf.constant(chances), tf.constant(1.0))
    moved = augmentation.move(tf.constant(bars), moves).numpy()[..., 0]
    places = moved_places(tf.constant(training._places(drawn)[:40]), moves).numpy()
    for strip, steps in zip(moved, places, strict=True):
        for step in np.flatnonzero(steps != network.BLANK):
            assert strip[:, max(0, 2 * step - 3) : 2 * step + 5].any()


def test_training_lowers_the_loss_and_can_be_resumed(
    drawn: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two widths: each is a graph of its own.
    drawn = replace(drawn, widths=np.where(drawn.widths <= 96, 96, 192).astype(np.int32))
    training, validation = part(drawn, slice(0, 128)), part(drawn, slice(128, 192))
    assert len({*training.widths.tolist()}) == 2
    losses = []
    whole = train_lines(
        RECIPE, training, validation, tmp_path / "whole.npz", 2,
        lambda history: losses.append(history[-1].loss), quiet=True,
    )  # fmt: skip
    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert whole.metrics["parameters"] == whole.model.count_params()

    def interrupt(history: list[LineEpoch]) -> None:
        raise Interrupted(len(history))

    state = tmp_path / "state.npz"
    with pytest.raises(Interrupted):
        train_lines(RECIPE, training, validation, state, 2, interrupt, quiet=True)
    again = train_lines(RECIPE, training, validation, state, 2, quiet=True)
    for one, other in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_batch_is_of_one_width_or_the_next_wider_one(drawn: Lines) -> None:
    widths = np.repeat(drawn.widths, 10)
    batches = training._batches(widths, 1, 0)
    assert batches.shape == (len(widths) // training.BATCH, training.BATCH)
    assert len(np.unique(batches)) == batches.size
    mixed = [of for of in widths[batches] if len(np.unique(of)) > 1]
    assert len(mixed) < len(np.unique(widths))
    assert (training._batches(widths, 1, 1) != batches).any()
    np.testing.assert_array_equal(training._batches(widths, 1, 0), batches)


def test_a_narrow_strip_gives_what_a_wide_one_gives_in_its_middle(drawn: Lines) -> None:
    """Where a step does not see beyond the strip's ends."""
    model, seen = network.build("float32"), 14
    for width in (96, 144):
        beside, steps = (192 - width) // 2, width // 2
        strips = drawn.strips[drawn.widths == width][:4, ..., None].astype(np.float32)
        whole = model(strips).numpy()[:, beside // 2 : beside // 2 + steps]
        narrow = network.at(model, width)(strips[:, :, beside : beside + width]).numpy()
        assert narrow.shape == whole.shape
        inner = slice(seen, steps - seen)
        np.testing.assert_allclose(narrow[:, inner], whole[:, inner], atol=1e-4)


def test_what_is_written_in_each_step_is_known(drawn: Lines) -> None:
    places = training._places(drawn)
    assert places.shape == (192, 96)
    for row, text, columns in zip(places, drawn.texts, drawn.columns, strict=True):
        shown = "".join(CHARACTERS[i] for i in row if i != network.BLANK)
        if len({int(x) // 2 for x in columns[: len(text)]}) == len(text):
            assert shown == text
