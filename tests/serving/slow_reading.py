"""A reader that does what a picture says, for the tests of what the service then does.

It is in a module of its own since the processes that read import it by name.
"""

import os
import time
from typing import Any

import numpy as np

from digits.pictures.grey import Grey
from digits.reading.findings import Findings
from digits.reading.page import Page
from digits.reading.reader import Reader

WIDTH = 11  # pixels, of a picture that holds an order: its height says which
READ, HANG, WAIT, TAKE, DIE, FAIL = range(1, 7)
WAIT_SECONDS = 0.2
MEMORY = 100 << 20  # bytes


class SlowReader(Reader):
    """Reads pictures, and obeys those that are `WIDTH` pixels wide."""

    def examine(self, picture: Any, **settings: Any) -> tuple[Page, Findings]:
        order = picture.shape[0] if picture.shape[1] == WIDTH else READ
        if order == HANG:
            time.sleep(600)
        elif order == WAIT:
            time.sleep(WAIT_SECONDS)
        elif order == TAKE:
            np.ones(MEMORY, np.uint8)
        elif order == DIE:
            os.abort()
        elif order == FAIL:
            raise AssertionError("a fault of ours")
        return super().examine(picture, **settings)


def order(number: int) -> Grey:
    """A picture that holds an order."""
    return np.full((number, WIDTH), 255, np.uint8)
