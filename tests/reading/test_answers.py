"""The JSON of a page: the keys, their order and the rounding on which scripts depend."""

import json

import numpy as np
import pytest

from digits.reading.answers import PageAnswer, as_dict
from digits.reading.page import Box, Page, Reading, page_of


def reading(accepted: bool = True) -> Reading:
    probabilities = np.full(10, 0.0123456789, np.float32)
    probabilities[7] = 1 - 9 * 0.0123456789
    canvas = np.zeros((256, 256), np.uint8)
    return Reading(7, probabilities, accepted, Box(3, 4, 20, 30), canvas, 0.9)


def test_a_box_ends_where_the_next_pixel_begins() -> None:
    assert (Box(3, 4, 20, 30).right, Box(3, 4, 20, 30).bottom) == (23, 34)


def test_the_json_of_a_page_is_what_scripts_expect() -> None:
    page = Page("7", ("7",), (reading(),))
    others = ", ".join(["0.012346"] * 7), ", ".join(["0.012346"] * 2)
    assert json.dumps(as_dict(page)) == (
        '{"digits": "7", "lines": ["7"], "readings": [{"digit": 7, "confidence": 0.888889, '
        f'"accepted": true, "probabilities": [{others[0]}, 0.888889, {others[1]}], '
        '"box": [3, 4, 20, 30]}]}'
    )


def test_a_refused_reading_is_on_the_page_but_not_among_its_digits() -> None:
    page = page_of([[reading(accepted=False)]])
    assert (page.digits, page.lines) == ("", ())
    assert [one["accepted"] for one in as_dict(page)["readings"]] == [False]


def test_openapi_can_be_derived_from_the_type() -> None:
    """pydantic reads the constraints from the fields' metadata, and accepts what is given."""
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(PageAnswer)
    schema = adapter.json_schema()
    assert schema["required"] == ["digits", "lines", "readings"]
    properties = schema["$defs"]["ReadingAnswer"]["properties"]
    assert (properties["digit"]["minimum"], properties["digit"]["maximum"]) == (0, 9)
    assert properties["probabilities"]["items"] == {"type": "number", "minimum": 0, "maximum": 1}
    assert properties["box"]["minItems"] == properties["box"]["maxItems"] == 4
    answer = as_dict(page_of([[reading()]]))
    assert adapter.validate_python(answer).readings[0].box == [3, 4, 20, 30]
    answer["readings"][0]["digit"] = 10
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python(answer)
