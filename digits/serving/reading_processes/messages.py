"""What a service and a process that reads tell each other.

A request is a length, pickled `Request`, and the body as it came. A reply is a header and bytes,
never pickled: a decoder that a picture has taken over must not reach the service.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from digits.reading.reader import Reader

REQUEST = struct.Struct("!II")  # bytes of the pickle, and of the body
INFERENCE_LENGTH = "Inference-Header-Content-Length"  # bytes of JSON before binary tensors
REPLY = struct.Struct("!IBHHHHI")  # bytes of the content, then the fields of `Reply`


class Kind(enum.IntEnum):
    """What a reply is."""

    READY = 0  # the process can read
    COUNTED = 1  # a batch has `total` pictures
    PART = 2  # of the answer to a batch: what was read in its next picture
    ANSWER = 3  # the last reply to a request
    TOO_LARGE = 4  # the last reply: it takes more memory than the request allowed
    FAILED = 5  # the last reply: a fault of ours, whose traceback is the content


@dataclass(frozen=True)
class Reply:
    """A reply to a request, or to being started.

    Attributes:
        content: JSON; bytes, if `json_length` is not 0; a sentence, if the status is an error's.
        status: of HTTP.
        accepted: how many readings were accepted, and `refused` how many were not.
        total: how many pictures a batch has.
        json_length: how many bytes of the content are JSON, if not all of them.
    """

    kind: Kind
    content: bytes = b""
    status: int = 200
    accepted: int = 0
    refused: int = 0
    total: int = 0
    json_length: int = 0

    def encoded(self) -> bytes:
        return (
            REPLY.pack(
                len(self.content),
                self.kind,
                self.status,
                self.accepted,
                self.refused,
                self.total,
                self.json_length,
            )
            + self.content
        )


class Body(NamedTuple):
    """The body of a request, and what its header says of it; "" where it says nothing."""

    content: bytes | bytearray
    content_type: str
    encoding: str  # Content-Encoding
    inference_length: str  # Inference-Header-Content-Length


class Task(NamedTuple):
    """A request as the work on it sees it.

    Attributes:
        most_pixels: that a picture may have.
        deadline: of `time.monotonic`, after which no other picture of a batch is begun.
        done: how many pictures of a batch are read already.
    """

    reader: Reader
    body: Body
    most_pixels: int
    deadline: float
    done: int


Work = Callable[[Task], Iterator[Reply]]  # a function of a module, for it travels by name


class Request(NamedTuple):
    """What precedes a body: the work, what is in the header, and what it may take.

    Attributes:
        memory: bytes more than the process has at rest.
        seconds: for all of a batch.
        last: whether there is no larger budget.
    """

    work: Work
    content_type: str
    encoding: str
    inference_length: str
    memory: int
    most_pixels: int
    seconds: float
    done: int
    last: bool
