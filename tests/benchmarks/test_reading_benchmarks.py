"""Do the reading benchmarks measure what they say? With models and sets small enough to know."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import corruptions, inference
from benchmarks.handwriting import measuring, models, non_digits, summary
from benchmarks.harness.json_lines import Line
from benchmarks.textbook import network
from digits import bundle
from digits.data.corruptions import CORRUPTIONS
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.evaluation import expected_calibration_error


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a textbook CNN as `benchmarks.textbook` writes it, but untrained."""
    folder = tmp_path_factory.mktemp("textbook")
    network.network().save(folder / "model.keras")
    return folder


# Handwriting.


def test_the_threshold_accepts_99_percent() -> None:
    scores = np.random.default_rng(1).random(5000)
    assert (scores >= models.threshold(scores)).sum() == 4950
    assert models.threshold(np.array([0.2, 0.9])) == 0.2


def model(threshold: float) -> models.Model:
    """A model that is not asked anything."""

    def ask(pictures: models.Pictures) -> models.Answers:
        raise AssertionError

    return models.Model("ours", ask, ask, ask, threshold)


def test_a_set_of_digits_is_counted_by_both_thresholds() -> None:
    probabilities = np.full((4, 10), 0.02, np.float32)
    probabilities[[0, 1, 2, 3], [3, 3, 5, 5]] = 0.82
    score = np.array([0.9, 0.5, 0.9, 0.1], np.float32)
    answers = models.Answers(probabilities, score, score > 0.4)
    line = measuring.on_digits(model(0.7), "mine", answers, np.array([3, 4, 5, 5], np.uint8))
    assert (line["accuracy"], line["accepted"], line["accepted_at_99"]) == (0.75, 0.75, 0.5)
    assert line["accuracy_of_accepted"] == pytest.approx(2 / 3)
    right = np.array([True, False, True, True])
    assert line["ece"] == expected_calibration_error(probabilities.max(axis=1), right)


def test_non_digits_are_counted_by_both_thresholds() -> None:
    score = np.array([0.9, 0.5, 0.1, 0.2], np.float32)
    answers = models.Answers(np.full((4, 10), 0.1, np.float32), score, score > 0.4)
    line = measuring.on_non_digits(model(0.7), "letters", answers)
    assert (line["n"], line["accepted"], line["accepted_at_99"]) == (4, 0.5, 0.25)


def test_all_kinds_of_noise_count_as_one() -> None:
    lines: list[Line] = [
        {"model": "ours", "kind": kind, "accepted": share}
        for kind, share in (("blank", 0.0), ("noise_a", 0.2), ("noise_b", 0.4), ("letters", 0.6))
    ]
    assert summary.mean_accepted(lines, "ours", "accepted") == pytest.approx(0.3)


@pytest.mark.usefixtures("handwriting_folder", "fonts")
def test_handwriting_is_measured_from_pictures_to_the_table(untrained: Path) -> None:
    lines = measuring.measure(bundle.SHIPPED, untrained, 4)
    digits = {x["set"]: x for x in lines if "set" in x and x["model"] == "ours"}
    assert digits["mnist_scattered"]["accuracy"] == digits["hwd1000"]["accuracy"] == 1
    assert digits["pendigits_strokes"]["n"] == digits["unipen_dev"]["n"] == 2
    assert digits["pendigits_strokes"]["accuracy"] == 1
    # The third picture of one digit is said to be a 9, and is a 4; one of two with several digits
    # holds a 1 alone.
    shares = {
        kind: (digits[f"pictures_{kind}"]["n"], digits[f"pictures_{kind}"]["accuracy"])
        for kind in ("one", "several", "none")
    }
    assert shares == {"one": (3, pytest.approx(2 / 3)), "several": (2, 0.5), "none": (1, 1.0)}
    assert digits["amount_strings"]["accuracy"] == 1
    assert len([x for x in lines if "kind" in x]) == 2 * (5 + len(non_digits.NOISE))
    table = summary.summary(lines)
    assert all(name in table for name in summary.AIMS)
    assert "noise_texture" in table
    marked = [x | {"marked": True} for x in lines]
    again = measuring.measure(bundle.SHIPPED, None, 1, marked)
    assert {bool(x.get("marked")) for x in again if x["model"] == "ours"} == {False}
    of_textbook = [x for x in again if x["model"] == "textbook"]
    assert of_textbook == [x for x in marked if x["model"] == "textbook"]
    assert len(again) == len(lines)


# Corruptions.


def test_the_mean_error_leaves_out_clean_digits() -> None:
    lines = [
        {"model": name, "corruption": corruption, "error": error if corruption != "clean" else 1}
        for name, error in (("textbook", 0.2), ("digit", 0.05))
        for corruption in ("clean", *CORRUPTIONS)
    ]
    found = corruptions.means(lines, "digit")
    assert found["mean_error"] == pytest.approx(0.05)
    assert found["ratio"] == pytest.approx(0.25)


def test_corruptions_are_measured_from_digits_to_the_table(untrained: Path, mnist: Mnist) -> None:
    lines = corruptions.measure(bundle.SHIPPED, untrained / "model.keras", mnist, 3)
    assert len(lines) == 3 * 16 + 3
    by_key = {(x["model"], x.get("corruption")): x for x in lines}
    assert by_key["digit", "clean"]["errors"] == by_key["reader", "clean"]["errors"] == 0
    table = corruptions.summary(lines)
    assert all(name in table for name in CORRUPTIONS)


# Time, memory and disk.


def test_a_launched_process_has_its_own_time_and_memory() -> None:
    python = sys.executable
    seconds, peak = inference.launched([python, "-S", "-c", "import time; time.sleep(0.3)"])
    assert seconds >= 0.3
    assert 4 < peak < 40  # not the memory of this process, which holds TensorFlow
    _, heavy = inference.launched([python, "-S", "-c", "x = b'1' * (100 << 20)"])
    assert 100 < heavy < 140
    with pytest.raises(DigitsError, match="status 3"):
        inference.launched([python, "-S", "-c", "raise SystemExit(3)"])


def test_many_digits_and_digits_one_by_one_take_turns() -> None:
    line = inference.classified(None, 2 * inference.TURN)
    assert line["digits"] == 200
    assert line["ratio"] == pytest.approx(
        line["microseconds"] / line["one_by_one_microseconds"], rel=0.5
    )


def test_the_table_of_inference_has_times_and_ratio() -> None:
    times = {"canvas": 200, "digit": 150, "line": 1300, "predict": 50_000, "classify_28": 400}
    times |= {"classify_200": 500}
    lines: list[Line] = [{"what": name, "microseconds": time} for name, time in times.items()]
    lines += [
        {"what": name, "microseconds": 4e5, "peak_memory_mb": 70.0}
        for name in ("read_cold", "textbook_cold")
    ]
    lines += [
        {"what": "throughput", "threads": 1, "canvases_a_second": 9000.0},
        {"what": "installed", "megabytes": 120.0, "of": "new virtual environment"},
    ]
    many: Line = {"what": "classify_many", "microseconds": 300.0, "ratio": 0.88}
    assert "300 µs   a digit, 0.88 of classify's" in inference.summary([*lines, many])
    table = inference.summary(lines)
    assert "classify_many" not in table  # as in results from before it was measured
    assert "50000 µs   250 times canvas" in table
    assert "0.40 s" in table
    assert "120 MB   at most 250 (new virtual environment)" in table
