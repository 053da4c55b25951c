"""Reader takes a picture from whatever holds it, and says what to do about what is none."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digits import bundle
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.pictures.grey import Grey
from digits.reading.reader import Reader

if not (bundle.SHIPPED / "manifest.json").exists():
    pytest.skip("the package holds no model yet", allow_module_level=True)

READER = Reader()


def every_kind_of(digit: Grey, folder: Path) -> dict[str, Any]:
    """The same picture as each kind of source that `Reader` says it takes."""
    image = Image.fromarray(digit)
    image.save(folder / "digit.png")
    content = (folder / "digit.png").read_bytes()
    return {
        "path": folder / "digit.png",
        "name": str(folder / "digit.png"),
        "bytes": content,
        "open file": io.BytesIO(content),
        "PIL": image,
        "PIL in colour": image.convert("RGB"),
        "h, w, 1": digit[:, :, None],
        "RGB": np.stack([digit] * 3, axis=-1),
        "int64": digit.astype(np.int64),
        "uint16": digit.astype(np.uint16) * 257,
        "float to 1": digit / 255,
        "float to 255": digit.astype(np.float32),
        "view": np.asfortranarray(digit),
    }


def test_a_digit_is_read_the_same_from_whatever_holds_it(mnist: Mnist, tmp_path: Path) -> None:
    digit = mnist.test_images[0]  # a 7
    expected = READER.classify(digit)
    assert expected.digit == mnist.test_labels[0]
    for kind, source in every_kind_of(digit, tmp_path).items():
        one = READER.classify(source)
        assert (one.digit, one.box, one.accepted) == (expected.digit, expected.box, True), kind
        np.testing.assert_array_equal(one.probabilities, expected.probabilities, err_msg=kind)
    assert repr(READER) == f"Reader({str(bundle.SHIPPED)!r})"
    lists = [*every_kind_of(digit, tmp_path).values(), digit > 127]
    assert [getattr(one, "digit", one) for one in READER.classify_many(lists)] == [7] * len(lists)
    pages = READER.read_many(every_kind_of(digit, tmp_path).values())
    assert {getattr(page, "text", page) for page in pages} == {"7"}


@pytest.mark.parametrize("read", [READER.read, READER.classify])
@pytest.mark.parametrize(
    ("source", "advice"),
    [
        (np.zeros((1, 784)), r"reshape\(28, 28\)"),
        (np.zeros((9, 28, 28), np.uint8), "read_many"),
        (["a.png", "b.png"], "read_many or classify_many"),
        (np.full((28, 28), 1.5), "neither from 0 to 1 nor from 0 to 255"),
        (np.eye(28, dtype=np.int64), r"astype\(bool\)"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_to_do(
    read: Callable[[Any], object], source: object, advice: str
) -> None:
    with pytest.raises(DigitsError, match=advice):
        read(source)


def test_a_missing_bundle_gives_an_error_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match="no bundle"):
        Reader(tmp_path)
