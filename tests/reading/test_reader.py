"""Reading pictures with the bundle that ships: digits, pages, amounts, and what is neither.

Floors are a few digits below what the model that ships reads, as processors round differently.
"""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from benchmarks.handwriting import cheque_amounts
from benchmarks.handwriting import composed_pages as pages
from benchmarks.handwriting.cheque_amounts import edit_distance
from digits import bundle
from digits.data.mnist import Mnist
from digits.pictures.grey import Grey
from digits.reading import recogniser
from digits.reading.page import Page, Reading
from digits.reading.reader import Reader
from digits.runtime import Outputs

if not (bundle.SHIPPED / "manifest.json").exists():
    pytest.skip("the package holds no model yet", allow_module_level=True)

READER = Reader()


def validation(mnist: Mnist) -> tuple[Grey, Grey]:
    """Digits that no weight was trained on, and their labels."""
    return mnist.train_images[-5000:], mnist.train_labels[-5000:]


def written(mnist: Mnist, seed: int, paper: str) -> tuple[Grey, str]:
    """A picture of two lines of five digits, and the ten digits."""
    random = np.random.default_rng(seed)
    page, lines = pages.compose(random, *validation(mnist), 2, 5, 36, 0.2, slope=0.02)
    return pages.photograph(random, page, pages.PAPERS[paper], 36), "".join(lines)


def check(page: Page, picture: Grey) -> None:
    """Checks what holds for every page."""
    accepted = "".join(str(reading.digit) for reading in page.readings if reading.accepted)
    assert page.digits == "".join(page.lines)
    assert page.digits == "".join(filter(str.isdigit, page.text))
    assert len(page.digits) <= len(accepted)  # words are left out
    assert all(page.lines)
    for reading in page.readings:
        check_reading(reading, picture)


def check_reading(reading: Reading, picture: Grey) -> None:
    x, y, width, height = reading.box
    assert x >= 0
    assert y >= 0
    assert x + width <= picture.shape[1]
    assert y + height <= picture.shape[0]
    assert reading.canvas.shape == (256, 256)
    assert reading.probabilities.shape == (10,)
    assert reading.probabilities.sum() == pytest.approx(1, abs=1e-4)
    assert 0.1 <= reading.confidence <= 1


def test_digits_of_mnist_are_read_and_the_same_ink_elsewhere_likewise(mnist: Mnist) -> None:
    images, labels = mnist.train_images[-300:], mnist.train_labels[-300:]
    alone = [READER.classify(image) for image in images]
    assert np.mean([one.digit == label for one, label in zip(alone, labels, strict=True)]) >= 0.985
    for image, one in zip(images[:50], alone, strict=False):
        canvas = np.zeros((256, 256), np.uint8)
        canvas[100:128, 50:78] = image
        direct = READER.classify(canvas)
        np.testing.assert_allclose(one.probabilities, direct.probabilities, atol=0.1)


def test_a_digit_of_mnist_on_bright_paper_is_read(mnist: Mnist) -> None:
    """Ink cannot be told from paper whose light rises to the right until it outshines the digit;
    the pixels as they are, in MNIST's frame, can be read."""
    images, labels = mnist.train_images[-200:], mnist.train_labels[-200:]
    light = np.linspace(0, 130, 28)[None]
    lit = (images * ((255 - light) / 255) + light).astype(np.uint8)
    right = [
        READER.classify(image).digit == label for image, label in zip(lit, labels, strict=True)
    ]
    assert sum(right) >= 197


def test_a_digit_is_the_same_read_alone_or_as_a_page(mnist: Mnist) -> None:
    images = mnist.train_images[-200:]
    same = [READER.read(image).digits == str(READER.classify(image).digit) for image in images]
    assert sum(same) >= 195  # the others are refused


@pytest.mark.parametrize("paper", pages.PAPERS)
def test_pages_are_read(mnist: Mnist, paper: str) -> None:
    wrong = 0
    for seed in range(6):
        picture, meant = written(mnist, seed, paper)
        page = READER.read(picture)
        check(page, picture)
        wrong += edit_distance(page.digits, meant)
    assert wrong <= 4  # of 60


def test_touching_digits_are_read(mnist: Mnist) -> None:
    right = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        page, lines = pages.compose(random, *validation(mnist), 1, 2, 40, 0, touching=1)
        right += READER.read(np.round(page * 255).astype(np.uint8)).digits == lines[0]
    assert right >= 34


@pytest.mark.parametrize(("paper", "floor"), [("screen", 47), ("cheque", 46)])
def test_amounts_with_touching_zeros_are_read(mnist: Mnist, paper: str, floor: int) -> None:
    """Sixty numbers of five digits, half of them zeros, in which every other pair touches."""
    images, labels = validation(mnist)
    zeros, others = np.flatnonzero(labels == 0), np.flatnonzero(labels != 0)
    half_zeros = np.concatenate([zeros, others[: len(zeros)]])
    right = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        page, lines = pages.compose(
            random, images[half_zeros], labels[half_zeros], 1, 5, 36, 0.2, touching=0.5
        )
        picture = pages.photograph(random, page, pages.PAPERS[paper], 36)
        right += READER.read(picture).digits == lines[0]
    assert right >= floor


def test_a_broken_digit_is_joined(mnist: Mnist) -> None:
    images, labels = validation(mnist)
    digit = np.kron(images[labels == 5][0], np.ones((4, 4), np.uint8))
    assert READER.read(digit).digits == "5"
    digit[48:52] = 0  # two parts, one above the other
    assert READER.read(digit).digits == "5"


def test_lines_are_in_reading_order(mnist: Mnist) -> None:
    picture, meant = written(mnist, 11, "screen")
    page = READER.read(picture)
    boxes = [reading.box for reading in page.readings if reading.accepted]
    middles = [box.y + box.height / 2 for box in boxes]
    assert len(page.lines) == 2
    assert min(middles[len(page.lines[0]) :]) > max(middles[: len(page.lines[0])])
    assert page.digits == meant


def test_dots_dashes_and_specks_are_not_digits(mnist: Mnist) -> None:
    picture, _ = written(mnist, 5, "screen")
    before = READER.read(picture).digits
    height = picture.shape[0]
    picture[height - 30 : height - 27, 20:60] = 255  # a dash
    random = np.random.default_rng(1)
    picture[random.integers(0, height, 30), random.integers(0, picture.shape[1], 30)] = 255
    assert READER.read(picture).digits == before


def test_boxes_are_in_pixels_of_the_picture() -> None:
    picture = np.full((3000, 4000), 255, np.uint8)
    picture[1000:1600, 2000:2080] = 0
    x, y, width, height = READER.classify(picture).box
    assert (x, y) == pytest.approx((2000, 1000), abs=6)
    assert (width, height) == pytest.approx((80, 600), abs=12)


def test_a_blank_picture_has_no_digit() -> None:
    for level in (0, 128, 255):
        picture = np.full((28, 28), level, np.uint8)
        assert not READER.classify(picture).accepted
        assert READER.read(picture) == Page("", "", (), ())


def test_large_pieces_are_put_on_a_canvas_whole() -> None:
    ink = np.full((900, 30), 255, np.uint8)
    canvas = recogniser.place(ink)
    rows, columns = np.nonzero(canvas)
    assert np.ptp(rows) + 1 == recogniser.LONGEST
    assert np.ptp(columns) + 1 == 7  # in proportion
    assert canvas.max() == 255


def test_a_network_is_not_asked_again_about_what_it_has_seen(
    mnist: Mnist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`classify` asks twice about 28×28 pixels, as they are and framed; of most digits of MNIST
    these are the same, and so are the answers, to the bit."""
    asked: list[str] = []
    outputs = Reader.outputs

    def noted(self: Reader, signature: str, image: Grey) -> Outputs:
        asked.append(signature)
        return outputs(self, signature, image)

    monkeypatch.setattr(Reader, "outputs", noted)
    reader, once = Reader(), 0
    for image in mnist.test_images[:200]:
        asked.clear()
        reading = reader.classify(image)
        if asked == ["canvas"]:
            once += 1
            direct = outputs(reader, "digit", image)
            np.testing.assert_array_equal(reading.probabilities, direct["probabilities"][0])
            assert reading.is_digit == direct["is_digit"][0]
    assert 150 <= once < 200


def test_threads_may_share_a_reader(mnist: Mnist) -> None:
    images = mnist.train_images[-40:]
    alone = [READER.classify(image).probabilities for image in images]
    found: list[list[np.ndarray]] = [[] for _ in range(4)]

    def work(into: list[np.ndarray]) -> None:
        into.extend(READER.classify(image).probabilities for image in images)

    threads = [threading.Thread(target=work, args=(into,)) for into in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in found:
        np.testing.assert_array_equal(one, alone)


@pytest.mark.parametrize(
    "picture",
    [
        np.indices((200, 200)).sum(axis=0) % 2 * 255,
        np.indices((400, 400)).sum(axis=0) // 8 % 2 * 255,
        np.random.default_rng(1).integers(0, 256, (300, 300)),
        (np.random.default_rng(2).random((600, 600)) < 0.004) * 255,
        np.kron(np.random.default_rng(3).integers(0, 2, (1, 4000)), np.full((12, 1), 255)),
    ],
    ids=["checks", "large checks", "noise", "specks", "bars"],
)
def test_questions_to_the_model_are_bounded(
    picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    ask = recogniser.Recogniser.ask

    def counted(self: recogniser.Recogniser, ink: Grey) -> recogniser.Answer:
        nonlocal asked
        asked += 1
        return ask(self, ink)

    monkeypatch.setattr(recogniser.Recogniser, "ask", counted)
    started = time.process_time()
    check(READER.read(picture.astype(np.uint8)), picture)
    assert asked <= 4_000
    assert time.process_time() - started < 6  # 2 on a calm machine


@settings(max_examples=60)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=64)))
def test_any_picture_gives_a_page(picture: Grey) -> None:
    check(READER.read(picture), picture)
    check_reading(READER.classify(picture), picture)


HANDWRITING = os.environ.get("DIGITS_HANDWRITING")


@pytest.mark.skipif(not HANDWRITING, reason="DIGITS_HANDWRITING names no folder of handwriting")
def test_amounts_on_real_cheques_are_read() -> None:
    """374 of all 500 are read right (74.8 %)."""
    with np.load(Path(str(HANDWRITING)) / "amount_strings.npz") as file:
        pictures = zip(cheque_amounts.pictures(file), file["strings"], strict=True)
        right = [READER.read(picture).digits == amount for picture, amount in pictures]
    assert sum(right) >= 369


def test_digits_in_boxes_are_read_without_the_walls(mnist: Mnist) -> None:
    row = np.zeros((114, 480), np.uint8)
    walls = [30, 114, 198, 282, 366, 450]
    for left, label in zip(walls, "42709", strict=False):
        digit = mnist.train_images[np.flatnonzero(mnist.train_labels == int(label))[-4]]
        row[15:99, left : left + 84] = digit.repeat(3, axis=0).repeat(3, axis=1)
    row[[13, 14, 15, 99, 100, 101], 29:452] = 255
    for wall in walls:
        row[13:102, wall - 1 : wall + 2] = 255
    assert READER.read(255 - row).digits == "42709"
