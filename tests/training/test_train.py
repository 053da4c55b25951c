"""Is training exactly repeatable, does it survive being killed, and does it learn?"""

import json
import signal
import subprocess
import sys
import time
from dataclasses import astuple
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from processes import SMALL, Command, mnist_model

from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runs.history import Epoch
from digits.runs.recipes import Recipe
from digits.training.epoch import Adam, OneCycle
from digits.training.train import train


def state(folder: Path) -> dict[str, np.ndarray]:
    """Weights, optimizer and history, without the seconds that each epoch took."""
    with np.load(folder / "state.npz", allow_pickle=False) as file:
        arrays = dict(file)
    arrays["history"] = np.delete(arrays["history"], 1, axis=1)
    return arrays


def assert_same_bits(one: Path, other: Path) -> None:
    first, second = state(one), state(other)
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert array.tobytes() == second[name].tobytes(), name


def wait_for_epochs(folder: Path, count: int) -> None:
    """Waits until at least `count` epochs are saved."""
    history = folder / "history.csv"
    deadline = time.monotonic() + 120
    while not history.exists() or len(history.read_text().splitlines()) < count + 1:
        assert time.monotonic() < deadline, "the run did not get there"
        time.sleep(0.01)


def test_same_seed_same_bits(finished_run: Path, run_main: Command, tmp_path: Path) -> None:
    run_main("--out", tmp_path / "again", "--epochs", "4", *SMALL)
    assert_same_bits(finished_run, tmp_path / "again")


def test_another_seed_other_bits(mnist: Mnist, tmp_path: Path) -> None:
    few = mnist.train_images[:64], mnist.train_labels[:64]
    kernels = []
    for seed in (1, 2):
        recipe = Recipe(network="small", batch=32, epochs=1, seed=seed)
        model, _ = train(recipe, few, few, tmp_path / f"{seed}.npz")
        kernels.append(model.get_weights()[0])
    assert not np.array_equal(kernels[0], kernels[1])


def test_killed_and_resumed_ends_with_the_same_bits(
    finished_run: Path, tmp_path: Path, run_main: Command
) -> None:
    """SIGKILL before the first epoch is saved, then in the second, then in the fourth."""
    folder = tmp_path / "killed"
    arguments: list[str | Path] = ["--out", folder, "--epochs", "4", *SMALL]
    for finished in (0, 1, 3):
        process = mnist_model(*arguments)
        while not (folder / "run.json").exists():
            assert process.poll() is None
            time.sleep(0.01)
        if finished:
            wait_for_epochs(folder, finished)
        time.sleep(0.05)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        arguments = ["--resume", folder]
    assert run_main(*arguments).returncode == 0
    assert_same_bits(finished_run, folder)
    metrics = [json.loads((x / "metrics.json").read_text()) for x in (finished_run, folder)]
    assert metrics[0]["confusion_matrix"] == metrics[1]["confusion_matrix"]
    assert not list(folder.glob("*.part"))


def test_ctrl_c_saves_and_says_how_to_resume(
    finished_run: Path, tmp_path: Path, run_main: Command
) -> None:
    folder = tmp_path / "stopped"
    process = mnist_model("--out", folder, "--epochs", "4", *SMALL)
    wait_for_epochs(folder, 1)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"--resume {folder}" in output
    assert "Traceback" not in errors
    resumed = run_main("--resume", folder)
    assert resumed.returncode == 0
    done = json.loads((folder / "metrics.json").read_text())["resumed_after"]
    assert 1 <= done < 4
    assert f"this command, which resumed the run after epoch {done}, " in resumed.stdout
    assert_same_bits(finished_run, folder)


def test_a_finished_run_is_not_resumed(finished_run: Path, run_main: Command) -> None:
    result = run_main("--resume", finished_run)
    assert result.returncode == 2
    assert "is finished" in result.stderr


def test_a_damaged_state_is_refused(finished_run: Path, tmp_path: Path, run_main: Command) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / "run.json").write_bytes((finished_run / "run.json").read_bytes())
    content = (finished_run / "state.npz").read_bytes()
    (folder / "state.npz").write_bytes(content[: len(content) // 2])
    result = run_main("--resume", folder)
    assert result.returncode == 2
    assert "is damaged or of another recipe" in result.stderr
    assert "Traceback" not in result.stderr


def test_it_learns(finished_run: Path) -> None:
    """After 32 steps on eight thousand digits it is far from good, but further from chance."""
    metrics = json.loads((finished_run / "metrics.json").read_text())
    assert 0.8 < metrics["test_accuracy"] < 1


def test_a_batch_that_the_data_cannot_fill(mnist: Mnist, tmp_path: Path) -> None:
    few = mnist.train_images[:50], mnist.train_labels[:50]
    with pytest.raises(DigitsError, match="more than the 50 training images"):
        train(Recipe(network="small", batch=51), few, few, tmp_path / "state.npz")


def test_a_batch_that_replicas_cannot_share(mnist: Mnist, tmp_path: Path) -> None:
    few = mnist.train_images[:50], mnist.train_labels[:50]
    strategy = mirrored()
    with pytest.raises(DigitsError, match="does not divide among 2 replicas"):
        train(
            Recipe(network="small", batch=33), few, few, tmp_path / "state.npz", strategy=strategy
        )


@pytest.mark.parametrize(("shards", "replicas"), [(3, 1), (1, 2), (2, 2)])
def test_shards_and_replicas_train_as_one(
    mnist: Mnist, tmp_path: Path, shards: int, replicas: int
) -> None:
    """They change only the order of additions, even where shares are unequal.

    Weights and Adam's means are compared after three steps, since rounding errors grow.
    """
    some = mnist.train_images[:150], mnist.train_labels[:150]
    recipe = Recipe(network="small", batch=50, epochs=1, clutter=0.3, precision="float32")
    one, several = tmp_path / "one", tmp_path / "several"
    for folder in (one, several):
        folder.mkdir()
    train(recipe, some, some, one / "state.npz")
    strategy = mirrored() if replicas == 2 else None
    train(recipe, some, some, several / "state.npz", shards, strategy=strategy)
    expected, found = state(one), state(several)
    for name, array in expected.items():
        tolerance = 1e-3 * np.abs(array).max()
        np.testing.assert_allclose(found[name], array, rtol=0, atol=tolerance, err_msg=name)


def test_more_shards_than_images_in_a_batch(mnist: Mnist, tmp_path: Path) -> None:
    few = mnist.train_images[:4], mnist.train_labels[:4]
    recipe = Recipe(network="small", batch=1, epochs=1)
    _, history = train(recipe, few, few, tmp_path / "state.npz", shards=2)
    assert np.isfinite(history[0].loss)


def mirrored() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def test_one_cycle() -> None:
    rate = OneCycle(peak=0.01, warmup=0.25, steps=100)
    assert float(rate(0)) == pytest.approx(0.001)
    assert float(rate(25)) == pytest.approx(0.01)
    assert float(rate(50)) == pytest.approx(0.01 * 2 / 3)
    assert float(rate(100)) == pytest.approx(0)


def test_adam_steps_as_keras_does() -> None:
    def stepped(kind: type[keras.optimizers.Adam]) -> list[np.ndarray]:
        variables = [keras.Variable(value, dtype="float32") for value in ([[1, 2], [3, 4]], [5])]
        optimizer = kind(OneCycle(0.01, 0.2, 100))
        optimizer.build(variables)
        numbers = np.random.default_rng(1)
        for _ in range(50):
            gradients = [tf.constant(numbers.normal(size=v.shape), tf.float32) for v in variables]
            optimizer.apply(gradients, variables)
        return [variable.numpy() for variable in [*variables, *optimizer.variables]]

    for ours, theirs in zip(stepped(Adam), stepped(keras.optimizers.Adam), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_history_counts_epochs(finished_run: Path) -> None:
    lines = (finished_run / "history.csv").read_text().splitlines()
    assert lines[0].split(",") == list(Epoch.__dataclass_fields__)
    assert [int(line.split(",")[0]) for line in lines[1:]] == [1, 2, 3, 4]


def test_events_tell_epochs_and_the_result(finished_run: Path) -> None:
    text = (finished_run / "events.jsonl").read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert [event["event"] for event in events] == ["epoch"] * 4 + ["result"]
    assert [event["epoch"] for event in events[:4]] == [1, 2, 3, 4]
    metrics = json.loads((finished_run / "metrics.json").read_text())
    assert events[4] == {"event": "result"} | metrics


def test_a_certain_teacher_teaches_the_same_as_labels(mnist: Mnist, tmp_path: Path) -> None:
    images, labels = mnist.train_images[:2000], mnist.train_labels[:2000]
    recipe = Recipe(network="small", batch=100, epochs=1, label_smoothing=0)
    sure = np.eye(11, dtype=np.float16)[labels]
    one, history = train(recipe, (images, labels), (images, labels), tmp_path / "hard.npz")
    two, taught = train(recipe, (images, sure), (images, labels), tmp_path / "soft.npz")
    assert [astuple(line)[2:] for line in taught] == [astuple(line)[2:] for line in history]
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_uncertain_teacher_leaves_the_network_uncertain(mnist: Mnist, tmp_path: Path) -> None:
    """Probabilities are taken as they are, not as the likeliest digit."""
    images, labels = mnist.train_images[:2000], mnist.train_labels[:2000]
    recipe = Recipe(network="small", batch=100, epochs=2)
    unsure = (0.5 * np.eye(11) + 0.05).astype(np.float16)[labels]
    unsure[:, 10] = 0
    _, history = train(recipe, (images, unsure), (images, labels), tmp_path / "soft.npz")
    assert history[-1].validation_accuracy > 0.5
    assert history[-1].validation_loss > -np.log(0.55) - 0.1


def test_clutter_and_shards_of_unequal_size(mnist: Mnist, tmp_path: Path) -> None:
    few = mnist.train_images[:99], mnist.train_labels[:99]
    recipe = Recipe(network="small", batch=33, epochs=1, clutter=0.4)
    model, history = train(recipe, few, few, tmp_path / "state.npz", shards=2)
    assert np.isfinite(history[0].loss)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


def test_training_goes_on_where_tensorflow_has_computed_before() -> None:
    """As in a notebook; the user is told that its threads can no longer be chosen."""
    program = (
        "import tensorflow as tf\n"
        "tf.constant(1) + 1\n"
        "from digits.training.train import use_cores\n"
        "assert use_cores() >= 1\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "cannot be repeated to the bit; restart Python" in done.stderr
