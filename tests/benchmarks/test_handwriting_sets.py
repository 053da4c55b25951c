"""Are the pictures that the reading benchmarks read what their descriptions say?"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.handwriting import cheque_amounts, evaluation_sets, non_digits, pen_strokes
from digits.data.mnist import Bytes, Mnist
from digits.errors import DigitsError

SEVEN = [np.array([[0.0, 0], [50, 0], [10, 80]]), np.array([[10.0, 40], [40, 40]])]

# Pen strokes.


def test_a_dot_and_a_line_have_the_width_of_the_pen() -> None:
    dot = pen_strokes.draw([np.array([[100.5, 60.5]])], 20)
    assert dot.sum() / 255 == pytest.approx(np.pi * 100, rel=0.03)
    rows, columns = np.nonzero(dot > 127)
    assert (rows.mean(), columns.mean()) == pytest.approx((60, 100), abs=0.2)
    line = pen_strokes.draw([np.array([[50.0, 80], [150, 80]])], 10)
    assert line.sum() / 255 == pytest.approx(100 * 10 + np.pi * 25, rel=0.03)
    assert ((line > 0) & (line < 255)).any()  # smooth edges


def test_placed_characters_are_whole_of_many_sizes_and_repeatable() -> None:
    drawn = [pen_strokes.place(SEVEN, np.random.default_rng(seed)) for seed in range(200)]
    border = np.stack([np.pad(np.zeros((254, 254), bool), 1, constant_values=True)] * 200)
    assert not np.stack(drawn)[border].any()
    heights = [np.ptp(np.nonzero(canvas > 127)[0]) for canvas in drawn]
    assert 60 <= min(heights) < 90
    assert 200 < max(heights) <= 248
    assert np.array_equal(drawn[3], pen_strokes.place(SEVEN, np.random.default_rng(3)))


def test_wide_characters_are_no_wider_than_the_tallest_is_high() -> None:
    dash = [np.array([[0.0, 0], [100, 1]])]
    for seed in range(20):
        canvas = pen_strokes.place(dash, np.random.default_rng(seed))
        assert np.ptp(np.nonzero(canvas)[1]) <= 248


@pytest.mark.parametrize("area", [(300.0, 200.0), (1200.0, 300.0)])
def test_scattered_characters_keep_shape_and_margin(area: tuple[float, float]) -> None:
    for seed in range(50):
        moved = pen_strokes.scatter(SEVEN, 120, 150, area, 16, np.random.default_rng(seed))
        points = np.concatenate(moved)
        assert np.ptp(points, axis=0) == pytest.approx((75, 120))  # SEVEN is 50 by 80
        assert (points >= 16 - 1e-9).all()
        assert (points <= np.array(area) - 16 + 1e-9).all()


def test_characters_of_a_file(handwriting_folder: Path) -> None:
    file = np.load(handwriting_folder / "pendigits_strokes.npz")
    first, second = pen_strokes.characters(file)
    assert [stroke.tolist() for stroke in first] == [[[5, 0], [5, 90]]]
    assert [len(stroke) for stroke in second] == [3, 2]


# Sets.


def ink_box(ink: Bytes) -> Bytes:
    """The part of a picture that has ink of more than a third of full brightness."""
    rows, columns = (np.flatnonzero((ink > 85).any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_scattered_digits_are_the_digits_enlarged_dark_on_white(mnist: Mnist) -> None:
    images = mnist.train_images[:50]
    scales = []
    for image, picture in zip(images, evaluation_sets.scattered(images), strict=True):
        original, found = ink_box(image), ink_box(255 - picture)
        scales.append(np.sqrt(found.sum() / original.sum()))
        shrunk = Image.fromarray(found).resize(original.shape[::-1], Image.Resampling.BOX)
        assert np.corrcoef(np.asarray(shrunk).ravel(), original.ravel())[0, 1] > 0.85
        assert np.median(picture) == 255
    assert 1.9 < min(scales) < 3
    assert 7 < max(scales) < 8.1


def test_scattered_digits_are_the_same_every_time(mnist: Mnist) -> None:
    one, other = (list(evaluation_sets.scattered(mnist.train_images[:8])) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert len({picture.shape for picture in one}) > 1


def test_non_digits_are_as_many_as_stated_and_the_same_every_time(
    fonts: list[list[Path]],
) -> None:
    one, other = (
        {
            kind: list(pictures)
            for kind, pictures in evaluation_sets.non_digit_pictures(fonts, 5).items()
        }
        for _ in range(2)
    )
    assert len(one) == 3 + len(non_digits.NOISE)
    for kind, pictures in one.items():
        assert len(pictures) == 5
        for picture, again in zip(pictures, other[kind], strict=True):
            assert picture.dtype == np.uint8
            assert picture.ndim == 2
            assert np.array_equal(picture, again)
            assert (picture.min() == picture.max()) == (kind == "blank")
    blanks = evaluation_sets.non_digit_pictures(fonts, None)["blank"]
    assert len(list(blanks)) == evaluation_sets.NON_DIGITS["blank"]


def test_no_letter_has_the_shape_of_a_digit() -> None:
    assert not set(non_digits.LETTERS) & set("OoIlSsZzBbqgi")
    assert len(set(non_digits.LETTERS)) == len(non_digits.LETTERS)


def test_training_does_not_draw_with_these_fonts(fonts: list[list[Path]]) -> None:
    from digits.data import non_digits as trained_on

    stems = {path.stem.lower() for family in fonts for path in family}
    assert len(fonts) == len(non_digits.FONTS)
    assert all(family for family in fonts)
    assert not stems & {name.lower() for name in trained_on.FONTS}


def test_missing_sets_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGITS_HANDWRITING", raising=False)
    with pytest.raises(DigitsError, match="DIGITS_HANDWRITING is not set"):
        evaluation_sets.folder()
    monkeypatch.setenv("DIGITS_HANDWRITING", str(tmp_path))
    with pytest.raises(DigitsError, match=r"there is no mousedrawn140\.npz in that folder"):
        evaluation_sets.folder()


# Amounts.


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
    assert cheque_amounts.edit_distance(one, other) == distance


def test_amounts_are_counted_whole_and_by_digit(handwriting_folder: Path) -> None:
    file = np.load(handwriting_folder / "amount_strings.npz")
    assert cheque_amounts.measure(lambda _: ("50", 0.9), file, None)["accuracy"] == 1
    half = cheque_amounts.measure(lambda picture: ("59"[: len(picture)], 0.9), file, None)
    none = {"3%": 0.0, "5%": 0.0}
    expected = {"n": 1, "accuracy": 0, "digits_right": 0.5, "answered": none}
    assert half == expected | {"interval": half["interval"]}


def test_the_most_confident_are_answered() -> None:
    confidences = np.array([0.2, 0.9, 0.8, 0.7, 0.1])
    right = np.array([False, True, True, False, True])
    assert cheque_amounts.answered(confidences, right, 0.0) == pytest.approx(2 / 5)
    assert cheque_amounts.answered(confidences, right, 1 / 3) == pytest.approx(3 / 5)
    assert cheque_amounts.answered(confidences, right, 0.4) == 1
