"""Ink of a line that the network for lines did not see is not lost."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digits.bundle import SHIPPED, read
from digits.data.mnist import Mnist
from digits.layout.segmentation import Fragment, Line, connected_parts
from digits.pictures.grey import Grey
from digits.reading.lines.line_reading import parted, read_line
from digits.reading.recogniser import Recogniser
from digits.runtime import Model


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    bundle = read(SHIPPED)
    model = Model(bundle.model)
    return Recogniser(model, model, bundle.threshold)


def drawn(*strokes: list[tuple[int, int]]) -> Grey:
    page = Image.new("L", (120, 100))
    for stroke in strokes:
        ImageDraw.Draw(page).line(stroke, 255, 6, joint="curve")
    return np.asarray(page)


def test_a_one_beside_a_zero_is_another_digit(recogniser: Recogniser) -> None:
    page = Image.new("L", (120, 100))
    ImageDraw.Draw(page).line([(30, 5), (24, 95)], 255, 6)
    ImageDraw.Draw(page).ellipse((36, 35, 72, 92), None, 255, 6)
    parts = connected_parts(np.asarray(page))
    main, unseen = parted(parts, recogniser, height=60.0)
    assert (len(main), len(unseen)) == (1, 1)
    assert {one.box.height > 80 for one in main} != {one.box.height > 80 for one in unseen}


def test_the_two_strokes_of_a_four_stay_together(recogniser: Recogniser) -> None:
    parts = connected_parts(drawn([(30, 10), (22, 55), (52, 55)], [(60, 25), (60, 92)]))
    assert len(parts) == 2
    main, unseen = parted(parts, recogniser, height=80.0)
    assert (len(main), unseen) == (2, [])


def test_low_ink_beside_a_digit_is_no_other_digit(recogniser: Recogniser) -> None:
    parts: list[Fragment] = connected_parts(drawn([(30, 10), (30, 90)], [(40, 84), (41, 90)]))
    assert len(parted(parts, recogniser, height=80.0)[0]) == len(parts)


def windows_shown(ink: Grey, recogniser: Recogniser) -> tuple[str, int]:
    """What is read in a line, and how many windows the network for lines was shown for it."""
    shown = []

    def run(window: Grey) -> np.ndarray:
        shown.append(window)
        return recogniser.line(window)

    parts = connected_parts(ink)
    height = max(part.box.height for part in parts)
    written = read_line(Line((*parts,), height), recogniser, run, thorough=True, pattern=None)
    return "".join(one.symbol for one in written), len(shown)


def test_one_digit_beyond_doubt_is_read_without_the_network_for_lines(
    recogniser: Recogniser, mnist: Mnist
) -> None:
    hundred = [windows_shown(image, recogniser) for image in mnist.train_images[:100]]
    sure = [
        (text, str(label))
        for (text, shown), label in zip(hundred, mnist.train_labels, strict=False)
        if not shown
    ]
    assert len(sure) > 75
    assert all(text == label for text, label in sure)
    zero, four = mnist.train_images[1:3]
    text, windows = windows_shown(np.hstack([zero, four]), recogniser)
    assert text == "04"
    assert windows > 0
    touching = np.hstack([image[:, image.any(axis=0)][:, :-1] for image in (zero, four)])
    assert len(connected_parts(touching)) == 1
    assert windows_shown(touching, recogniser)[1] > 0
