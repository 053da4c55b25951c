"""Do the reading benchmarks measure what they say? On models and sets small enough to know."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import corruptions, handwriting, inference
from benchmarks.handwriting_data import cheque_amounts as amounts
from benchmarks.handwriting_data import evaluation_sets as sets
from benchmarks.handwriting_data import non_digits as things
from benchmarks.handwriting_data import pen_strokes as strokes
from benchmarks.harness import installation as installed
from benchmarks.textbook import model as models
from benchmarks.textbook import network as textbook
from digits import bundle
from digits.data.corruptions import CORRUPTIONS
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.evaluation import expected_calibration_error

Line = dict[str, Any]


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `benchmarks.textbook` leaves it, but for the training."""
    folder = tmp_path_factory.mktemp("textbook")
    textbook.network().save(folder / "model.keras")
    return folder


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist: Mnist) -> Path:
    """Sets in the form of other people's handwriting, made of MNIST's training digits."""
    images, labels = mnist.train_images[:12], mnist.train_labels[:12]
    for name in (*sets.NAMES, "letters_printed"):
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
    np.savez(
        tmp_path / "pendigits_strokes.npz",
        points=np.array([[5, 0], [5, 90], [0, 0], [50, 0], [10, 80], [10, 40], [40, 40]], np.int16),
        stroke_offsets=np.array([0, 2, 5, 7]),
        char_offsets=np.array([0, 1, 3]),
        labels=np.array([1, 7], np.uint8),
    )
    page = 255 - np.concatenate(list(images[:2]), axis=1)
    np.savez(
        tmp_path / "amount_strings.npz",
        pixels=page.ravel(),
        offsets=np.array([0, page.size]),
        heights=np.array([28]),
        widths=np.array([56]),
        strings=np.array(["50"]),
    )
    monkeypatch.setenv("DIGITS_HANDWRITING", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def fonts() -> list[list[Path]]:
    try:
        return things.font_files()
    except DigitsError as error:
        pytest.skip(str(error))


# Drawing.


def test_a_dot_and_a_line_have_the_pens_size() -> None:
    dot = strokes.draw([np.array([[100.5, 60.5]])], 20)
    assert dot.sum() / 255 == pytest.approx(np.pi * 100, rel=0.03)
    rows, columns = np.nonzero(dot > 127)
    assert (rows.mean(), columns.mean()) == pytest.approx((60, 100), abs=0.2)
    line = strokes.draw([np.array([[50.0, 80], [150, 80]])], 10)
    assert line.sum() / 255 == pytest.approx(100 * 10 + np.pi * 25, rel=0.03)
    assert ((line > 0) & (line < 255)).any()  # smooth edges


def test_placed_characters_are_whole_of_many_sizes_and_repeatable() -> None:
    seven = [np.array([[0.0, 0], [50, 0], [10, 80]]), np.array([[10.0, 40], [40, 40]])]
    drawn = [strokes.place(seven, np.random.default_rng(seed)) for seed in range(200)]
    border = np.stack([np.pad(np.zeros((254, 254), bool), 1, constant_values=True)] * 200)
    assert not np.stack(drawn)[border].any()
    heights = [np.ptp(np.nonzero(canvas > 127)[0]) for canvas in drawn]
    assert 60 <= min(heights) < 90
    assert 200 < max(heights) <= 242
    assert np.array_equal(drawn[3], strokes.place(seven, np.random.default_rng(3)))


def test_wide_characters_are_no_wider_than_the_tallest_is_high() -> None:
    dash = [np.array([[0.0, 0], [100, 1]])]
    for seed in range(20):
        canvas = strokes.place(dash, np.random.default_rng(seed))
        assert np.ptp(np.nonzero(canvas)[1]) <= 242


def test_characters_of_a_file(others: Path) -> None:
    first, second = strokes.characters(np.load(others / "pendigits_strokes.npz"))
    assert [stroke.tolist() for stroke in first] == [[[5, 0], [5, 90]]]
    assert [len(stroke) for stroke in second] == [3, 2]


# Sets.


def test_scattered_digits_are_whole_dark_on_white_and_shrink_back(mnist: Mnist) -> None:
    images = mnist.train_images[:50]
    for image, picture in zip(images, sets.scattered(images), strict=True):
        assert picture[0, 0] == 255 or picture[-1, -1] == 255
        dark = (255 - picture.astype(int)).sum() / 255
        enlarged = np.sqrt(dark / (image.sum() / 255))
        assert 1.9 < enlarged < 8.2
    again = list(sets.scattered(images))
    assert np.array_equal(again[7], list(sets.scattered(images))[7])


def test_nondigits_are_made_as_often_as_said_the_same_every_time(fonts: list[list[Path]]) -> None:
    kinds = {kind: list(pictures) for kind, pictures in sets.nondigits(fonts, 5).items()}
    assert len(kinds) == 3 + len(things.NOISE)
    again = {kind: list(pictures) for kind, pictures in sets.nondigits(fonts, 5).items()}
    for kind, pictures in kinds.items():
        assert len(pictures) == 5
        for picture, other in zip(pictures, again[kind], strict=True):
            assert picture.dtype == np.uint8
            assert picture.ndim == 2
            assert np.array_equal(picture, other)
            assert (picture.min() == picture.max()) == (kind == "blank")
    assert sum(1 for _ in sets.nondigits(fonts, None)["blank"]) == sets.THINGS["blank"]


def test_no_letter_that_is_a_digit_in_shape() -> None:
    assert not set(things.LETTERS) & set("OoIlSsZzBbqgi")
    assert len(set(things.LETTERS)) == len(things.LETTERS)


def test_fonts_are_not_those_of_training(fonts: list[list[Path]]) -> None:
    from digits.data import non_digits

    stems = {path.stem.lower() for family in fonts for path in family}
    assert len(fonts) == len(things.FONTS)
    assert all(family for family in fonts)
    assert not stems & {name.lower() for name in non_digits.FONTS}


def test_missing_sets_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGITS_HANDWRITING", raising=False)
    with pytest.raises(DigitsError, match="DIGITS_HANDWRITING is not set"):
        sets.folder()
    monkeypatch.setenv("DIGITS_HANDWRITING", str(tmp_path))
    with pytest.raises(DigitsError, match=r"no mousedrawn140\.npz"):
        sets.folder()


# Figures.


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("", "", 0),
        ("", "123", 3),
        ("123", "", 3),
        ("123", "123", 0),
        ("1234", "134", 1),
        ("123", "1923", 1),
        ("12", "21", 2),
        ("559", "5599", 1),
        ("1000", "7", 4),
    ],
)
def test_edit_distance(one: str, other: str, distance: int) -> None:
    assert amounts.edit_distance(one, other) == distance


def test_amounts_are_counted_whole_and_by_digit(others: Path) -> None:
    file = np.load(others / "amount_strings.npz")
    assert amounts.measure(lambda _: "50", file, None)["accuracy"] == 1
    half = amounts.measure(lambda picture: str(picture.shape[1])[0] + "9", file, None)
    assert half == {"n": 1, "accuracy": 0, "interval": half["interval"], "digits_right": 0.5}


def test_threshold_accepts_what_it_says() -> None:
    scores = np.random.default_rng(1).random(5000)
    assert (scores >= handwriting.threshold(scores)).sum() == 4950
    assert handwriting.threshold(np.array([0.2, 0.9])) == 0.2


def test_line_of_a_set() -> None:
    probabilities = np.full((4, 10), 0.02, np.float32)
    probabilities[[0, 1, 2, 3], [3, 3, 5, 5]] = 0.82
    score = np.array([0.9, 0.5, 0.9, 0.1], np.float32)
    answers = handwriting.Answers(probabilities, score, score > 0.4)
    line = handwriting.reading("ours", "mine", answers, np.array([3, 4, 5, 5], np.uint8), 0.7)
    assert (line["accuracy"], line["accepted"], line["accepted_at_99"]) == (0.75, 0.75, 0.5)
    assert line["accuracy_of_accepted"] == pytest.approx(2 / 3)
    right = np.array([True, False, True, True])
    assert line["ece"] == expected_calibration_error(probabilities.max(axis=1), right)


def test_noise_counts_once_among_the_kinds() -> None:
    lines: list[Line] = [
        {"model": "ours", "kind": kind, "accepted": share}
        for kind, share in (("blank", 0.0), ("noise_a", 0.2), ("noise_b", 0.4), ("letters", 0.6))
    ]
    assert handwriting.mean_accepted(lines, "ours", "accepted") == pytest.approx(0.3)


def test_mean_error_leaves_out_the_clean_digits() -> None:
    lines = [
        {"model": model, "corruption": corruption, "error": error if corruption != "clean" else 1}
        for model, error in (("textbook", 0.2), ("digit", 0.05))
        for corruption in ("clean", *CORRUPTIONS)
    ]
    found = corruptions.means(lines, "digit")
    assert found["mean_error"] == pytest.approx(0.05)
    assert found["ratio"] == pytest.approx(0.25)


# The textbook CNN.


def test_squeezed_as_demos_do() -> None:
    picture = np.zeros((280, 280), np.uint8)
    picture[:140] = 200
    small = models.squeezed(picture)
    assert small.shape == (28, 28)
    assert small[5, 5] == 200
    assert small[20, 20] == 0
    assert models.squeezed(np.zeros((16, 40), np.uint8)).shape == (28, 28)


def test_no_textbook_model_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(DigitsError, match=r"python -m benchmarks\.textbook"),
        models.textbook(tmp_path),
    ):
        pass


def test_its_own_scaling(untrained: Path, mnist: Mnist) -> None:
    with models.textbook(untrained) as path:
        probabilities = models.predictor(path)(mnist.train_images[:3])
    assert probabilities.shape == (3, 10)
    assert probabilities.max() < 0.9  # unscaled bytes would saturate it


# Whole benchmarks, with the bundle that ships.


def test_corruptions_end_to_end(
    tmp_path: Path, untrained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "new" / "corruptions.jsonl"
    corruptions.run(results, bundle.SHIPPED, untrained, 3)
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert len(lines) == 3 * 16 + 3
    by_key = {(x["model"], x.get("corruption")): x for x in lines}
    assert by_key["digit", "clean"]["errors"] == by_key["reader", "clean"]["errors"] == 0
    table = corruptions.summary(lines)
    assert all(name in table for name in CORRUPTIONS)


@pytest.mark.usefixtures("others", "fonts")
def test_handwriting_end_to_end(tmp_path: Path, untrained: Path) -> None:
    results = tmp_path / "handwriting.jsonl"
    handwriting.run(results, bundle.SHIPPED, untrained, 4)
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    digits = {x["set"]: x for x in lines if "set" in x and x["model"] == "ours"}
    assert digits["mnist_scattered"]["accuracy"] == digits["hwd1000"]["accuracy"] == 1
    assert digits["pendigits"]["n"] == 2
    assert digits["pendigits"]["accuracy"] == 1
    assert len([x for x in lines if "kind" in x]) == 2 * (4 + len(things.NOISE))
    table = handwriting.summary(lines)
    assert all(name in table for name in handwriting.AIMS)
    assert "noise_texture" in table


def test_signatures_and_the_interpreters_own_calls_agree(mnist: Mnist) -> None:
    shipped = bundle.read()
    canvas = np.zeros((256, 256), np.uint8)
    canvas[100:128, 30:58] = mnist.train_images[0]
    probabilities, is_digit = models.signature(shipped.model, "canvas")(canvas)
    direct = inference.canvas_call(shipped.model)(canvas)
    assert any(np.array_equal(output[0], probabilities) for output in direct)
    assert probabilities.argmax() == mnist.train_labels[0]
    assert 0 <= is_digit <= 1
    framed, _ = models.signature(shipped.model, "digit")(mnist.train_images[0])
    np.testing.assert_allclose(framed, probabilities, atol=1e-3)


# Time, memory and disk.


def test_a_launched_process_is_timed_and_weighed_by_itself() -> None:
    python = sys.executable
    seconds, peak = inference.launched([python, "-S", "-c", "import time; time.sleep(0.3)"])
    assert 0.3 <= seconds < 5
    assert 4 < peak < 40  # not the memory of this process, which holds TensorFlow
    _, heavy = inference.launched([python, "-S", "-c", "x = b'1' * (100 << 20)"])
    assert 100 < heavy < 140
    with pytest.raises(DigitsError, match="status 3"):
        inference.launched([python, "-S", "-c", "raise SystemExit(3)"])


def test_what_is_installed() -> None:
    assert installed.closure("mnist-classification") >= {"mnist-classification", "numpy"}
    assert "tensorflow" not in installed.closure("mnist-classification")
    assert installed.size("numpy") > 10e6
    versions = installed.versions("numpy", "no-such-distribution")
    assert versions.keys() == {"python", "numpy"}


def test_folder_size_leaves_pip_out(tmp_path: Path) -> None:
    for name in ("pip/a", "digits/b", "c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert installed.folder_size(tmp_path) == 10


def test_inference_table() -> None:
    names = ("canvas", "digit", "predict", "classify_28", "classify_200")
    lines: list[Line] = [{"what": name, "microseconds": 100.0} for name in names]
    lines += [
        {"what": name, "microseconds": 4e5, "peak_memory_mb": 70.0}
        for name in ("read_cold", "textbook_cold")
    ]
    lines += [
        {"what": "throughput", "threads": 1, "canvases_a_second": 9000.0},
        {"what": "installed", "megabytes": 120.0, "of": "closure"},
    ]
    table = inference.summary(lines)
    assert "1 times" in table
    assert "0.40 s" in table


@pytest.mark.parametrize("benchmark", [corruptions, handwriting, inference])
def test_nothing_measured_yet(benchmark: Any) -> None:
    assert "no results yet" in benchmark.summary([])
