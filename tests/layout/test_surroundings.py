"""Frames and rims are taken out, and writing stays."""

import numpy as np
from PIL import Image, ImageDraw

from digits.layout import surroundings
from digits.pictures.grey import Grey


def drawn() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A page with three strokes of writing, 40 pixels high, in its middle."""
    picture = Image.new("L", (300, 160))
    pencil = ImageDraw.Draw(picture)
    for x in (100, 140, 180):
        pencil.line([(x, 60), (x + 10, 100)], 255, 6)
    return picture, pencil


WRITING = np.asarray(drawn()[0])


def left_of(picture: Image.Image) -> Grey:
    return surroundings.without(np.asarray(picture))


def test_writing_alone_stays_as_it_is() -> None:
    np.testing.assert_array_equal(left_of(drawn()[0]), WRITING)


def test_a_crooked_box_goes() -> None:
    picture, pencil = drawn()
    corners = [(60, 32), (150, 27), (250, 34), (244, 90), (248, 130), (70, 124), (60, 32)]
    pencil.line(corners, 255, 10, joint="curve")
    np.testing.assert_array_equal(left_of(picture), WRITING)


def test_a_circle_goes() -> None:
    picture, pencil = drawn()
    pencil.ellipse((60, 20, 240, 140), outline=255, width=5)
    np.testing.assert_array_equal(left_of(picture), WRITING)


def test_what_touches_a_frame_from_within_stays() -> None:
    picture, pencil = drawn()
    pencil.rectangle((60, 20, 240, 140), outline=255, width=5)
    pencil.line([(215, 60), (237, 60)], 255, 6)
    pencil.line([(215, 60), (215, 100)], 255, 6)
    left = left_of(picture)
    assert left[60:100, 213:217].min() == 255
    assert not left[:50].any()
    assert not left[110:].any()


def test_a_zero_with_a_speck_stays() -> None:
    picture = Image.new("L", (200, 160))
    pencil = ImageDraw.Draw(picture)
    pencil.ellipse((40, 40, 90, 110), outline=255, width=6)
    pencil.ellipse((62, 72, 68, 78), fill=255)
    pencil.line([(120, 40), (120, 110)], 255, 6)
    np.testing.assert_array_equal(left_of(picture), np.asarray(picture))


def test_a_rim_goes_and_high_writing_stays() -> None:
    picture, pencil = drawn()
    pencil.rectangle((0, 0, 14, 159), fill=255)
    np.testing.assert_array_equal(left_of(picture), WRITING)
    row = picture.crop((80, 55, 210, 105))  # the strokes fill the height, as in a tight crop
    np.testing.assert_array_equal(left_of(row), np.asarray(row))


def test_a_dark_corner_goes_and_a_digit_cut_off_there_stays() -> None:
    picture, pencil = drawn()
    pencil.line([(240, 1), (299, 1)], 255, 3)
    pencil.line([(298, 0), (298, 60)], 255, 4)
    np.testing.assert_array_equal(left_of(picture), WRITING)
    seven = picture.crop((0, 0, 250, 160))
    ImageDraw.Draw(seven).line([(215, 2), (246, 2), (246, 44)], 255, 6)
    np.testing.assert_array_equal(left_of(seven), np.asarray(seven))
