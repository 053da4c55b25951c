"""The JSON in which the command line and HTTP give what was read.

The service derives its OpenAPI document from these types: the fields' metadata are descriptions
and constraints in pydantic's terms, which reading itself does not need.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from digits.reading.page import Page


@dataclass(frozen=True)
class ReadingAnswer:
    """A `Reading` in JSON. Fractions are rounded to six decimals."""

    digit: int = field(
        metadata={"description": "the most likely digit, accepted or not", "ge": 0, "le": 9}
    )
    confidence: float = field(
        metadata={"description": "the probability of that digit", "ge": 0, "le": 1}
    )
    accepted: bool = field(metadata={"description": "false: not sure, or not a digit"})
    probabilities: list[float] = field(
        metadata={
            "description": "of the digits 0 to 9, given that it is a digit",
            "min_length": 10,
            "max_length": 10,
            "json_schema_extra": {"items": {"type": "number", "minimum": 0, "maximum": 1}},
        }
    )
    box: list[int] = field(
        metadata={
            "description": "x, y, width and height of the ink, in pixels of the picture",
            "min_length": 4,
            "max_length": 4,
        }
    )


@dataclass(frozen=True)
class PageAnswer:
    """A `Page` in JSON."""

    digits: str = field(metadata={"description": "all accepted digits, in reading order"})
    lines: list[str] = field(metadata={"description": "the same, line by line"})
    readings: list[ReadingAnswer] = field(
        metadata={"description": "all ink that was considered, in reading order"}
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
    """`answer_of` a page as a dict for `json.dumps`."""
    return asdict(answer_of(page))
