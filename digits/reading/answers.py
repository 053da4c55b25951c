"""The JSON in which the command line and HTTP give what was read.

The service derives its OpenAPI document from these types: the fields' metadata are descriptions
and constraints in pydantic's terms, which reading itself does not need.
"""

from dataclasses import dataclass, field
from typing import Any

BOX: dict[str, Any] = {
    "description": "x, y, width and height, in pixels of the picture",
    "min_length": 4,
    "max_length": 4,
}


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
    box: list[int] = field(metadata=BOX)
    line: int | None = field(metadata={"description": "the number of its line, from 0"})
    group: int | None = field(metadata={"description": "the index of its number in `groups`"})


@dataclass(frozen=True)
class GroupAnswer:
    """A `Group` in JSON."""

    text: str = field(metadata={"description": "its digits, and ? for what is not sure"})
    box: list[int] = field(metadata=BOX)
    line: int = field(metadata={"description": "the number of its line, from 0", "ge": 0})
    confidence: float = field(
        metadata={"description": "the probability that all its digits are right", "ge": 0, "le": 1}
    )


@dataclass(frozen=True)
class CellAnswer:
    """A `Cell` in JSON."""

    row: int = field(metadata={"description": "from 0", "ge": 0})
    column: int = field(metadata={"description": "from 0", "ge": 0})
    text: str = field(metadata={"description": "what is written in it; empty if nothing is"})
    box: list[int] = field(metadata=BOX)


@dataclass(frozen=True)
class PageAnswer:
    """A `Page` in JSON."""

    text: str = field(
        metadata={
            "description": "lines as they are written: digits, ? for what is not sure, the signs "
            ". , - / : ( ) + = and a space for a gap"
        }
    )
    digits: str = field(metadata={"description": "all accepted digits, in reading order"})
    lines: list[str] = field(metadata={"description": "the same, line by line"})
    readings: list[ReadingAnswer] = field(
        metadata={"description": "all ink that was considered, in reading order"}
    )
    groups: list[GroupAnswer] = field(
        metadata={"description": "the numbers: digits without a gap or a sign between them"}
    )
    cells: list[CellAnswer] = field(
        metadata={"description": "of a table or of boxes, by row and column; else empty"}
    )
    confidence: float = field(
        metadata={
            "description": "the probability that the digits of all numbers are right; 0 if there "
            "is no number",
            "ge": 0,
            "le": 1,
        }
    )
