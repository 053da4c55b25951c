"""The JSON of a page: the keys, their order and the rounding on which scripts depend."""

import json
from dataclasses import replace

import numpy as np
import pytest

from digits.pictures.box import Box
from digits.reading.answers import PageAnswer
from digits.reading.page import Cell, Group, Page, Reading, page_of_one


def reading(accepted: bool = True) -> Reading:
    probabilities = np.full(10, 0.0123456789, np.float32)
    probabilities[7] = 1 - 9 * 0.0123456789
    canvas = np.zeros((256, 256), np.uint8)
    return Reading(7, probabilities, accepted, Box(3, 4, 20, 30), canvas, 0.9)


def test_a_box_ends_where_the_next_pixel_begins() -> None:
    assert (Box(3, 4, 20, 30).right, Box(3, 4, 20, 30).bottom) == (23, 34)


def test_the_json_of_a_page_is_what_scripts_expect() -> None:
    groups, cells = (Group("7", Box(3, 4, 20, 30), 0, 0.96),), (Cell(1, 2, "7", Box(0, 0, 40, 50)),)
    page = Page("7", "7", ("7",), (replace(reading(), line=0, group=0),), groups, cells, 0.96)
    others = ", ".join(["0.012346"] * 7), ", ".join(["0.012346"] * 2)
    assert json.dumps(page.to_dict()) == (
        '{"text": "7", "digits": "7", "lines": ["7"], "readings": [{"digit": 7, '
        '"confidence": 0.888889, "accepted": true, '
        f'"probabilities": [{others[0]}, 0.888889, {others[1]}], '
        '"box": [3, 4, 20, 30], "line": 0, "group": 0}], '
        '"groups": [{"text": "7", "box": [3, 4, 20, 30], "line": 0, "confidence": 0.96}], '
        '"cells": [{"row": 1, "column": 2, "text": "7", "box": [0, 0, 40, 50]}], '
        '"confidence": 0.96}'
    )


def test_a_refused_reading_is_on_the_page_as_a_question_mark() -> None:
    page = page_of_one(reading(accepted=False))
    assert (page.text, page.digits, page.lines) == ("?", "", ())
    assert [one["accepted"] for one in page.to_dict()["readings"]] == [False]


def test_openapi_can_be_derived_from_the_type() -> None:
    """pydantic reads the constraints from the fields' metadata, and accepts what is given."""
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(PageAnswer)
    schema = adapter.json_schema()
    fields = ["text", "digits", "lines", "readings", "groups", "cells", "confidence"]
    assert schema["required"] == fields
    properties = schema["$defs"]["ReadingAnswer"]["properties"]
    assert (properties["digit"]["minimum"], properties["digit"]["maximum"]) == (0, 9)
    assert properties["probabilities"]["items"] == {"type": "number", "minimum": 0, "maximum": 1}
    assert properties["box"]["minItems"] == properties["box"]["maxItems"] == 4
    answer = page_of_one(reading()).to_dict()
    assert adapter.validate_python(answer).readings[0].box == [3, 4, 20, 30]
    answer["readings"][0]["digit"] = 10
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python(answer)


def test_what_is_printed_of_a_page_and_a_reading_is_short() -> None:
    assert repr(reading()) == "Reading(7, 88.9%, Box(x=3, y=4, width=20, height=30))"
    assert repr(reading(accepted=False)).startswith("Reading(7?, 88.9%")
    assert repr(page_of_one(reading())) == "Page('7', confidence 80.0%, 1 readings)"
