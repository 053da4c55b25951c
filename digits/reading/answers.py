"""The JSON in which the command line and HTTP give what was read.

The fields' metadata are constraints and descriptions in pydantic's terms, from which the service
derives its OpenAPI document. Reading itself does not need pydantic.
"""

from dataclasses import dataclass, field
from typing import Any

from digits.reading.page import Page

_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}


@dataclass(frozen=True)
class ReadingAnswer:
    """A `Reading` in JSON. Fractions are rounded to six decimals."""

    digit: int = field(
        metadata={
            "ge": 0,
            "le": 9,
            "description": "the most likely digit, even if it is not accepted",
        }
    )
    confidence: float = field(
        metadata={"ge": 0, "le": 1, "description": "the probability of that digit"}
    )
    accepted: bool = field(metadata={"description": "false: not sure, or not a digit"})
    probabilities: list[float] = field(
        metadata={
            "min_length": 10,
            "max_length": 10,
            "json_schema_extra": {"items": _FRACTION},
            "description": "of the digits 0 to 9, given that it is a digit",
        }
    )
    box: list[int] = field(
        metadata={
            "min_length": 4,
            "max_length": 4,
            "description": "x, y, width and height of the ink, in pixels of the picture",
        }
    )


@dataclass(frozen=True)
class PageAnswer:
    """A `Page` in JSON."""

    digits: str = field(metadata={"description": "all accepted digits, in reading order"})
    lines: list[str] = field(metadata={"description": "the same, line by line"})
    readings: list[ReadingAnswer] = field(
        metadata={"description": "every piece of ink that was considered, in reading order"}
    )


def answer_of(page: Page) -> PageAnswer:
    """A page as the command line and HTTP answer with it."""
    readings = [
        ReadingAnswer(
            digit=reading.digit,
            confidence=round(reading.confidence, 6),
            accepted=reading.accepted,
            probabilities=[round(p, 6) for p in reading.probabilities.tolist()],
            box=list(reading.box),
        )
        for reading in page.readings
    ]
    return PageAnswer(page.digits, list(page.lines), readings)


def as_dict(page: Page) -> dict[str, Any]:
    """`answer_of` a page as a dict for `json.dumps`.

    Not by `dataclasses.asdict`, which copies every number and takes three times as long.
    """
    answer = answer_of(page)
    return vars(answer) | {"readings": [vars(reading) for reading in answer.readings]}
